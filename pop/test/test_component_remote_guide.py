"""The guide to components in several processes does what it says, in two processes."""

import shlex
import shutil
import sys

from pop.test.checkout import MISSING, ROOT
from pop.test.shells import Agent
from pop.test.test_component_guide import blocks
from pop.test.test_component_remote_sockets import SocketCase


class GuideTests(SocketCase):
    """C{docs/remote.rst}."""

    skip = MISSING

    def setUp(self) -> None:
        super().setUp()
        self.directory = self.path / "guide"
        shutil.copytree(ROOT / "examples" / "components" / "remote", self.directory)
        page = (ROOT / "docs" / "remote.rst").read_text(encoding="utf-8")
        found = list(blocks(page))
        self.commands = [text.removeprefix("$ ") for kind, text in found if kind == "console"]
        self.shown = [text for kind, text in found if kind == "text"]

    def type(self, command: str) -> Agent:
        """Type a command of the page."""
        process = Agent()
        python, *words = shlex.split(command)
        self.assertEqual("python", python)
        stdin = self.reactor.spawnProcess(
            process, sys.executable, [sys.executable, *words], None, str(self.directory)
        )
        self.addCleanup(lambda: process.ended)
        self.addCleanup(stdin.closeStdin)
        return process

    async def check(self, *order: int) -> None:
        """Both are started; the first of the page is killed, and started again."""
        processes = {number: self.type(self.commands[number]) for number in order}
        greeter, visitor = processes[0], processes[1]
        greets, goes = self.shown
        await visitor.said(greets)
        greeter.signal("KILL")
        await visitor.said(greets + goes)
        self.type(self.commands[0])
        await visitor.said(greets + goes + greets)
        self.assertEqual("", greeter.output)

    async def test_in_order(self) -> None:
        """As the page has it."""
        await self.check(0, 1)

    async def test_other_order(self) -> None:
        """In the other order, which the page says makes no difference."""
        await self.check(1, 0)
