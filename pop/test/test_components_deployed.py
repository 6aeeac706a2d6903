"""A framework of components that pop has deployed, and its shell: real commands, a real agent."""

import shutil
import sys
from pathlib import Path
from typing import Any

from twisted.internet.utils import getProcessOutputAndValue

from pop.test.checkout import MISSING, ROOT
from pop.test.shells import EmbeddedTestCase, Shell


class DeployedTests(EmbeddedTestCase):
    """The sample, as a service."""

    skip = MISSING

    async def carry_out(self, shell: Shell, *lines: str) -> tuple[int, str]:
        """What C{pop shell} says to command lines, and its status."""
        out, err, status = await getProcessOutputAndValue(
            sys.executable,
            ["-m", "pop", "shell", "hello"],
            env=shell.environment,
            reactor=shell.reactor,
            stdinBytes="\n".join((*lines, "")).encode(),
        )
        return status, out.decode() + err.decode()

    async def test_sample(self) -> None:
        """It is deployed, looked at, and updated in its shell without a restart of the service."""
        shell = self.shell()
        path = Path(self.mktemp()).absolute()
        shutil.copytree(ROOT / "examples" / "components", path)
        await shell.pop("init")
        given = ("--bundles", "provider consumer", "--path", str(path))
        await shell.pop("add", "components", "--name", "hello", *given)
        refused = await shell.refuse("shell", "hello")
        self.assertIn("has no shell on this machine", refused)
        agent = shell.agent()
        self.addCleanup(lambda: agent.ended)
        self.addCleanup(agent.signal, "TERM")
        await shell.pop("deploy", "hello", "--wait")
        await self.check_looked_at(shell)
        pid = (await shell.status("hello"))["pid"]
        await self.check_updated(shell, path / "provider.py")
        self.assertEqual(pid, (await shell.status("hello"))["pid"])

    async def check_looked_at(self, shell: Shell) -> None:
        """The shell shows what is there, as in the sample."""
        status, said = await self.carry_out(shell, "instances", "instance hello-consumer-auto")
        self.assertEqual(0, status, said)
        for part in (
            "| hello-consumer-auto  | hello-consumer-factory",
            "| hello-provider-auto  | hello-provider-factory",
            "Specification: sample.hello",
        ):
            self.assertIn(part, said)
        status, said = await self.carry_out(shell, "nonsense", "instances")
        self.assertEqual(1, status)
        self.assertNotIn("hello-consumer-auto", said)

    async def check_updated(self, shell: Shell, file: Path) -> None:
        """The consumer says goodbye to the old code and hello to the new."""
        file.write_text(file.read_text().replace('"Hello,"', '"Hi,"'))
        status, said = await self.carry_out(shell, "update 11")
        self.assertEqual(0, status, said)

        async def logged() -> Any:
            lines = (await shell.pop("logs", "hello")).splitlines()
            return [line for line in lines if "Consumer" in line]

        await shell.until(lambda: _has(logged, 3))
        expected = ["Hello, Consumer !", "Bye, Consumer !", "Hi, Consumer !"]
        self.assertEqual(expected, await logged())


async def _has(logged: Any, count: int) -> bool:
    return len(await logged()) == count
