"""The shell at an endpoint, for people and for programs.

A person sends lines, C{nc -U PATH} will do, and gets text. A program sends L{HELLO} first; from
then on, each line both ways is a JSON object:

  - C{{"line": TEXT}} is answered by any number of C{{"out": TEXT}} and then C{{"prompt": TEXT,
    "well": BOOLEAN, "end": BOOLEAN}}, a L{Reply};
  - C{{"complete": TEXT}} by C{{"choices": [TEXT, ...]}};
  - C{{"cancel": true}} ends the command that is being carried out, which then is answered.
"""

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from zope.interface import implementer

from pop.components.outbox import Outbox
from pop.components.shell.conversation import BANNER, Conversation, Reply
from pop.components.shell.core import Shell
from pop.components.shell.login import Login

log = Logger()
HELLO = b'{"pop": "shell"}'
GREETING = 0.2
"""Seconds that a program has to say hello; whoever has not by then is greeted as a person."""


@implementer(IHalfCloseableProtocol, IPushProducer)
class ShellProtocol(LineReceiver, TimeoutMixin):
    """One connection.

    To its transport it is a producer, to learn how much of what commands write is not read.
    """

    transport: Any
    delimiter = b"\n"
    MAX_LENGTH = 65536

    def __init__(self, factory: "ShellFactory") -> None:
        self.factory = factory
        vars(self)["callLater"] = factory.clock.callLater  # as TimeoutMixin wants it
        self.conversation = factory.conversation(self._write)
        self._waiting: deque[str] = deque()
        self._busy = False
        self._taking = False
        self._closing = False
        self._programs = False
        self._begun = False
        self._left = False
        self._outbox = Outbox(lambda data: self.transport.write(data))
        self._greeting: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Ask for the first line, unless there are too many connections already."""
        if len(self.factory.connections) >= self.factory.most:
            self.setTimeout(self.factory.login)
            self._left = True
            self.transport.write(b"There are too many at this shell already.\n")
            self.transport.loseConnection()
            return
        self.factory.connections.add(self)
        self.setTimeout(self.factory.idle if self.conversation.inside else self.factory.login)
        self.transport.registerProducer(self, True)
        self._greeting = self.factory.clock.callLater(GREETING, self._greet)

    def connectionLost(self, reason: Any = None) -> None:
        """Whatever is being carried out has nobody to write to any more."""
        self.factory.connections.discard(self)
        self.setTimeout(None)
        self._waiting.clear()
        if self._greeting is not None and self._greeting.active():
            self._greeting.cancel()
        self.conversation.cancel()

    def readConnectionLost(self) -> None:
        """Nothing more will come; what has come is carried out."""
        self._closing = True
        self._next()

    def writeConnectionLost(self) -> None:
        """Nobody reads any more."""
        self._leave()

    def timeoutConnection(self) -> None:
        """Nobody has said anything for long; a command that takes long is not that."""
        if self._busy and self.conversation.inside:
            self._wait()
        else:
            # Not politely: who does not read, or has never begun with TLS, takes no farewell.
            self.transport.abortConnection()

    def _wait(self) -> None:
        # Who has not been let in yet gets no more time, whatever they send.
        if self.conversation.inside and self in self.factory.connections:
            self.setTimeout(self.factory.idle)

    def lineLengthExceeded(self, line: bytes) -> None:
        """That is no command."""
        self._leave()

    def lineReceived(self, line: bytes) -> None:
        """A person's line, or a program's; not one that comes after the end."""
        if self._left:
            return
        self._wait()
        if not self._begun:
            if line.strip() == HELLO:
                self._begun = self._programs = True
                self._reply(Reply(self.conversation.prompt, True))
                return
            self._greet()
        if self._programs:
            self._message(line)
        else:
            self._queue(line.decode(errors="replace").rstrip("\r"))

    def _greet(self) -> None:
        if not self._begun:
            self._begun = True
            self._write(BANNER + self.conversation.prompt)

    def _message(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            [(kind, value)] = message.items()
        except (ValueError, AttributeError, RecursionError):
            self._leave()
            return
        if kind == "line":
            self._queue(str(value))
        elif kind == "complete":
            self._send({"choices": self.conversation.complete(str(value))})
        elif kind == "cancel":
            self.conversation.cancel()

    def _queue(self, line: str) -> None:
        self._waiting.append(line)
        if (
            len(self._waiting) > self.factory.most_lines
            or sum(map(len, self._waiting)) > self.factory.most_waiting
        ):
            self._leave()
        else:
            self._next()

    def _next(self) -> None:
        if self._taking:
            return  # the loop goes on: else each line would be carried out within the one before
        self._taking = True
        while self._waiting and not self._busy and not self._outbox.crowded:
            self._busy = True
            self.conversation.take(self._waiting.popleft()).addCallback(self._replied)
        self._taking = False
        if self._closing and not self._busy and not self._waiting:
            self._leave()

    def _replied(self, reply: Reply) -> None:
        self._busy = False
        self._wait()
        self._reply(reply)
        if reply.end:
            self._waiting.clear()
            self._leave()
        else:
            self._next()

    def _reply(self, reply: Reply) -> None:
        if self._programs:
            self._send(reply._asdict())
        elif not reply.end:
            self._write(reply.prompt)

    def _write(self, text: str) -> None:
        if self._programs:
            self._send({"out": text})
        else:
            self._put(text.encode(errors="replace"))

    def _send(self, message: dict[str, Any]) -> None:
        self._put(json.dumps(message).encode() + b"\n")

    def _put(self, data: bytes) -> None:
        self._outbox.put(data)
        if self._outbox.size > self.factory.most_unread:
            self._outbox.drop()
            self.transport.abortConnection()

    def _leave(self) -> None:
        if not self._left:
            self._left = True
            self.transport.unregisterProducer()
            self._outbox.resume()
            self.transport.loseConnection()

    def pauseProducing(self) -> None:
        """What is written from now on waits for the person to read."""
        self._outbox.pause()

    def resumeProducing(self) -> None:
        """All that the transport has had was read."""
        self._outbox.resume()
        self._next()

    def stopProducing(self) -> None:
        """Nobody reads any more, which L{connectionLost} is about."""


class ShellFactory(Factory):
    """All connections to a shell.

    @param clock: what measures how long a connection is idle.
    @param most: connections at a time.
    @param most_lines: lines that may wait on one of them.
    @param most_waiting: characters that these may have.
    @param most_unread: bytes that commands may have written on one that its person does not read.
    @param idle: seconds until one is closed that says nothing.
    @param login: seconds until one is closed that has not been let in.
    @param checker: knows the names and passwords of those who may come; without one, all may.
    """

    noisy = False

    def __init__(
        self,
        shell: Shell,
        clock: IReactorTime,
        most: int = 32,
        most_lines: int = 1000,
        most_waiting: int = 2**20,
        most_unread: int = 2**24,
        idle: float = 3600.0,
        login: float = 60.0,
        checker: ICredentialsChecker | None = None,
    ) -> None:
        self.shell = shell
        self.clock = clock
        self.most = most
        self.most_lines = most_lines
        self.most_waiting = most_waiting
        self.most_unread = most_unread
        self.idle = idle
        self.login = login
        self.checker = checker
        self.connections: set[ShellProtocol] = set()

    def conversation(self, write: Callable[[str], None]) -> Conversation | Login:
        """What takes the lines of one more."""
        conversation = Conversation(self.shell, write)
        return conversation if self.checker is None else Login(self.checker, conversation)

    def buildProtocol(self, address: Any) -> ShellProtocol:
        """One more."""
        return ShellProtocol(self)
