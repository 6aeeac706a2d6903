"""A watch that stays: it calls back for every event until it is removed."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from txzookeeper.constants import PERSISTENT_RECURSIVE_WATCH, PERSISTENT_WATCH
from txzookeeper.event import ClientEvent

Callback = Callable[[ClientEvent], object]


class StandingWatch:
    """A watch on a node, or with ``recursive`` on it and all nodes below it.

    ``callback`` is told of each creation, change and deletion; of changes in the list of the
    node's children only if it is not recursive. A connection's loss loses events: then a
    ``SESSION_EVENT`` with ``CONNECTED_STATE`` says that the next connection is there, and that it
    is time to look again. A last one says that the session has ended. What the callback raises is
    logged, and harms nobody. ``path`` is the program's, ``full`` the server's.

    Source: ``addWatch`` and ``AddWatchMode`` of ZooKeeper 3.8.
    """

    log = Logger()

    __slots__ = ("_callback", "_remove", "full", "path", "recursive")

    def __init__(
        self,
        path: str,
        full: str,
        callback: Callback,
        recursive: bool,
        remove: Callable[[StandingWatch], Deferred[None]],
    ) -> None:
        self.path = path
        self.full = full
        self.recursive = recursive
        self._callback: Callback | None = callback
        self._remove = remove

    @property
    def mode(self) -> int:
        """One of the ``PERSISTENT_*WATCH`` constants."""
        return PERSISTENT_RECURSIVE_WATCH if self.recursive else PERSISTENT_WATCH

    def tell(self, event: ClientEvent) -> None:
        """Call back, unless it was removed."""
        if self._callback is not None:
            with self.log.failuresHandled("In a watch's callback"):
                self._callback(event)

    def silence(self) -> None:
        """Call back no more."""
        self._callback = None

    def remove(self) -> Deferred[None]:
        """End the watch: it calls back no more, from now on. Done twice, it is done once.

        Fires when the server has forgotten it too, or is gone.
        """
        return self._remove(self)
