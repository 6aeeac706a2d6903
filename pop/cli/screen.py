"""The screen that C{pop top} draws a board on, again and again, until somebody has seen enough."""

from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from pop.cli.board import HEADINGS, ORDERS, RIGHT, Board
from pop.cli.keys import Keys
from pop.cli.output import COLOURS, clean

QUIT = ("q", "Q", "")
"""Keys that end it; the last is none, from a terminal that is gone."""


def picture(board: Board, order: str, height: int) -> RenderableType:
    """The board as it fits a terminal.

    @param height: in lines.
    """
    notes = [_line(clean(note), "yellow") for note in board.notes()[: height // 3]]
    rows = board.rows(order)
    room = max(1, height - len(notes) - 4)
    if len(rows) > room:
        notes.insert(0, _line(f"... and {len(rows) - room + 1} more", "dim"))
        rows = rows[: room - 1]
    keys = "   ".join(["q quit", *(f"{key} by {name}" for key, name in ORDERS.items())])
    head = _line(board.summary(), "bold")
    return Group(head, Text(), _table(rows), *notes, _line(keys, "dim"))


def _line(text: str, style: str) -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _table(rows: list[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), expand=True)
    for heading in HEADINGS:
        table.add_column(
            heading,
            justify="right" if heading in RIGHT else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if heading == "WHY" else None,
        )
    for row in rows:
        table.add_row(*(Text(clean(cell), style=COLOURS.get(cell, "")) for cell in row))
    return table


class Screen:
    """A terminal with a board on it.

    @param look: gives the board as it is now.
    @param interval: seconds between two looks.
    """

    def __init__(
        self,
        reactor: Any,
        console: Console,
        descriptor: int,
        look: Callable[[], Coroutine[Any, Any, Board]],
        interval: float,
    ) -> None:
        self._reactor = reactor
        self._console = console
        self._descriptor = descriptor
        self._look = look
        self._interval = interval
        self._order = "c"
        self._board: Board | None = None
        self._done: Deferred[None] = Deferred()

    async def show(self) -> None:
        """Draw until a key says that it is enough."""
        with (
            Live(console=self._console, screen=True, auto_refresh=False) as self._live,
            Keys(self._reactor, self._descriptor, self._pressed),
        ):
            looking = Deferred.fromCoroutine(self._look_on())
            looking.addErrback(self._failed)
            try:
                await self._done
            finally:
                looking.cancel()

    async def _look_on(self) -> None:
        while True:
            self._board = await self._look()
            self._draw()
            await deferLater(self._reactor, self._interval)

    def _failed(self, failure: Failure) -> None:
        if not self._done.called:
            self._done.errback(failure)

    def _draw(self) -> None:
        if self._board is not None and not self._done.called:
            drawn = picture(self._board, self._order, self._console.size.height)
            self._live.update(drawn, refresh=True)

    def _pressed(self, key: str) -> None:
        if key in QUIT and not self._done.called:
            self._done.callback(None)
        elif key in ORDERS:
            self._order = key
            self._draw()
