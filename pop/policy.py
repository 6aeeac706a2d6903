"""How a service is to be treated, as values, and the small notations that settings have for it."""

import re
from collections.abc import Mapping
from typing import Final

from pop.frozen import frozen

ALWAYS: Final = "always"
ON_FAILURE: Final = "on-failure"
NEVER: Final = "never"
RESTARTS: Final = (ALWAYS, ON_FAILURE, NEVER)
ON_DISCONNECT: Final = "continue"

RLIMITS: Final = (
    *("as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nice", "nofile", "nproc"),
    *("rss", "rtprio", "rttime", "sigpending", "stack"),
)
_UNITS: Final[Mapping[str, int]] = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
UNLIMITED: Final = -1
"""What C{resource.RLIM_INFINITY} is."""


@frozen
class Restarts:
    """When an instance that ended is started again.

    @ivar when: L{ALWAYS}, L{ON_FAILURE} or L{NEVER}.
    @ivar max_failures: so many within C{window} seconds make it failed.
    @ivar window: seconds in which failures are counted.
    """

    when: str = ALWAYS
    max_failures: int = 5
    window: float = 60.0


@frozen
class Checks:
    """How it is known that an instance is ready, and that it lives; all times in seconds.

    @ivar readiness, liveness: C{tcp:...}, C{http://...} or C{command:...}, placeholders filled in;
        L{None} for no such check.
    @ivar failures, successes: so many in a row count.
    @ivar watchdog: within this it must say C{WATCHDOG=1}; L{None} for no watchdog.
    """

    readiness: str | None = None
    liveness: str | None = None
    interval: float = 5.0
    timeout: float = 5.0
    failures: int = 3
    successes: int = 1
    watchdog: float | None = None


@frozen
class Limits:
    """What an instance may use.

    @ivar rlimits: (name, soft, hard), L{UNLIMITED} for no limit.
    @ivar memory: bytes; L{None} for no limit.
    @ivar cpu: processors; L{None} for no limit.
    """

    rlimits: tuple[tuple[str, int, int], ...] = ()
    memory: int | None = None
    cpu: float | None = None


@frozen
class Logs:
    """When an instance's log is rotated, and how much is kept.

    @ivar size: bytes.
    @ivar age: seconds; L{None} to rotate by size only.
    @ivar keep: how many rotated ones.
    """

    size: int = 16 << 20
    age: float | None = None
    keep: int = 7


def megabytes(text: str) -> int:
    """Bytes from a text like C{512M}.

    @raise ValueError: it is none; begins with "it".
    """
    found = re.fullmatch(r"(\d+)([KMGT]?)", text)
    if not found or not int(found[1]):
        raise ValueError("it should be a number of bytes, like 512K, 16M or 2G")
    return int(found[1]) * _UNITS[found[2]]


def umask(text: str) -> int:
    """A umask from octal digits.

    @raise ValueError: it is none; begins with "it".
    """
    if not re.fullmatch(r"0?[0-7]{1,3}", text):
        raise ValueError("it should be octal digits, like 022")
    return int(text, 8)


def rlimit(name: str) -> str:
    """The name of a resource limit, as C{setrlimit(2)} has it without RLIMIT_.

    @raise ValueError: there is none; begins with "it".
    """
    if name not in RLIMITS:
        raise ValueError(f"it should be one of {', '.join(RLIMITS)}")
    return name


def rlimits(texts: Mapping[str, str]) -> tuple[tuple[str, int, int], ...]:
    """Resource limits from texts like C{1024} and C{64:128}.

    @raise ValueError: one makes no sense; begins with "it".
    """
    return tuple((name, *_soft_and_hard(name, text)) for name, text in sorted(texts.items()))


def _soft_and_hard(name: str, text: str) -> tuple[int, int]:
    soft, colon, hard = text.partition(":")
    numbers = [_number(name, part) for part in ((soft, hard) if colon else (soft, soft))]
    low, high = numbers
    if high != UNLIMITED and (low == UNLIMITED or low > high):
        raise ValueError(f"its soft limit of {name} is above the hard one")
    return low, high


def _number(name: str, text: str) -> int:
    if text == "unlimited":
        return UNLIMITED
    if not re.fullmatch(r"\d+[KMGT]?", text):
        raise ValueError(f"its limit of {name} should be a number, SOFT:HARD, or unlimited")
    return int(text.rstrip("KMGT")) * _UNITS[text.lstrip("0123456789")]


def seconds_away(text: str) -> float | None:
    """After how many seconds without ZooKeeper it is stopped; L{None} for never.

    @raise ValueError: it says neither; begins with "it".
    """
    if text == ON_DISCONNECT:
        return None
    found = re.fullmatch(r"stop-after=(\d+(?:\.\d+)?)", text)
    if not found:
        raise ValueError("it should be continue, or stop-after=SECONDS")
    return float(found[1])
