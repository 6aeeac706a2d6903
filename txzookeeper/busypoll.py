"""Busy polling: to stay awake for an answer that comes sooner than a processor wakes up.

Where a machine has a processor to spare, a server nearby answers in less time than it takes to
wake the one that waits for it. So the reactor is kept from sleeping for a moment when a call is
made while no other is under way: it does everything else meanwhile, as its turns go on, only
without a rest between them. Where processors are scarce the same takes from the server the one
that it needs, and has had its own turn when the answer is there. Which of the two it is, is not
guessed but measured: every now and then some calls are awaited in the other way, for no longer
than by the one that was better so far, and the better one is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txzookeeper.call import Call

#: How long an answer is awaited so, in seconds: what takes longer is worth a sleep.
LONGEST: Final = 0.0005

#: And in turns of the reactor, of which fewer fit in: for a clock that is coarse or stands still.
TURNS: Final = 1000

#: Where it takes more than this on the average, nothing is tried: all difference would be chance.
_NEAR: Final = 2 * LONGEST

#: So many calls in succession are awaited in one way; how it does is known when it has settled.
RUN: Final = 64
_HALF: Final = RUN // 2

#: One run of so many tries the way that was slower so far, the second one first.
_PROBE: Final = 16

#: Staying awake takes more of a processor, so it must be quicker by this much.
_WORTH: Final = 0.9

#: A latency counts as so many seconds at most. Where processors are scarce, who stays awake has to
#: wait for his next turn, which must count; but disks, and collections of garbage, take longer.
_MOST: Final = 0.002


class BusyPoll:
    """Keeps a reactor awake for the answers to single calls, where that makes them quicker.

    ``now`` is the clock that the calls' ``sent_at`` is of.
    """

    __slots__ = (
        "_awake",
        "_call",
        "_calls",
        "_latencies",
        "_look",
        "_now",
        "_patience",
        "_reactor",
        "_runs",
        "_total",
        "_turns",
    )

    def __init__(self, reactor: IReactorTime, now: Callable[[], float]) -> None:
        self._reactor = reactor
        self._now = now
        self._call: Call[Any] | None = None
        self._look: IDelayedCall | None = None
        self._turns = 0
        self._awake = False
        # Asleep, and awake.
        self._latencies = [inf, inf]
        self._runs = 0
        self._patience = inf
        self._calls = 0
        self._total = 0.0

    def sent(self, call: Call[Any]) -> None:
        """Await the answer to this call, which no other is under way before."""
        self._call = call
        self._turns = 0
        if self._awake and self._look is None:
            self._look = self._reactor.callLater(0, self._looked)

    def answered(self, call: Call[Any], latency: float) -> None:
        """Note that no call is under way: this was the last, and took so many seconds."""
        if call is self._call:
            self._calls += 1
            self._total += min(latency, _MOST)
            if self._calls == RUN or self._total > self._patience:
                self._choose()
            elif self._calls == _HALF:
                self._total = 0.0
        self._call = None

    def close(self) -> None:
        """Let the reactor sleep."""
        self._call = None
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _choose(self) -> None:
        latencies = self._latencies
        latency, before = self._total / _HALF, latencies[self._awake]
        if before != inf:
            # Of a trial that ends early, it is only known that it takes at least so long; and since
            # stalls are rare, one run says little of them.
            ended_early = self._calls < RUN
            latency = max(before, latency) if ended_early else (before + latency) / 2
        latencies[self._awake] = latency
        is_near = latencies[False] < _NEAR
        self._runs += is_near
        is_quicker = is_near and latencies[True] < _WORTH * latencies[False]
        is_trial = is_near and self._runs % _PROBE == 1
        self._awake = is_quicker is not is_trial
        self._patience = _HALF * latencies[is_quicker] if is_trial else inf
        self._calls = 0
        self._total = 0.0

    def _looked(self) -> None:
        self._look = None
        call = self._call
        if call is None or not self._awake:
            return
        self._turns += 1
        if self._turns < TURNS and self._now() - call.sent_at < LONGEST:
            self._look = self._reactor.callLater(0, self._looked)
