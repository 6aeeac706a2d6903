"""What happens to a session is told: to the log, and to who follows it."""

from __future__ import annotations

from twisted.logger import Logger

from txzookeeper.constants import STATE_NAMES
from txzookeeper.listener import Listener
from txzookeeper.session import Session


class Herald:
    """Tells the log and the listener; what that one raises is logged, and harms nobody.

    ``telling`` says whether a failed connection is being told of at this moment.
    """

    __slots__ = ("_listener", "telling")

    log = Logger()

    def __init__(self, listener: Listener) -> None:
        self.telling = False
        self._listener = listener

    def tell(self, session: Session, reason: str) -> None:
        """Tell how a session stands now, and why."""
        self.log.info(
            "The session 0x{session:x} is {state}: {reason}",
            session=session.id & (2**64 - 1),
            state=STATE_NAMES[session.state],
            reason=reason,
        )
        with self.log.failuresHandled("While telling of the session's state"):
            self._listener.state_changed(session.state)

    def failed(self, error: Exception) -> None:
        """Tell that a connection broke, or could not be made."""
        self.telling = True
        with self.log.failuresHandled("While telling of a failed connection"):
            self._listener.connection_failed(error)
        self.telling = False
