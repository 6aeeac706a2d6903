"""A keeper of a tree's changes that keeps them in memory."""

from __future__ import annotations

from txzookeeper.store import Batch, Image, blank
from txzookeeper.trouble import StoreFailed


class MemoryKeeper:
    """Keeps batches as long as it is not ``full``, of which ``said`` hears each time."""

    def __init__(self) -> None:
        self.image = blank(b"s")
        self.kept = 0
        self.full = False
        self.said: list[object] = []

    def keep(self, batch: Batch) -> None:
        """Keep all, or raise."""
        self.try_room()
        self.kept += 1
        self.said.append("kept")
        for path, node in batch.nodes.items():
            self.image.nodes.take(path, node)
        sessions = {**self.image.sessions, **batch.sessions}
        known = {session: timeout for session, timeout in sessions.items() if timeout is not None}
        self.image = Image(b"s", *batch[:2], self.image.nodes, known)

    def try_room(self) -> None:
        """Raise if it is full."""
        if self.full:
            raise StoreFailed(file="f", reason="it is full")
