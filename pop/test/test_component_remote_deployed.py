"""Two services of components, one of which calls the other: real commands, a real agent."""

from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from pop.test.checkout import MISSING, ROOT
from pop.test.shells import EmbeddedTestCase, Shell


class DeployedTests(EmbeddedTestCase):
    """The greeter and the visitor of the guide, each a service of its own."""

    skip = MISSING

    async def add(self, shell: Shell, name: str, prop: str) -> None:
        """A service of the component of that name."""
        bundles = ("--bundles", f"pop.components.remote {name}", "--path", str(self.path))
        await shell.pop("add", "components", "--name", name, *bundles, "--properties", prop)
        await shell.pop("deploy", name, "--wait")

    async def said(self, shell: Shell, lines: list[str]) -> None:
        """The visitor has said this."""

        async def logged() -> bool:
            found = (await shell.pop("logs", "visitor")).splitlines()
            return [
                line for line in found if "visitor" in line or "Nobody is there" in line
            ] == lines

        await shell.until(logged)

    async def test_called(self) -> None:
        """The visitor is greeted; invalid while the greeter is restarted, and greeted again."""
        shell = self.shell()
        self.path = Path(self.mktemp()).absolute()
        copytree(ROOT / "examples" / "components" / "remote", self.path)
        place = TemporaryDirectory(prefix="pop-remote-")
        self.addCleanup(place.cleanup)
        address = f"unix:{place.name}/greeter"
        await shell.pop("init")
        agent = shell.agent()
        self.addCleanup(lambda: agent.ended)
        self.addCleanup(agent.signal, "TERM")
        await self.add(shell, "visitor", f"pop.remote.peers={address}")
        await self.add(shell, "greeter", f"pop.remote.listen={address}")
        greets, goes = "Good evening, visitor", "Nobody is there any more"
        await self.said(shell, [greets])
        await shell.pop("restart", "greeter")
        await self.said(shell, [greets, goes, greets])
