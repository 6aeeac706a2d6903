"""Tables and times, for people."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

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
WIDE = 10_000
"""Columns where nobody looks: nothing is folded in a pipe."""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns; what a phase is called is coloured on a terminal."""
    drawn = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        padding=(0, 3, 0, 0),
        show_header=any(headings),
    )
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    with console.capture() as captured:
        console.print(drawn)
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), color=sys.stdout.isatty())


def local_time(iso: str) -> str:
    """A time as this machine's clock shows it."""
    try:
        return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return iso
