"""Who follows a session."""

from __future__ import annotations

from typing import Protocol

from txzookeeper.event import ClientEvent
from txzookeeper.records import WatcherEvent


class Listener(Protocol):
    """Who is told what happens to the session. A failing listener is logged, and harms nobody."""

    def state_changed(self, state: int) -> None:
        """The session stands differently now."""

    def connection_failed(self, error: Exception) -> None:
        """A connection broke, or could not be made."""

    def event_received(self, event: WatcherEvent) -> ClientEvent:
        """Give the event as the program sees it."""
