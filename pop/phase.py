"""The phases of an instance's life, and all that is known of one that is in a phase."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from pop.backoff import NO_FAILURES, Failures
from pop.events import Deed
from pop.frozen import frozen
from pop.program import Launch


class Phase(StrEnum):
    """Where an instance is in its life, in the words that people are shown."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"
    BACKING_OFF = "backing off"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"


RUNS: Final = frozenset((Phase.STARTING, Phase.READY, Phase.NOT_READY))
"""A process runs, and should."""
RESTS: Final = frozenset((Phase.STOPPED, Phase.BACKING_OFF, Phase.FINISHED, Phase.FAILED))
"""No process runs."""


@frozen
class Life:
    """Where one instance is. All times are the driver's seconds.

    @ivar wanted: what should run once the present phase allows; L{None} for nothing.
    @ivar running: what the process under way was started with.
    @ivar state: what the process says of itself.
    @ivar said: its last status line, for people.
    @ivar told: whether it said that it is ready; L{False}, that it is on its way out.
    @ivar passed: whether its readiness check passes.
    @ivar doubt: what a check last found wrong.
    @ivar since: when the phase began.
    @ivar began: when the process under way was started.
    @ivar up: when that was first ready.
    @ivar until: when it will be started again.
    @ivar perhaps_elsewhere: it had ended before it was taken over, and must not run in two places.
    @ivar failing: it is being stopped for a failure, not because it was asked to.
    @ivar restarts: how often it was started again after it had ended by itself.
    """

    phase: Phase = Phase.STOPPED
    why: str = ""
    wanted: Launch | None = None
    running: Launch | None = None
    pid: int | None = None
    state: Mapping[str, Any] | None = None
    said: str = ""
    told: bool | None = None
    passed: bool = False
    doubt: str = ""
    since: float = 0.0
    began: float = 0.0
    up: float | None = None
    until: float | None = None
    perhaps_elsewhere: bool = False
    failing: bool = False
    failures: Failures = NO_FAILURES
    restarts: int = 0

    @property
    def reason(self) -> str:
        """Why it is in its phase, and what keeps it there."""
        if self.phase is Phase.STARTING and self.doubt:
            return f"{self.why}; {self.doubt}" if self.why else self.doubt
        if self.phase is Phase.NOT_READY and self.doubt and self.told is not False:
            return self.doubt
        return self.why


Step = tuple[Life, tuple[Deed, ...]]
"""What an instance becomes, and the deeds that are due."""
