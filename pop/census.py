"""The census: who of an instance's kin lives, for many instances by one look at all processes."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence

import psutil
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pop.cgroup import members
from pop.exitstatus import reap
from pop.kin import Kin, alive, began, process_of, send
from pop.marks import GONE, NONE, marks_of
from pop.pursuit import sighted

LATER = 0.1
"""Seconds until it is looked again, when that was not possible."""

LOOKS = 4
"""A machine where something is started all the time is not looked at for ever."""

ROUNDS = 10
"""What cannot be killed is not tried for ever, either."""

Answer = Callable[[list[int]], None]


class Census:
    """Answers in the next turn of the reactor, to all who asked in this one by a single look."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._asked: list[tuple[Kin, Answer]] = []

    def ask(self, kin: Kin, answer: Answer) -> None:
        """Have it be told who of some kin lives."""
        self._asked.append((kin, answer))
        if len(self._asked) == 1:
            self._clock.callLater(0, self._look)

    def _look(self) -> None:
        asked, self._asked = self._asked, []
        kins = list({kin: None for kin, _ in asked})
        try:
            found = dict(zip(kins, living(kins), strict=True))
        except OSError as error:  # no more files can be opened: that may pass
            self._log.error("Cannot look at the processes: {error}", error=error)
            self._asked = asked + self._asked
            self._clock.callLater(LATER, self._look)
            return
        for kin, answer in asked:
            with self._log.failuresHandled("What came of process {pid}", pid=kin.leader):
                answer(found[kin])


def living(kins: Sequence[Kin]) -> list[list[int]]:
    """Those who live of each kin, which differ from one another; mostly the youngest first.

    They may fork, and die, while they are looked at. But who is overlooked is the child of one who
    was seen, and has died before being asked; as long as there may be such, it is looked again.
    In the end only the youngest are, see Note [Pursuit], and only for the kin of which nobody was
    found, as that would be taken to have ended.
    """
    found: list[list[int]] = [[] for _ in kins]
    marks = {kin.mark: place for place, kin in enumerate(kins) if kin.mark != NONE}
    # Some programs lose the mark, as su(1) may, but mostly they stay in the session.
    sessions = {kin.leader: place for place, kin in enumerate(kins) if _has_session(kin)}
    seen: set[int] = set()
    for _ in range(LOOKS):
        doubtful = False
        new = [pid for pid in _processes() if pid not in seen] if seen else _processes()
        for pid, mark in marks_of(new):
            place = marks.get(mark)
            if place is None:
                session = GONE if mark == GONE else _session(pid)
                place = sessions.get(session)
                doubtful = doubtful or session == GONE
            if place is not None and alive(pid):
                found[place].append(pid)
            elif place is not None and pid != kins[place].leader:
                doubtful = True
                reap(pid)  # if it is ours: an agent that is init, as in a container, gets orphans
        if not doubtful:
            break
        seen.update(new)
    else:
        missed = {mark: place for mark, place in marks.items() if not found[place]}
        for pid, mark in youngest(missed.__contains__) if missed else ():
            found[missed[mark]].append(pid)
    for place, kin in enumerate(kins):
        if kin.cgroup:
            more = [pid for pid in members(kin.cgroup) if pid not in found[place] and alive(pid)]
            found[place] += more
    return found


def youngest(ours: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    """Those who live of the youngest processes whose marks are ours, with these, each once."""
    seen: set[int] = set()
    for number, mark in sighted(ours):
        pid = process_of(number)
        if pid not in seen and alive(pid):
            seen.add(pid)
            yield pid, mark


def strays(ours: Callable[[int], bool]) -> list[int]:
    """Those who live and have a mark of a certain kind, except for this process."""
    marks = dict(marks_of(pid for pid in _processes() if pid != os.getpid()))
    found = [pid for pid, mark in marks.items() if ours(mark) and alive(pid)]
    if found or GONE not in marks.values():
        return found
    return [pid for pid, _ in youngest(ours)]


def end(ours: Callable[[int], bool]) -> None:
    """Kill them as they are found, and wait for them, until no more are.

    Blocks for a few milliseconds; a process that cannot die, as its disk hangs, is given up on.
    """
    for _ in range(ROUNDS):
        found = strays(ours)
        if not found:
            return
        send(signal.SIGKILL, found)
        for pid, _ in sighted(ours):
            send(signal.SIGKILL, [pid])
        for pid in found:
            _wait(pid)


def _wait(pid: int) -> None:
    """Wait for a second at most until it is dead, whether or not anybody reaps it."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):  # an older system, or no more files can be opened
        _wait_without(pid, time.monotonic() + 1)
        return
    with open(descriptor, "rb", 0):
        waiting = select.poll()
        waiting.register(descriptor)
        waiting.poll(1000)


def _wait_without(pid: int, until: float) -> None:
    pause = select.poll()
    while alive(pid) and time.monotonic() < until:
        pause.poll(1)


def _processes() -> list[int]:
    """All processes, mostly the youngest first: they must not have gone before they are asked."""
    found = psutil.pids()
    found.reverse()  # Linux has them in order
    return found


def _has_session(kin: Kin) -> bool:
    """Whether its session is its own: the number is given to others when all of it are gone."""
    return kin.leads() or (kin.mark == NONE and began(kin.leader) is None)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return GONE
