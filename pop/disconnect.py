"""What a machine may go on running while ZooKeeper is away.

Pure. Note [Before the session ends]: ZooKeeper gives a session up, and with it the machine, when it
has not heard of it for the session's time-out; from then on somebody else may run what ran here. A
service that says C{stop-after=SECONDS} must have ended before. So it is asked to stop that many
seconds after ZooKeeper last confirmed the session, though no later than after two thirds of the
time-out; and it is killed after nine tenths of it, whatever its grace period. Two thirds is also
when a client notices at the latest that a server is silent: while there is a connection, nothing
has to be judged.
"""

from collections.abc import Mapping

from pop.frozen import frozen
from pop.plan import Held, Want
from pop.program import Launch

STOP = 2 / 3
KILL = 9 / 10
"""Parts of the session's time-out after which a service is asked to stop, and killed."""

BACK = "ZooKeeper is back"
A_MOMENT = 0.001
"""Seconds; clocks may not tell apart what is closer."""


@frozen
class Absence:
    """ZooKeeper is away.

    @ivar seconds: since it last confirmed the session; if it never did since this agent began,
        since then.
    @ivar timeout: the session's, in seconds.
    @ivar known: whether this agent has ever read from it what is wanted. Otherwise nobody knows
        for how long it has been away, or what it would say, so that what minds must not run.
    """

    seconds: float
    timeout: float
    known: bool = True

    @property
    def over(self) -> bool:
        """Whether what minds must be gone by now."""
        return self.seconds >= self.timeout * KILL

    def judge(self, wants: Mapping[str, Want]) -> dict[str, Want]:
        """What to do with each service, given what it should do while ZooKeeper is there."""
        return {name: self._judge(want) for name, want in wants.items()}

    def look_again(self, wants: Mapping[str, Want]) -> float | None:
        """In how many seconds it must be judged again; L{None} for never."""
        minding = [limit for want in wants.values() if (limit := self._limit(want)) is not None]
        moments = [*minding, self.timeout * KILL] if minding else []
        soon = min((m - self.seconds for m in moments if m > self.seconds), default=None)
        return None if soon is None else max(soon, A_MOMENT)

    def _judge(self, want: Want) -> Want:
        limit = self._limit(want)
        if limit is None:
            return want
        if not self.known:
            return Held("ZooKeeper has not answered since the agent began", BACK)
        if self.seconds >= limit:
            return Held(f"ZooKeeper has been away for {limit:.3g} seconds", BACK)
        return want

    def _limit(self, want: Want) -> float | None:
        """After how many seconds it must not run; L{None} if it does not mind."""
        if not isinstance(want, Launch) or want.stop_after is None:
            return None
        return min(want.stop_after, self.timeout * STOP)
