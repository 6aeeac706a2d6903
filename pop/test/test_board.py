"""The board shows what is there, the greatest first, in any terminal; and leaves that as it was."""

import os
import termios
from collections.abc import Mapping
from io import StringIO
from typing import Any

from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.cli.board import HEADINGS, Board
from pop.cli.fleet import Answers
from pop.cli.screen import Screen, picture
from pop.errors import Silent


def instance(slot: str, **facts: Any) -> Mapping[str, Any]:
    """One as an agent tells it."""
    known = {"slot": slot, "service": slot, "phase": "ready", "pid": 7, "restarts": 0}
    return {**known, "cpu": 0.0, "memory": 0, "uptime": 5.0, "why": "", **facts}


WEB = instance("web", cpu=0.5, memory=1 << 20)
DB = instance("db", cpu=0.1, memory=1 << 30, restarts=2)
GONE = instance("old", phase="failed", pid=None, cpu=None, memory=None, uptime=None, why="it fell")
BOARD = Board(
    Answers({"1": [WEB, GONE], "2": [DB]}, {"3": Silent(machine="3", seconds=5)}),
    {"1": "alpha", "2": "beta"},
)


class BoardTests(SynchronousTestCase):
    """What the board says."""

    def order(self, order: str) -> list[str]:
        """The instances in their order."""
        return [row[1] for row in BOARD.rows(order)]

    def test_rows(self) -> None:
        """Each instance has a line with its figures; what is not known is left out."""
        self.assertEqual(
            [
                ("alpha", "web", "ready", "7", "50.0%", "1.0M", "5s", "0", ""),
                ("beta", "db", "ready", "7", "10.0%", "1.0G", "5s", "2", ""),
                ("alpha", "old", "failed", "", "", "", "", "0", "it fell"),
            ],
            BOARD.rows(),
        )
        self.assertEqual(len(HEADINGS), len(BOARD.rows()[0]))

    def test_orders(self) -> None:
        """The greatest come first, by what is asked for."""
        self.assertEqual(["web", "db", "old"], self.order("c"))
        self.assertEqual(["db", "web", "old"], self.order("m"))
        self.assertEqual(["db", "old", "web"], self.order("r"))
        self.assertEqual(["old", "web", "db"], self.order("n"))

    def test_summary(self) -> None:
        """One line sums it up."""
        self.assertEqual(
            "machines: 2 (1 more without an answer), instances: 3, ready: 2, CPU: 60.0%,"
            " memory: 1.0G",
            BOARD.summary(),
        )
        self.assertIn("machines: 0, instances: 0", Board(Answers({}, {}), {}).summary())

    def test_notes(self) -> None:
        """Who is missing is named, and why."""
        self.assertEqual([str(Silent(machine="3", seconds=5))], BOARD.notes())
        self.assertEqual(["So."], Board(Answers({}, {}), {}, "So.").notes())

    def test_other_versions(self) -> None:
        """An agent that says less, or more, is shown all the same."""
        strange = Board(Answers({"1": [{"slot": "web", "shoe": 43}]}, {}), {})
        self.assertEqual([("1", "web", "?", *[""] * 6)], strange.rows())


class PictureTests(SynchronousTestCase):
    """The board in terminals of any size."""

    def draw(self, board: Board, width: int, height: int) -> list[str]:
        """The lines of a terminal."""
        console = Console(file=StringIO(), width=width, height=height, force_terminal=False)
        with console.capture() as captured:
            console.print(picture(board, "c", height))
        return captured.get().splitlines()

    def test_whole(self) -> None:
        """All is there, if there is room."""
        lines = self.draw(BOARD, 100, 20)
        for words in ("instances: 3", "MACHINE", "beta", "it fell", "The agent of 3", "q quit"):
            self.assertTrue(any(words in line for line in lines), words)

    def test_fits(self) -> None:
        """It never needs more lines or columns than there are."""
        many = [instance(f"s{n}", why="x" * 300) for n in range(50)]
        board = Board(
            Answers({"1": many}, {str(n): Silent(machine=str(n), seconds=n) for n in range(9)}), {}
        )
        for width in (40, 80, 200):
            for height in (8, 24, 80):
                lines = self.draw(board, width, height)
                self.assertLessEqual(len(lines), height, (width, height))
                self.assertLessEqual(max(map(len, lines)), width)
                self.assertEqual(height < 80, any("... and" in line for line in lines))

    def test_harmless(self) -> None:
        """Nothing that others wrote gets at the terminal, as a command or as markup."""
        why = "a\x1b[2Jb [red]c"
        board = Board(Answers({"1": [instance("web", why=why)]}, {}), {})
        [line] = [line for line in self.draw(board, 120, 9) if "web" in line]
        self.assertIn(r"a\x1b[2Jb [red]c", line)


class ScreenTests(TestCase):
    """A terminal, with somebody at the keys."""

    timeout = 20

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor = reactor
        self.human, self.terminal = os.openpty()
        self.before = termios.tcgetattr(self.terminal)
        self.drawn = StringIO()
        self.looks: list[Deferred[Board]] = []
        self.addCleanup(os.close, self.terminal)
        self.addCleanup(self.leave)

    def leave(self) -> None:
        """Close the terminal's other end."""
        if self.human >= 0:
            os.close(self.human)
        self.human = -1

    async def look(self) -> Board:
        """A board that comes when the test says so."""
        self.looks.append(Deferred())
        return await self.looks[-1]

    def show(self) -> "Deferred[None]":
        """Have it shown."""
        console = Console(file=self.drawn, force_terminal=True, width=100, height=20)
        screen = Screen(self.reactor, console, self.terminal, self.look, 0.01)
        return Deferred.fromCoroutine(screen.show())

    async def until(self, words: str) -> None:
        """Wait until something is drawn."""
        while words not in self.drawn.getvalue():
            await deferLater(self.reactor, 0.01)

    def restored(self) -> None:
        """The terminal is as it was."""
        self.assertEqual(self.before, termios.tcgetattr(self.terminal))
        self.assertIn("\x1b[?1049l", self.drawn.getvalue())

    async def test_quit(self) -> None:
        """It is drawn again and again until q is pressed, in the order that is asked for."""
        shown = self.show()
        self.looks[0].callback(BOARD)
        await self.until("web")
        while len(self.looks) < 2:
            await deferLater(self.reactor, 0.01)
        self.drawn.truncate(0)
        os.write(self.human, b"xm")
        await self.until("web")
        text = self.drawn.getvalue()
        self.assertLess(text.index("db"), text.index("web"))
        os.write(self.human, b"q")
        await shown
        self.restored()

    async def test_quit_while_looking(self) -> None:
        """Nobody has to wait for a machine that is silent."""
        shown = self.show()
        os.write(self.human, b"q")
        await shown
        self.restored()

    async def test_interrupted(self) -> None:
        """Interrupted, it leaves the terminal as it was, and stops looking."""
        shown = self.show()
        shown.cancel()
        await shown.addErrback(lambda failure: None)
        self.assertTrue(self.looks[0].called)
        self.restored()

    async def test_flaw(self) -> None:
        """A flaw ends it, and is told."""
        shown = self.show()
        self.looks[0].errback(ZeroDivisionError())
        await self.assertFailure(shown, ZeroDivisionError)
        self.restored()

    async def test_terminal_gone(self) -> None:
        """When the terminal has been closed, it ends."""
        shown = self.show()
        self.leave()
        await shown
