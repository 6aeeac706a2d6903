"""Doing without a package that is installed, and that Twisted takes in wherever it is.

OpenSSL is a quarter of the memory of a process that does little, and a fifth of its start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def aside(package: str, *, late: bool = False) -> Iterator[None]:
    """Import as if a package were not installed; nothing happens if it was imported before.

    Nor does anything where the reactor is there already: then this process has other purposes, and
    others in it may need the package. Afterwards it can be imported as ever.

    @param late: do it even where there is a reactor: what is imported can do without.
    """
    if package in sys.modules or (not late and "twisted.internet.reactor" in sys.modules):
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # so the import system is told
    try:
        yield
    finally:
        del sys.modules[package]
