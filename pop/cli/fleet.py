"""The fleet: machines, all asked the same at once; who does not answer, keeps nobody waiting."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from math import inf
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore, TimeoutError
from twisted.internet.interfaces import IReactorTime

from pop.errors import PopError, Silent
from pop.frozen import frozen
from pop.model import Machine
from pop.together import together

T = TypeVar("T")
Question = Callable[[str], Coroutine[Any, Any, T]]
"""What is asked of a machine, by its id."""

AT_ONCE = 50
"""How many machines are asked at the same time."""


@frozen
class Answers(Generic[T]):
    """What machines said, and why others said nothing, each by its id."""

    given: Mapping[str, T]
    missing: Mapping[str, PopError]

    def sentences(self, names: Mapping[str, str]) -> list[str]:
        """Why some said nothing: a sentence for each reason, which tells whom it concerns.

        @param names: what machines are called, by id; others are called by their ids.
        """
        alike: dict[str, list[str]] = {}
        for machine, error in self.missing.items():
            alike.setdefault(_on(error, "{}"), []).append(machine)
        return [
            _concerning(self.missing[machines[0]], machines, names) for machines in alike.values()
        ]


def _concerning(error: PopError, machines: list[str], names: Mapping[str, str]) -> str:
    """An error's sentence, on all whom it concerns."""
    where = ", ".join(names.get(machine, machine) for machine in machines)
    sentence = _on(error, where)
    told = "machine" in error.fields or machines[0] in sentence
    return sentence if told else f"{where}: {sentence}"


def _on(error: PopError, machines: str) -> str:
    """An error's sentence, on these machines if it is one on machines; those that were raised
    elsewhere have no fields."""
    if "machine" not in error.fields:
        return str(error)
    return str(type(error)(**{**error.fields, "machine": machines}))


async def ask(
    machines: Iterable[str],
    question: Question[T],
    clock: IReactorTime,
    patience: float,
    at_once: int = AT_ONCE,
) -> Answers[T]:
    """Ask all of them, and wait until each has answered or refused.

    @param patience: seconds that each may take; maybe infinite.
    """
    gate = DeferredSemaphore(at_once)

    async def one(machine: str) -> T | PopError:
        await gate.acquire()
        try:
            asked = Deferred.fromCoroutine(question(machine))
            if patience != inf:
                asked.addTimeout(patience, clock)
            return await asked
        except TimeoutError:
            return Silent(machine=machine, seconds=patience)
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
