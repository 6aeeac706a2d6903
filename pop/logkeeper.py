"""Keeping the logs of a machine within bounds: looking now and then, rotating what is due.

A look is one C{stat} for each instance. What there is to do is done in another thread, one log at a
time; the writers notice nothing (see L{pop.rotation}). While nobody writes, nobody looks.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.archives import finished, prune, stock
from pop.holes import NoHoles
from pop.policy import Logs
from pop.rotation import content, discard, recover, rotate
from pop.slots import filename
from pop.stirring import Forget, Watch, unwatched

SELDOM: Final = 10.0
"""Seconds between two looks."""
RARELY: Final = 300.0
"""The same while nothing is written, since what is old is rotated too."""
OFTEN: Final = 1.0
"""The same while a log grows so quickly that it may be due before long."""

InThread = Callable[[Callable[[], None]], "Deferred[None]"]
"""Carries something out aside, without blocking the reactor."""


class LogKeeper:
    """Rotates the logs of the instances there are.

    @param policies: of each instance, by its slot.
    @param wall: the time of day in seconds.
    @param watch: tells when the logs are written to again.
    """

    _log = Logger()

    def __init__(
        self,
        directory: Path,
        clock: IReactorTime,
        wall: Callable[[], float],
        in_thread: InThread,
        policies: Callable[[], Mapping[str, Logs]],
        watch: Watch = unwatched,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._wall = wall
        self._in_thread = in_thread
        self._policies = policies
        self._watch = watch
        self._forget: Forget | None = None
        self._timer: IDelayedCall | None = None
        self._working: Deferred[None] | None = None
        self._sizes: dict[str, int] = {}
        self._since: dict[str, float] = {}
        self._complained: dict[str, str] = {}
        self._running = False

    def start(self) -> None:
        """Look from now on; first at what a predecessor may have left half done."""
        self._running = True
        self._again(0)

    def stop(self) -> None:
        """Look no more; what is being archived just now is finished, or by the next agent."""
        self._running = False
        self._wait_no_more()

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._forget is not None:
            self._forget()
            self._forget = None

    def _again(self, after: float) -> None:
        if self._running:
            self._timer = self._clock.callLater(after, self._look)

    def _look(self) -> None:
        self._timer = None
        self._wait_no_more()
        policies = self._policies()
        grown = self._measure(policies)
        due = {slot: logs for slot, logs in policies.items() if self._is_due(slot, logs)}
        pause = OFTEN if any(grown[slot] > policies[slot].size / 4 for slot in grown) else SELDOM
        if due:
            self._working = self._in_thread(lambda: self._rotate_all(due))
            self._working.addErrback(self._failed)
            self._working.addBoth(lambda _: self._again(pause))
        elif grown:
            self._again(pause)
        else:
            self._rest(policies)

    def _measure(self, policies: Mapping[str, Logs]) -> Mapping[str, int]:
        """Those that have changed since the last look, and by how much they have grown."""
        before, self._sizes = self._sizes, {slot: self._room(slot) for slot in policies}
        for slot in before.keys() - policies.keys():
            self._since.pop(slot, None)
        found = {slot: size - before.get(slot, size) for slot, size in self._sizes.items()}
        return {slot: more for slot, more in found.items() if more}

    def _is_due(self, slot: str, logs: Logs) -> bool:
        size = self._sizes[slot]
        old = bool(size) and self._is_old(slot, logs)
        return size > logs.size or old or slot not in self._since

    def _rest(self, policies: Mapping[str, Logs]) -> None:
        """Look no more until something is written, or is old."""
        self._forget = self._watch(self._directory, self._stirred)
        if self._forget is None:
            self._again(SELDOM)
        elif self._measure(policies):  # between the look and the watch
            self._stirred()
        else:
            self._again(min([RARELY, *self._until_old(policies)]))

    def _stirred(self) -> None:
        self._wait_no_more()
        self._again(SELDOM)

    def _until_old(self, policies: Mapping[str, Logs]) -> Iterable[float]:
        for slot, logs in policies.items():
            if logs.age is not None and self._sizes[slot]:
                yield max(0.0, self._since[slot] + logs.age - self._wall())

    def _room(self, slot: str) -> int:
        """How much room a log takes, about what it contains or a little more: holes take none."""
        try:
            found = os.stat(self._path(slot))
        except FileNotFoundError:
            return 0
        return min(found.st_size, found.st_blocks * 512)

    def _is_old(self, slot: str, logs: Logs) -> bool:
        since = self._since.get(slot)
        return logs.age is not None and since is not None and self._wall() - since >= logs.age

    def _path(self, slot: str) -> Path:
        return self._directory / filename(slot, ".log")

    # In the other thread; while it works, nobody else touches what it uses.

    def _rotate_all(self, due: Mapping[str, Logs]) -> None:
        found = stock(self._directory)
        for slot, logs in due.items():
            if not self._running:
                return
            try:
                self._rotate(slot, logs, found.get(filename(slot, ".log"), []))
            except FileNotFoundError:
                continue
            except NoHoles as error:
                self._complain(slot, f"its file system cannot make holes ({error.strerror})")
            except OSError as error:
                self._complain(slot, error.strerror or str(error))
            else:
                self._complained.pop(slot, None)

    def _rotate(self, slot: str, logs: Logs, kept: list[Path]) -> None:
        path = self._path(slot)
        if not all(map(finished, kept)):
            recover(path)
        if len(kept) > logs.keep:
            prune(path, logs.keep)
        if slot not in self._since:
            self._since[slot] = self._last_rotation(kept)
        old = self._is_old(slot, logs)
        too_much = content(path) - logs.size * (logs.keep + 1)
        if too_much > 0:
            discard(path, too_much)
        for _ in range(logs.keep + 2):  # a quick writer must not keep us from the other logs
            if not (self._running and (old or content(path) > logs.size)):
                break
            if not rotate(path, self._wall(), logs.size):
                break
            self._since[slot] = self._wall()
            prune(path, logs.keep)

    def _last_rotation(self, kept: list[Path]) -> float:
        """When a log was rotated last; now, if never: then it is taken for new."""
        for path in reversed(kept):
            with contextlib.suppress(FileNotFoundError):
                return os.stat(path).st_mtime
        return self._wall()

    def _complain(self, slot: str, why: str) -> None:
        """Once, until it is well again."""
        if self._complained.get(slot) != why:
            self._complained[slot] = why
            self._log.error(
                "The log of {slot} cannot be rotated: {why}. It is whole, and grows on.",
                slot=slot,
                why=why,
            )

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("Looking after the logs failed", failure=failure)
