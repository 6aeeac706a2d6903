"""What happens to an instance, in the past tense, and what is to be done with it, as requests."""

from collections.abc import Mapping
from typing import Any

from pop.frozen import frozen
from pop.program import Launch


@frozen
class Wanted:
    """It should run, and so."""

    launch: Launch
    why: str = ""


@frozen
class Unwanted:
    """It should not run."""

    why: str = ""


@frozen
class Adopted:
    """There is a process that a predecessor started.

    @ivar ready, state: as the predecessor last knew them.
    @ivar age: seconds since it was started.
    @ivar gone: it has ended meanwhile, which is told in a moment.
    """

    launch: Launch
    pid: int
    ready: bool = False
    state: Mapping[str, Any] | None = None
    age: float = 0.0
    gone: bool = False


@frozen
class Recalled:
    """It has finished, under a predecessor."""

    launch: Launch
    how: str
    success: bool


@frozen
class Spawned:
    """The process runs."""

    pid: int


@frozen
class Refused:
    """The process cannot be started at all."""

    why: str


@frozen
class Notified:
    """The program said something of itself; see L{pop.protocols.notify.Notice}."""

    ready: bool = False
    stopping: bool = False
    status: str | None = None
    state: Mapping[str, Any] | None = None


@frozen
class Passed:
    """The readiness check has passed as often as it takes."""


@frozen
class Failed:
    """The readiness check has failed as often as it takes."""

    why: str


@frozen
class Unhealthy:
    """The liveness check has failed as often as it takes, or the watchdog was not fed."""

    why: str


@frozen
class Exited:
    """The process ended, and nothing that it started is left."""

    how: str
    success: bool = False


@frozen
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


@frozen
class Spawn:
    """Start the process."""

    launch: Launch


@frozen
class AskToStop:
    """Send the stop signal."""

    signal: str


@frozen
class Kill:
    """End the process and all that it started, now."""


@frozen
class Wake:
    """Report L{Elapsed} after so many seconds, unless another phase or L{Wake} comes before."""

    after: float


Deed = Spawn | AskToStop | Kill | Wake
