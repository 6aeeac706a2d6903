"""Tables and times, for people."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

import click

COLOURS = {
    "ready": "green",
    "finished": "green",
    "not ready": "yellow",
    "starting": "yellow",
    "stopping": "yellow",
    "pending": "yellow",
    "backing off": "red",
    "failed": "red",
    "no agent": "red",
    "alive": "green",
    "gone": "red",
}
GAP = 3
"""Columns between two columns."""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns. On a terminal, what a phase is called is coloured, and what does not fit is
    folded; elsewhere each row is one line."""
    cells = [[clean(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(headings, cells)
        return
    lines = [*([list(headings)] if any(headings) else []), *cells]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (c + " " * (w + GAP - _width(c)) for c, w in zip(line, widths, strict=True))
        click.echo("".join(padded).rstrip())


def clean(cell: str) -> str:
    """What was written by others is shown, but stays in its place."""
    if cell.isprintable():
        return cell
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cell)


def _width(cell: str) -> int:
    """How many columns a terminal gives it."""
    if cell.isascii():
        return len(cell)
    from rich.cells import cell_len

    return cell_len(cell)


def _draw(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        padding=(0, GAP, 0, 0),
        show_header=any(headings),
    )
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    console = Console()
    with console.capture() as captured:
        console.print(drawn)
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), color=True)


def local_time(iso: str) -> str:
    """A time as this machine's clock shows it."""
    try:
        return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return iso
