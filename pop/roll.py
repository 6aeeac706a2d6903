"""Rolls: what is done on several machines, one batch after the other.

Pure. The next batch is due when nobody is under way any more, and no more machines are out of
service than may be; after the first failure none is. Two drive it: L{pop.rolling.roll}, which has
all machines in its hand, and the agents of a service, none of which has, see L{pop.turn}.
"""

from dataclasses import replace

from pop.frozen import frozen


@frozen
class Roll:
    """How far a roll is.

    @ivar batch: how many machines may be out of service at a time.
    @ivar waiting: those whose turn is yet to come, in order.
    @ivar going: those whose turn it is.
    @ivar out: those out of service just now, for whatever reason.
    @ivar stopped: why it goes no further; empty while it does.
    """

    batch: int
    waiting: tuple[str, ...] = ()
    going: frozenset[str] = frozenset()
    out: frozenset[str] = frozenset()
    stopped: str = ""

    @property
    def blocking(self) -> tuple[str, ...]:
        """Whom it waits for, if it does: those under way, else those that are out of service."""
        if self.stopped or not self.waiting or due(self):
            return ()
        return tuple(sorted(self.going or self.out))


@frozen
class Begin:
    """It may begin."""


@frozen
class Done:
    """What was to be done on a machine is done, and the machine is in service."""

    machine: str


@frozen
class Failed:
    """What was to be done on a machine failed."""

    machine: str
    why: str


Event = Begin | Done | Failed


class Impossible(Exception):
    """An event that cannot happen: a defect of the driver."""


def due(roll: Roll) -> tuple[str, ...]:
    """Whose turn it is next: as many as may go together.

    Those that are out of service already come first, since nothing is lost by them; but they take
    the others' places as well, whether or not they wait.
    """
    if roll.going or roll.stopped:
        return ()
    idle = [machine for machine in roll.waiting if machine in roll.out]
    serving = [machine for machine in roll.waiting if machine not in roll.out]
    room = max(0, roll.batch - len(roll.out))
    return (*idle, *serving[:room])[: roll.batch]


def step(roll: Roll, event: Event) -> tuple[Roll, tuple[str, ...]]:
    """What a roll becomes by an event, and the machines whose turn has come."""
    match event:
        case Begin() if not roll.going:
            pass
        case Done(machine) if machine in roll.going:
            roll = replace(roll, going=roll.going - {machine})
        case Failed(machine, why) if machine in roll.going:
            stopped = roll.stopped or f"{machine}: {why}"
            roll = replace(roll, going=roll.going - {machine}, stopped=stopped)
        case _:
            raise Impossible(f"{event} while {sorted(roll.going)} are under way")
    begun = due(roll)
    rest = tuple(machine for machine in roll.waiting if machine not in begun)
    return replace(roll, waiting=rest, going=roll.going | frozenset(begun)), begun
