"""Who may come in, at a door where whoever comes is asked."""

from typing import Any, Final

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.components.passwords import Said
from pop.components.shell.conversation import PROMPT, Conversation, Reply

log = Logger()
WHO: Final = "User: "
PASSWORD: Final = "Password: "
MOST_FAILURES = 3


class Login:
    """A conversation that begins with a name and a password; three wrong ones end it.

    @ivar inside: whether the person has been let in.
    """

    def __init__(self, checker: ICredentialsChecker, conversation: Conversation) -> None:
        self.prompt = WHO
        self.inside = False
        self._checker = checker
        self._conversation = conversation
        self._name: str | None = None
        self._failures = 0

    def take(self, line: str) -> Deferred[Reply]:
        """A name, a password, or once they were right, whatever the shell takes."""
        if self.inside:
            return self._conversation.take(line)
        if self._name is None:
            self._name = line.strip()
            return succeed(Reply(PASSWORD, True))
        name, self._name = self._name, None
        credentials = Said(*(each.encode(errors="replace") for each in (name, line)))
        asked: Deferred[Any] = maybeDeferred(self._checker.requestAvatarId, credentials)
        return asked.addCallbacks(lambda _: self._enter(name), lambda f: self._refuse(name, f))

    def _enter(self, name: str) -> Reply:
        log.info("{user!r} has come to the shell", user=name)
        self.inside = True
        self._conversation.session.subject = name
        return Reply(PROMPT, True)

    def _refuse(self, name: str, failure: Failure) -> Reply:
        if failure.check(UnauthorizedLogin) is None:
            log.failure("Nobody can be let in", failure)
        log.warn("{user!r} has not been let in to the shell", user=name)
        self._failures += 1
        return Reply(WHO, False, self._failures >= MOST_FAILURES)

    def complete(self, text: str) -> list[str]:
        """What may stand in place of the last word; nothing before."""
        return self._conversation.complete(text) if self.inside else []

    def cancel(self) -> bool:
        """End the command that is being carried out; whether there was one."""
        return self._conversation.cancel()
