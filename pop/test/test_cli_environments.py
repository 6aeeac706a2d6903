"""Python environments from end to end: real commands, two real agents, and made-up wheels."""

import json
from pathlib import Path
from typing import Any

from pop.test.shells import Agent, EmbeddedTestCase, Shell
from pop.test.wheels import wheel


class EnvironmentTests(EmbeddedTestCase):
    """A service that is Python, on two machines."""

    timeout = 240

    async def begin(self) -> tuple[Shell, list[Agent]]:
        """Two machines with agents, and wheels."""
        self.wheels = Path(self.mktemp()).absolute()
        self.wheels.mkdir()
        wheel(self.wheels, "spam", "1.0")
        wheel(self.wheels, "eggs", "1.5")
        shells = [self.shell("m1"), self.shell("m2")]
        await shells[0].pop("init")
        agents = [shell.agent() for shell in shells]
        for agent in agents:
            self.addCleanup(self.end, agent)
        return shells[0], agents

    async def end(self, agent: Agent) -> None:
        """Stop it, with what it runs."""
        agent.signal("TERM")
        await agent.ended

    async def add(self, shell: Shell) -> None:
        """A program that needs a package, on both machines."""
        words = ["--find-links", str(self.wheels), "--index", "none"]
        code = "import time, spam; print('spam', spam.VERSION, flush=True); time.sleep(900)"
        wheel(self.wheels, "napper", "1.0", f"def main():\n    {code}\n")
        words += ["--requirements", "spam napper", "--entry-point", "napper:main"]
        await shell.pop("add", "python", "--name", "nap", *words)
        await shell.until(lambda: self.known(shell))
        for machine in ("m1", "m2"):
            await shell.pop("deploy", "nap", "--machine", machine, "--wait")

    async def known(self, shell: Shell) -> bool:
        """Whether both machines are there."""
        return len(json.loads(await shell.pop("--json", "machines"))) == 2

    async def settled(self, shell: Shell) -> Any:
        """How it fares on both machines, once it is ready and nothing is being built."""
        found = json.loads(await shell.pop("--json", "status", "nap"))["machines"]
        good = all(m["phase"] == "ready" and not m.get("problem") for m in found.values())
        return {name: m["pid"] for name, m in found.items()} if good and len(found) == 2 else None

    async def packages(self, shell: Shell, machine: str) -> dict[str, str]:
        """What is installed on a machine, by name."""
        said = await shell.pop("run", "nap", "packages", "--json", "--machine", machine)
        return {each["name"]: each["version"] for each in json.loads(said)}

    async def test_life(self) -> None:
        """Deployed, enlarged on all machines by one command, taken back; bad changes do no harm."""
        shell, _ = await self.begin()
        await self.add(shell)
        first = await self.settled(shell)
        before = {"spam": "1.0", "napper": "1.0"}
        self.assertEqual(before, await self.packages(shell, "m2"))
        await self.check_install(shell, first)
        second = await self.settled(shell)
        said = await shell.refuse("run", "nap", "install")
        self.assertIn("its length should be at least 1", said)
        said = await shell.refuse("run", "nap", "install", "no-such-package==7")
        self.assertIn("No matching distribution found for no-such-package==7", said)
        await shell.pop("set", "nap", "--requirements", "spam==9")
        await shell.until(lambda: self.complains(shell))
        self.assertEqual(second, await self.pids(shell))
        await shell.pop("set", "nap", "--requirements", "spam napper")
        await shell.pop("run", "nap", "rollback")
        await shell.until(lambda: self.has(shell, before))

    async def check_install(self, shell: Shell, first: dict[str, int]) -> None:
        """What is installed on one machine comes to the other."""
        said = await shell.pop("run", "nap", "install", "eggs")
        self.assertIn("Successfully installed", said)
        settings = json.loads(await shell.pop("--json", "status", "nap"))["settings"]
        self.assertEqual(["eggs==1.5"], settings["packages"])
        after = {"spam": "1.0", "napper": "1.0", "eggs": "1.5"}
        await shell.until(lambda: self.has(shell, after), 60)
        await shell.until(lambda: self.settled(shell), 60)
        now = await self.pids(shell)
        self.assertTrue(all(now[name] != first[name] for name in first), (first, now))

    async def has(self, shell: Shell, packages: dict[str, str]) -> bool:
        """Whether these are installed on both machines."""
        for machine in ("m1", "m2"):
            status, out, _ = await shell.try_pop(
                "run", "nap", "packages", "--json", "--machine", machine
            )
            if status or {p["name"]: p["version"] for p in json.loads(out)} != packages:
                return False
        return True

    async def pids(self, shell: Shell) -> dict[str, int]:
        """The processes, by machine."""
        found = json.loads(await shell.pop("--json", "status", "nap"))["machines"]
        return {name: each["pid"] for name, each in found.items()}

    async def complains(self, shell: Shell) -> bool:
        """Whether both machines say that there is no such version."""
        found = json.loads(await shell.pop("--json", "status", "nap"))["machines"]
        return all("spam==9" in (each.get("problem") or "") for each in found.values())
