"""One person's lines, and what is said to them, however they reach the shell."""

from collections.abc import Callable
from typing import NamedTuple

from twisted.internet.defer import Deferred

from pop.components.shell.core import Shell
from pop.components.shell.session import Session

PROMPT = "$ "
BANNER = "** Pop Shell prompt **\n"


class Reply(NamedTuple):
    """What comes of a line, after what its command has written.

    @ivar prompt: what the next line is asked for with.
    @ivar well: whether the command went well; also if it goes on, and asks for more.
    @ivar end: whether there will be no next line.
    """

    prompt: str
    well: bool
    end: bool = False


class Conversation:
    """Takes lines, one at a time: the next one when the last was replied to.

    @param write: takes what commands write.
    """

    prompt = PROMPT
    inside = True

    def __init__(self, shell: Shell, write: Callable[[str], None]) -> None:
        self.shell = shell
        self.session = Session(write, self._ask)
        self._work: Deferred[None] | None = None
        self._reply: Deferred[Reply] | None = None
        self._answer: Deferred[str] | None = None

    def take(self, line: str) -> Deferred[Reply]:
        """Carry out a line, or give it to the command that asked for it."""
        reply = self._reply = Deferred()
        if self._answer is not None:
            answer, self._answer = self._answer, None
            answer.callback(line)
        else:
            work = Deferred.fromCoroutine(self._execute(line))
            self._work = None if work.called else work
        return reply

    async def _execute(self, line: str) -> None:
        # An empty line does nothing, which cannot fail.
        empty = not line.strip() or line.lstrip().startswith("#")
        well = await self.shell.execute(line, self.session) or empty
        self._work = None
        self._say(Reply(PROMPT, well, self.session.leave))

    def _ask(self, question: str) -> Deferred[str]:
        self._answer = Deferred()
        answer = self._answer
        self._say(Reply(question, True))
        return answer

    def _say(self, reply: Reply) -> None:
        waiting, self._reply = self._reply, None
        if waiting is not None:
            waiting.callback(reply)

    def complete(self, text: str) -> list[str]:
        """What may stand in place of the last word."""
        return self.shell.complete(text, self.session)

    def cancel(self) -> bool:
        """End the command that is being carried out; whether there was one."""
        self._answer = None
        if self._work is None:
            return False
        work, self._work = self._work, None
        work.cancel()
        return True
