"""What happens to an instance, in the past tense, and what is to be done with it, as requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pop.program import Launch


@dataclass(frozen=True)
class Wanted:
    """It should run, and so."""

    launch: Launch
    why: str = ""


@dataclass(frozen=True)
class Unwanted:
    """It should not run."""

    why: str = ""


@dataclass(frozen=True)
class Adopted:
    """A process that a predecessor started runs still.

    @ivar ready, state: as the predecessor last knew them.
    @ivar age: seconds since it was started.
    """

    launch: Launch
    pid: int
    ready: bool = False
    state: Mapping[str, Any] | None = None
    age: float = 0.0


@dataclass(frozen=True)
class Recalled:
    """It has finished, under a predecessor."""

    launch: Launch
    how: str
    success: bool


@dataclass(frozen=True)
class Spawned:
    """The process runs."""

    pid: int


@dataclass(frozen=True)
class Refused:
    """The process cannot be started at all."""

    why: str


@dataclass(frozen=True)
class Notified:
    """The program said something of itself; see L{pop.protocols.notify.Notice}."""

    ready: bool = False
    stopping: bool = False
    status: str | None = None
    state: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Passed:
    """The readiness check has passed as often as it takes."""


@dataclass(frozen=True)
class Failed:
    """The readiness check has failed as often as it takes."""

    why: str


@dataclass(frozen=True)
class Unhealthy:
    """The liveness check has failed as often as it takes, or the watchdog was not fed."""

    why: str


@dataclass(frozen=True)
class Exited:
    """The process ended, and nothing that it started is left."""

    how: str
    success: bool = False


@dataclass(frozen=True)
class Elapsed:
    """The time that L{Wake} asked for is over."""


Event = (
    Wanted
    | Unwanted
    | Adopted
    | Recalled
    | Spawned
    | Refused
    | Notified
    | Passed
    | Failed
    | Unhealthy
    | Exited
    | Elapsed
)


@dataclass(frozen=True)
class Spawn:
    """Start the process."""

    launch: Launch


@dataclass(frozen=True)
class AskToStop:
    """Send the stop signal."""

    signal: str


@dataclass(frozen=True)
class Kill:
    """End the process and all that it started, now."""


@dataclass(frozen=True)
class Wake:
    """Report L{Elapsed} after so many seconds, unless another phase or L{Wake} comes before."""

    after: float


Deed = Spawn | AskToStop | Kill | Wake
