"""The agent's ZooKeeper session, noted so that its successor can go on with it.

Ephemeral nodes live as long as their session, and the session for its time-out beyond the agent
that held it. The next agent resumes it, so that nobody sees the nodes vanish meanwhile.
"""

from collections.abc import Callable
from typing import Any

from pop.files import Record
from txzookeeper import CONNECTED_STATE, ClientEvent, ManagedClient
from txzookeeper.lifetime import ClientId


class SessionNote:
    """Notes which session a client has, whenever that is another one than before.

    @param record: belongs to one boot of one machine, lest a copy of it take the session over.
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    def read(self) -> ClientId | None:
        """What a client can resume the last agent's session with, if it is noted."""
        found: Any = self._record.read()
        try:
            return int(found["id"]), bytes.fromhex(found["password"])
        except (TypeError, KeyError, ValueError):
            return None

    def follow(self, client: ManagedClient) -> Callable[[], None]:
        """Note each session that a client opens; the function that is given ends it."""

        def changed(event: ClientEvent) -> None:
            if event.connection_state == CONNECTED_STATE:
                session, password = client.client_id
                self._record.write({"id": session, "password": password.hex()})

        return client.subscribe_session(changed)

    def forget(self) -> None:
        """The session was ended, so nobody can resume it."""
        self._record.remove()
