"""The fleet: machines, all asked the same at once; who does not answer, keeps nobody waiting."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore, TimeoutError
from twisted.internet.interfaces import IReactorTime

from pop.errors import PopError, Silent
from pop.model import Machine
from pop.together import together

T = TypeVar("T")
Question = Callable[[str], Coroutine[Any, Any, T]]
"""What is asked of a machine, by its id."""

AT_ONCE = 50
"""How many machines are asked at the same time."""


@dataclass(frozen=True)
class Answers(Generic[T]):
    """What machines said, and why others said nothing, each by its id."""

    given: Mapping[str, T]
    missing: Mapping[str, PopError]

    def sentences(self, names: Mapping[str, str]) -> list[str]:
        """Why some said nothing: a sentence for each reason, with whom it concerns before it.

        @param names: what machines are called, by id; others are called by their ids.
        """
        reasons: dict[str, list[str]] = {}
        for machine, error in self.missing.items():
            reasons.setdefault(str(error), []).append(names.get(machine, machine))
        return [f"{', '.join(found)}: {reason}" for reason, found in reasons.items()]


async def ask(
    machines: Iterable[str], question: Question[T], clock: IReactorTime, patience: float
) -> Answers[T]:
    """Ask all of them, and wait until each has answered or refused.

    @param patience: seconds that each may take.
    """
    gate = DeferredSemaphore(AT_ONCE)

    async def one(machine: str) -> T | PopError:
        await gate.acquire()
        try:
            asked = Deferred.fromCoroutine(question(machine))
            return await asked.addTimeout(patience, clock)
        except TimeoutError:
            return Silent(seconds=patience)
        except PopError as error:
            return error
        finally:
            gate.release()

    ids = list(dict.fromkeys(machines))
    said = dict(zip(ids, await together([one(machine) for machine in ids]), strict=True))
    missing = {id: each for id, each in said.items() if isinstance(each, PopError)}
    return Answers(
        {id: each for id, each in said.items() if not isinstance(each, PopError)}, missing
    )


def called(machines: Iterable[Machine]) -> dict[str, str]:
    """What machines are called among each other, by id: their hosts' names if these tell them
    apart, since an id tells people nothing."""
    known = list(machines)
    hosts = [machine.host for machine in known]
    return {
        machine.id: machine.host if machine.host and hosts.count(machine.host) == 1 else machine.id
        for machine in known
    }
