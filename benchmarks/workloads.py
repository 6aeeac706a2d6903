"""What is measured: the name, the size and the steps of every row of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RATE: Final = "ops/s"
TIME: Final = "ms"
MEMORY: Final = "KiB each"

PAYLOAD: Final = b"x" * 100
"""The data of every node."""


@dataclass(frozen=True)
class Workload:
    """One row: ``timed`` names the deed of a party that is measured, the others go around it.

    ``count`` is how often for every 10,000 of ``--operations``; ``of_kazoo`` replaces it for kazoo,
    where the same number would be too many threads. ``alone`` asks for a new process each round.
    """

    name: str
    title: str
    timed: str
    count: int
    in_flight: int = 1
    before: str = ""
    after: str = ""
    unit: str = RATE
    alone: bool = False
    of_kazoo: int = 0
    no_floor: bool = False

    def size(self, party: str, operations: int) -> int:
        """Give how many operations this party is to do."""
        count = self.of_kazoo if party == "kazoo" and self.of_kazoo else self.count
        return max(count * operations // 10_000, min(count, 10))

    def label(self, operations: int) -> str:
        """Give the row's title, with the number that it is about."""
        return self.title.format(count=self.size("", operations))


def _calls(deed: str, before: str = "", after: str = "") -> list[Workload]:
    one, many = f"{deed}, one at a time", f"{deed}, 1,000 in flight"
    return [
        Workload(f"{deed}-1", one, deed, 2_500, before=before, after=after),
        Workload(f"{deed}-1000", many, deed, 10_000, 1000, before=before, after=after),
    ]


WORKLOADS: Final = (
    *_calls("get"),
    *_calls("create", after="delete"),
    *_calls("set"),
    *_calls("delete", before="create"),
    Workload("watch-1", "set + watch event, one at a time", "watch", 1_000),
    Workload("watch-1000", "set + watch event, 1,000 in flight", "watch", 5_000, 1000),
    Workload("multi-1", "transaction of 10, one at a time", "multi", 500),
    Workload("multi-100", "transaction of 10, 100 in flight", "multi", 2_000, 100),
    Workload(
        "arm",
        "{count:,} watches armed, 1,000 in flight",
        "arm",
        5_000,
        1000,
        after="fire",
        no_floor=True,
    ),
    Workload(
        "reconnect",
        "reconnect without watches",
        "reconnect",
        0,
        unit=TIME,
        alone=True,
        no_floor=True,
    ),
    Workload(
        "rearm",
        "reconnect with {count:,} watches, all armed",
        "reconnect",
        5_000,
        1000,
        before="keep",
        after="fire",
        unit=TIME,
        alone=True,
        no_floor=True,
    ),
    Workload(
        "memory-watches",
        "memory of each of {count:,} watches",
        "hold_watches",
        50_000,
        1000,
        unit=MEMORY,
        alone=True,
        no_floor=True,
    ),
    Workload(
        "memory-clients",
        "memory of each of {count:,} clients",
        "hold_clients",
        500,
        unit=MEMORY,
        alone=True,
        no_floor=True,
    ),
    Workload(
        "memory-sessions",
        "memory of each of {count:,} connected clients",
        "hold_sessions",
        500,
        unit=MEMORY,
        alone=True,
        of_kazoo=50,
        no_floor=True,
    ),
)

BY_NAME: Final = {each.name: each for each in WORKLOADS}
