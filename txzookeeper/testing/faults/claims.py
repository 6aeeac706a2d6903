"""What must be so in the end, whatever happened in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from txzookeeper import constants as c
from txzookeeper.event import ClientEvent
from txzookeeper.records import Stat

Stats = dict[str, Stat | None]
"""What each path is in the end; None where there is no node."""


class Life:
    """A session as its client knows it: ``over`` once it has ended for whatever reason.

    ``robbed`` is one that was ended behind its client's back.
    """

    def __init__(self) -> None:
        self.over = False
        self.robbed = False


class Register:
    """Nodes to which one client writes the numbers 1, 2, 3 and so on, one after the other.

    Several nodes are written in one transaction.
    """

    def __init__(self, *paths: str) -> None:
        self.paths = paths
        self.attempted = 0
        self.acknowledged = 0
        self.busy = False

    def acknowledge(self, number: int) -> None:
        """Note that a number was written."""
        self.acknowledged = max(number, self.acknowledged)

    def verify(self, values: list[int]) -> Iterator[str]:
        """Complain unless the last number acknowledged is there, or one attempted after it."""
        if len(set(values)) != 1:
            yield f"{self.paths} were written together, and hold {values}."
        if not self.acknowledged <= min(values) <= max(values) <= self.attempted:
            yield (
                f"{self.paths} hold {values}; {self.acknowledged} was the last one acknowledged,"
                f" {self.attempted} the last one attempted."
            )


class Numbers:
    """What one client has seen in the registers, which never go back."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._seen: dict[str, int] = {}

    def saw(self, path: str, value: int) -> None:
        """Complain if it is older than what was seen before."""
        if value < self._seen.get(path, 0):
            self._complain(f"{path} was seen at {self._seen[path]}, and then at {value}.")
        self._seen[path] = value


class Made:
    """A node that a client made in the session ``born``.

    ``life`` is for how long it is sure to be there if it is ephemeral.
    """

    def __init__(self, path: str, born: Life, life: Life | None = None) -> None:
        self.path = path
        self.born = born
        self.life = life
        self.deleting = False

    def verify(self, stat: Stat | None) -> Iterator[str]:
        """Complain if it is gone though nobody deleted it."""
        if stat is None and not self.deleting and not (self.life and self.life.over):
            yield f"{self.path} was acknowledged, and is gone."


class OneShot:
    """A one-shot watch, and what its client knew of the node when it was armed.

    ``sign`` gives what the watch watches of a node, as a value that changes with it.
    """

    def __init__(self, path: str, sign: Callable[[Stat | None], Any]) -> None:
        self.path = path
        self.life = Life()
        self.sign = sign
        self.armed = False
        self.cancelled = False
        self.removable = False
        self.known: Any = ...
        self.events: list[ClientEvent] = []

    def fired(self, event: ClientEvent) -> None:
        """Note the event."""
        self.events.append(event)

    def verify(self, stat: Stat | None, exactly: bool) -> Iterator[str]:
        """Complain of a change that was not told, and if ``exactly``, of what was told wrongly."""
        if not self.armed or self.cancelled or self.life.over or self.known is ...:
            return
        changed = self.sign(stat) != self.known
        if changed and not self.events:
            yield f"A watch on {self.path} did not fire: {self.known} became {stat}."
        # What was made and deleted again looks as it did before.
        exactly = exactly and self.known is not None and not self.removable
        if self.events and not changed and exactly:
            yield f"A watch on {self.path} fired for nothing: {self.events}, {self.known}, {stat}."
        if any(event.type == c.SESSION_EVENT for event in self.events):
            yield f"A watch on {self.path} fired with {self.events} in its session's life."

    def verify_end(self) -> Iterator[str]:
        """Complain if it has not fired though its client is closed."""
        if self.armed and not self.cancelled and len(self.events) != 1:
            yield f"A watch on {self.path} fired {len(self.events)} times when all was over."


class View:
    """A standing watch, and what its client knows of the nodes by looking whenever it is told."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        self.armed = False
        self.removed = False
        self.seen: dict[str, Stat | None] = {}

    def remove(self) -> None:
        """Claim nothing any more."""
        self.armed, self.removed = False, True

    def verify(self, stats: Stats) -> Iterator[str]:
        """Complain if a node is not as the client sees it."""
        for path in self.paths if self.armed else ():
            known, now = (_sign(stat) for stat in (self.seen.get(path), stats[path]))
            if known != now:
                yield f"A standing watch leaves {path} at {known}, and it is at {now}."


def data_sign(stat: Stat | None) -> int | None:
    """What a watch on data, or on existence, watches."""
    return None if stat is None else stat.mzxid


def child_sign(stat: Stat | None) -> int | None:
    """What a watch on children watches."""
    return None if stat is None else stat.pzxid


_sign = data_sign
