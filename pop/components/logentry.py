"""One thing that was logged, as it is kept and shown."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twisted.logger import LogLevel, formatEvent, formatTime

from pop.components.reference import ServiceReference

LEVELS: Final = {
    LogLevel.debug: logging.DEBUG,
    LogLevel.info: logging.INFO,
    LogLevel.warn: logging.WARNING,
    LogLevel.error: logging.ERROR,
    LogLevel.critical: logging.CRITICAL,
}
"""Twisted's levels, in order, as Python's L{logging} counts them."""
BUNDLE: Final = "pop_bundle"
REFERENCE: Final = "pop_reference"
"""What an event says of where it comes from, beside what Twisted says of it."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What was logged: as text, so that of what it is about only bundle and reference are kept.

    @ivar level: as Python's L{logging} counts.
    @ivar time: in seconds since the epoch.
    @ivar bundle: that logged it, if it was one.
    @ivar reference: the registration that it is about, if it is about one.
    @ivar exception: the traceback of what was raised, if anything was.
    """

    level: int
    message: str
    time: float
    bundle: Any = None
    reference: ServiceReference | None = None
    exception: str | None = None

    @property
    def osgi_level(self) -> int:
        """From 1, an error, to 4."""
        return max(1, min(4, 5 - self.level // 10))

    def __str__(self) -> str:
        who = f"[{self.bundle.get_symbolic_name()}] " if self.bundle else ""
        line = f"{logging.getLevelName(self.level):8} {formatTime(self.time)} {who}{self.message}"
        return f"{line}\n{self.exception.rstrip()}" if self.exception else line


def level_of(event: Mapping[str, Any]) -> int:
    """How much an event matters; those of old, which do not say so, as information."""
    return LEVELS.get(event.get("log_level", LogLevel.info), logging.INFO)


def entry_of(event: Mapping[str, Any], bundle: Any) -> LogEntry:
    """An event of Twisted's log, as it is now.

    @param bundle: that logged it, unless it says so itself.
    """
    failure = event.get("log_failure")
    return LogEntry(
        level_of(event),
        formatEvent(dict(event)),
        event.get("log_time", 0.0),
        event.get(BUNDLE, bundle),
        event.get(REFERENCE),
        failure.getTraceback() if failure is not None else None,
    )


def read_level(said: Any) -> int | None:
    """A level that is given by its number or its name; L{None} if it is none."""
    text = str(said).strip().upper()
    return int(text) if text.isdecimal() else logging.getLevelNamesMapping().get(text)


def twisted_level(level: int) -> Any:
    """The highest of Twisted's levels that is not above one of Python's."""
    return next(
        (twisted for twisted, at in reversed(LEVELS.items()) if level >= at), LogLevel.debug
    )
