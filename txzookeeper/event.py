"""What a watch or the session callback is told."""

from __future__ import annotations

from typing import NamedTuple

from txzookeeper.constants import EVENT_NAMES, SESSION_EVENT, STATE_NAMES


class ClientEvent(NamedTuple):
    """Something happened to a node, or (type ``SESSION_EVENT``, no path) to the session.

    ``connection_state`` is one of the ``*_STATE`` constants.
    """

    type: int
    connection_state: int
    path: str

    @property
    def type_name(self) -> str:
        """The event's type as a word."""
        return EVENT_NAMES.get(self.type, f"event {self.type}")

    @property
    def state_name(self) -> str:
        """The session's state as a word."""
        return STATE_NAMES.get(self.connection_state, f"state {self.connection_state}")

    def __repr__(self) -> str:
        """Say it in words, for logs."""
        place = f" at {self.path}" if self.path else ""
        return f"<ClientEvent {self.type_name}{place}, {self.state_name}>"


def session_event(state: int) -> ClientEvent:
    """Make the event that says how the session stands now."""
    return ClientEvent(SESSION_EVENT, state, "")
