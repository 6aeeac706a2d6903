"""Live figures of processes: what they use of the processors, and of memory."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeVar

import psutil
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from pop.frozen import frozen

T = TypeVar("T")
InThread = Callable[[Callable[[], T]], Deferred[T]]
"""Does something that may block, without blocking."""

SPAN: Final = 0.25
"""Seconds over which the use of processors is measured, unless it was looked before."""
LATELY: Final = (0.2, 10.0)
"""How long ago that may have been, in seconds: what came before is not of late."""


@frozen
class Figures:
    """What some processes use.

    @ivar cpu: share of one processor, of late.
    @ivar memory: bytes that are resident; what several share counts for each.
    @ivar processes: how many they are.
    """

    cpu: float = 0.0
    memory: int = 0
    processes: int = 0


@frozen
class Sample:
    """One process at one time.

    @ivar born: what tells it from others that had its number.
    @ivar used: seconds of a processor, since it was born.
    """

    at: float
    born: float
    used: float
    memory: int


class Meter:
    """Tells what processes use, by looking at them twice."""

    def __init__(self, clock: IReactorTime, in_thread: InThread[dict[int, Sample]]) -> None:
        self._clock = clock
        self._in_thread = in_thread
        self._samples: dict[int, Sample] = {}

    async def look(self, groups: Mapping[str, Collection[int]]) -> dict[str, Figures]:
        """The figures of groups of processes, by the groups' names."""
        pids = {pid for group in groups.values() for pid in group}
        if not all(self._is_known(pid) for pid in pids):
            self._samples |= await self._sample(pids)
            await deferLater(self._clock, SPAN)
        before, now = self._samples, await self._sample(pids)
        self._samples = {pid: each for pid, each in before.items() if self._is_recent(each)} | now
        return {name: _figures(group, before, now) for name, group in groups.items()}

    def _sample(self, pids: Iterable[int]) -> Deferred[dict[int, Sample]]:
        at = self._clock.seconds()
        return self._in_thread(lambda: sample(pids, at))

    def _is_known(self, pid: int) -> bool:
        found = self._samples.get(pid)
        return found is not None and self._is_recent(found)

    def _is_recent(self, found: Sample) -> bool:
        return LATELY[0] <= self._clock.seconds() - found.at <= LATELY[1]


def sample(pids: Iterable[int], at: float) -> dict[int, Sample]:
    """Look at processes now; those that are not there any more are left out."""
    found = {}
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                memory = process.memory_info().rss
            found[pid] = Sample(at, process.create_time(), times.user + times.system, memory)
    return found


def _figures(
    group: Collection[int], before: Mapping[int, Sample], now: Mapping[int, Sample]
) -> Figures:
    there = [pid for pid in group if pid in now]
    return Figures(
        round(sum(_share(before.get(pid), now[pid]) for pid in there), 4),
        sum(now[pid].memory for pid in there),
        len(there),
    )


def _share(before: Sample | None, now: Sample) -> float:
    if before is None or before.born != now.born or before.at >= now.at:
        return 0.0
    return max(0.0, (now.used - before.used) / (now.at - before.at))
