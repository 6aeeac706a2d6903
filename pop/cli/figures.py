"""Figures, as people read them."""

from typing import Final

SIZES: Final = ("", "K", "M", "G", "T", "P")
"""Each is 1,024 of the one before."""
SPANS: Final = ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s"))
"""From so many seconds on, a span is told in these two units."""


def size(found: float | None) -> str:
    """An amount of memory: C{812K}, C{34.1M}; nothing for nobody knows."""
    if found is None:
        return ""
    unit = 0
    while found >= 1000 and unit < len(SIZES) - 1:
        found /= 1024
        unit += 1
    return f"{found:.1f}{SIZES[unit]}" if unit and found < 100 else f"{found:.0f}{SIZES[unit]}"


def span(seconds: float | None) -> str:
    """How long something has been so: C{12s}, C{3m05s}, C{4h12m}, C{3d04h}."""
    if seconds is None:
        return ""
    whole = max(0, int(seconds))
    for least, name, part, rest in SPANS:
        if whole >= least:
            return f"{whole // least}{name}{whole % least // part:02}{rest}"
    return f"{whole}s"


def share(processors: float | None) -> str:
    """How much of one processor, in percent; above 100 where it takes several."""
    return "" if processors is None else f"{100 * processors:.1f}%"
