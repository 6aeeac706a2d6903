"""What to do: C{plan(wanted, observed)} gives the steps from what is to what should be.

Pure. The plan is a value, so that a test of it is one comparison; the instances' own lives
(restarts, back-off, grace periods) are no concern of the plan, see L{pop.life}.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from pop.frozen import frozen
from pop.program import Launch
from pop.slots import service_of


@frozen
class Held:
    """Deployed here, but should not run just now.

    @ivar why: the reason.
    @ivar over: what is said when that no longer holds.
    """

    why: str
    over: str = "released"


@frozen
class Unrunnable:
    """Should run here, but there is no way to, and why."""

    why: str


@frozen
class Preparing(Unrunnable):
    """The same for now: what it needs is being made."""


Want = Launch | Held | Unrunnable
"""What a machine should do with a service that is deployed on it, or with one of its slots."""


class Doer(Protocol):
    """What carries out steps: the instances of a machine."""

    def start(self, name: str, launch: Launch, why: str) -> None: ...
    def hold(self, name: str, want: Held | Unrunnable, why: str) -> None: ...
    def drop(self, name: str, why: str) -> None: ...


@frozen
class Start:
    """A service must run, and so; what runs otherwise is stopped first."""

    name: str
    launch: Launch
    why: str = ""

    def run(self, doer: Doer) -> None:
        doer.start(self.name, self.launch, self.why)


@frozen
class Hold:
    """A service stays deployed, but must not run.

    @ivar why: with more than the want says by itself, if more is known.
    """

    name: str
    want: Held | Unrunnable
    why: str = ""

    def run(self, doer: Doer) -> None:
        doer.hold(self.name, self.want, self.why)


@frozen
class Drop:
    """A service has no place here any more."""

    name: str
    why: str = "undeployed"

    def run(self, doer: Doer) -> None:
        doer.drop(self.name, self.why)


Step = Start | Hold | Drop
Because = Callable[[str, str], str]
"""(slot, what): what is the reason, with who did that if it is known."""


def plan(
    wanted: Mapping[str, Want],
    observed: Mapping[str, Want | None],
    because: Because = lambda _, what: what,
) -> tuple[Step, ...]:
    """The steps that are due, by name, those that end something first.

    @param wanted: what each slot of the services that are deployed here should do.
    @param observed: what each instance was last told to do; L{None}, to go away.
    """
    drops = [
        Drop(name, because(name, _needlessness(wanted.get(service_of(name)))))
        for name, now in sorted(observed.items())
        if now and name not in wanted
    ]
    changes = [
        _change(name, want, observed.get(name), because)
        for name, want in sorted(wanted.items())
        if want != observed.get(name)
    ]
    holds = [step for step in changes if isinstance(step, Hold)]
    return (*drops, *holds, *(step for step in changes if isinstance(step, Start)))


def _change(name: str, want: Want, now: Want | None, because: Because) -> Step:
    if isinstance(want, Launch):
        return Start(name, want, because(name, _difference(now, want)))
    why = because(name, want.why)
    return Hold(name, want, "" if why == want.why else why)


def _needlessness(first: Want | None) -> str:
    """Why a slot is needed no more, by what its service's first one should do."""
    if first is None:
        return "undeployed"
    return "settings changed" if isinstance(first, Launch) else first.why


def _difference(now: Want | None, want: Launch) -> str:
    """Why a start is due, for people."""
    if not isinstance(now, Launch):
        return now.over if isinstance(now, Held) else "deployed"
    if now.generation != want.generation:
        return "restart asked"
    return "settings changed"
