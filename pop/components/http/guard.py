"""Asks for a name and a password before anything is answered (RFC 7617)."""

from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import LoginFailed
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.components.http.inbound import Inbound
from pop.components.passwords import Said

log = Logger()
SHOWN = 64
"""Characters of a name that the log has."""


class Guard:
    """Lets those ask whose names and passwords a checker knows."""

    def __init__(self, checker: ICredentialsChecker) -> None:
        self._checker = checker

    def admit(self, inbound: Inbound) -> Deferred[bool]:
        """Whether whoever asks may; the request has their name from then on."""
        asked: Deferred[Any] = maybeDeferred(self._ask, inbound)
        return asked.addCallbacks(lambda _: True, self._refuse, errbackArgs=(inbound,))

    def _ask(self, inbound: Inbound) -> Any:
        if not (name := inbound.getUser()):
            raise LoginFailed
        inbound.asker = name.decode(errors="replace")
        return self._checker.requestAvatarId(Said(name, inbound.getPassword()))

    def _refuse(self, failure: Failure, inbound: Inbound) -> bool:
        if failure.check(LoginFailed, CancelledError) is None:
            log.failure("Nobody can be let in", failure)
        elif inbound.asker is not None and not inbound.gone:
            log.warn("{user!r} has not been let in to the web server", user=inbound.asker[:SHOWN])
        return False
