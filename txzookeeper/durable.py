"""A data tree that can be saved turn by turn, and taken back to where it was saved last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from txzookeeper.datanode import Node
from txzookeeper.store import Batch, Image
from txzookeeper.tree import Answer, Session, Tree


class DurableTree(Tree):
    """A tree that remembers what its nodes and sessions were when it was saved last.

    All sessions have their whole time-out before them (``now`` in ms, on the clock that they are
    measured by): as with any ZooKeeper, the time when no server ran does not count.
    """

    def __init__(self, image: Image, now: int) -> None:
        super().__init__(image.nodes, image.zxid)
        self.sessions = {
            session: Session(timeout, now + timeout) for session, timeout in image.sessions.items()
        }
        self._last_session = image.last_session
        self._saved_zxid = image.zxid
        self._nodes_before: dict[str, Node | None] = {}
        self._sessions_before: dict[int, Session | None] = {}

    @property
    def is_saved(self) -> bool:
        """Whether nothing has changed since it was saved."""
        return self.zxid == self._saved_zxid and not self._sessions_before

    def unsaved(self) -> Batch:
        """Give what has changed since it was saved."""
        nodes = {path: self.nodes.get(path) for path in self._nodes_before}
        timeouts: dict[int, int | None] = dict.fromkeys(self._sessions_before)
        timeouts |= {key: self.sessions[key].timeout for key in timeouts if key in self.sessions}
        return Batch(self.zxid, self._last_session, nodes, timeouts)

    def saved(self) -> None:
        """Note that it is saved as it is now."""
        self._saved_zxid = self.zxid
        self._nodes_before.clear()
        self._sessions_before.clear()

    def undo(self) -> None:
        """Become again what was saved last. What watches did is not undone."""
        for path, node in self._nodes_before.items():
            self.nodes.take(path, node)
        for session, known in self._sessions_before.items():
            if known is None:
                self.sessions.pop(session, None)
            else:
                self.sessions[session] = known
        self.zxid = self._saved_zxid
        self.saved()

    def open_session(self, timeout: int, now: int) -> tuple[int, Answer]:
        """Begin a session, and remember that there was none."""
        session, answer = super().open_session(timeout, now)
        self._sessions_before.setdefault(session, None)
        return session, answer

    def touch(self, session: int, now: int, timeout: int | None = None) -> None:
        """Note that a session was heard of; only its time-out is worth remembering."""
        if timeout not in (None, self.sessions[session].timeout):
            self._remember(session)
        super().touch(session, now, timeout)

    def close_session(self, session: int, now: int) -> Answer:
        """End a session, and remember it."""
        self._remember(session)
        return super().close_session(session, now)

    def _remember(self, session: int) -> None:
        self._sessions_before.setdefault(session, replace(self.sessions[session]))

    def _take(self, changed: Mapping[str, Node | None]) -> None:
        for path in changed:
            if path not in self._nodes_before:
                self._nodes_before[path] = self.nodes.get(path)
        super()._take(changed)
