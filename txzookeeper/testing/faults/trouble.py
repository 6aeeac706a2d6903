"""What befalls the bytes between clients and servers, at random but the same for each seed.

Note [Repeating]: TCP never repeats bytes, so nothing is promised if it happens, but this. What
the server says twice ends the connection, as an answer that nobody waits for: it is never taken
for the answer to something else. Only an event said twice may fire a watch that was set in
between. What a client says twice is done twice, right after each other: so a value that was set
stays set, but a node may be made, deleted and made again, and a sequence has one node more.
Chunks are repeated whole, at once, and nobody sets a value that he is setting already: a copy of
half of his settings would undo the others.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Final

from txzookeeper.testing.flow import Flow
from txzookeeper.testing.line import Line

KINDS: Final = {
    "delay": 20,
    "stall": 3,
    "partition": 2,
    "cut": 5,
    "truncate": 5,
    "repeat": 4,
}
"""What can happen to a chunk, and how often each does of all that happens."""


class Trouble:
    """A `Meddler` who lets about ``rate`` of all chunks not pass as they should.

    ``calm`` ends all trouble; ``counts`` tells how often each kind befell each direction. Bytes
    are repeated in half of all runs, those that are ``repeating``.
    """

    def __init__(self, chance: Random, rate: float = 0.1) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.repeating = chance.random() < 0.5
        self._weights = {**KINDS, "repeat": KINDS["repeat"] * self.repeating}
        self._chance = chance
        self._rate = rate

    @property
    def repeated_down(self) -> bool:
        """Whether a server's bytes were repeated: see Note [Repeating]."""
        return bool(self.counts["repeat", "down"])

    def calm(self) -> None:
        """Let everything pass from now on."""
        self._rate = 0.0

    def passing(self, line: Line, flow: Flow, data: bytes) -> None:
        """Let the bytes pass, or do something to them or to the line."""
        if self._chance.random() >= self._rate:
            flow.put(data)
            return
        [kind] = self._chance.choices([*self._weights], [*self._weights.values()])
        self.counts[kind, "up" if flow is line.up else "down"] += 1
        befall(kind, line, flow, data, self._chance.random())


#: How many seconds a delay, a stall or a partition lasts at most.
_DELAY: Final = 0.5
_STALL: Final = 3.0


def befall(kind: str, line: Line, flow: Flow, data: bytes, much: float = 0.5) -> None:
    """Have this kind of trouble, or none, befall a chunk of data and its line.

    ``much``, between 0 and 1, says how long it lasts, or how much of the chunk is left.
    """
    match kind:
        case "delay":
            flow.put(data, much * _DELAY)
        case "stall":
            line.stall(much * _STALL)
            flow.put(data)
        case "partition":
            line.place.stall(much * _STALL)
            flow.put(data)
        case "cut":
            line.cut()
        case "truncate":
            flow.put(data[: int(much * len(data))])
            if flow is line.up:
                line.loseConnection()
            else:
                flow.then(line.cut)
        case "repeat":
            # See Note [Repeating].
            flow.put(data + data)
        case _:
            flow.put(data)
