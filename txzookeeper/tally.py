"""What the four-letter words tell of a server and of each connection, in numbers.

Source: ``ServerStats.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Packets since the beginning or the last `reset`, and how long requests took, in ms.

    A request takes from the turn in which it is read to the moment when what it changed is safe
    and its reply leaves.
    """

    received: int = 0
    sent: int = 0
    answered: int = 0
    total: float = 0.0
    shortest: int = 0
    longest: int = 0

    @property
    def mean(self) -> float:
        """The mean of all latencies; 0 where there are none."""
        return self.total / self.answered if self.answered else 0.0

    def answer(self, requests: int, latency: float) -> None:
        """Count requests that took this long."""
        if requests:
            whole = int(latency)
            self.shortest = min(self.shortest, whole) if self.answered else whole
            self.longest = max(self.longest, whole)
            self.answered += requests
            self.total += requests * latency

    def reset(self) -> None:
        """Begin anew."""
        self.__init__()  # type: ignore[misc]
