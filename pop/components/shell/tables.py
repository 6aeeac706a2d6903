"""Tables for people."""

from collections.abc import Iterable, Sequence
from typing import Any


def make_table(headers: Sequence[str], lines: Iterable[Sequence[Any]], prefix: str = "") -> str:
    """A table with a frame, each line after a prefix; without a newline at its end.

    @raise ValueError: a line has more or fewer cells than there are headers.
    """
    rows = [[str(cell) for cell in line] for line in lines]
    for row in rows:
        if len(row) != len(headers):
            raise ValueError(f"{len(row)} cells under {len(headers)} headers: {row}")
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    rule, double = (
        "+" + "+".join(sign * (width + 2) for width in widths) + "+" for sign in ("-", "=")
    )
    drawn = [rule, _row(headers, widths), double]
    for row in rows:
        drawn += [_row(row, widths), rule]
    return "\n".join(prefix + line for line in drawn)


def counted(number: int, noun: str, others: str = "") -> str:
    """How many there are, in words: of one, and of others, which end in an s if nothing is said."""
    return f"{number} {noun if number == 1 else others or f'{noun}s'}"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
