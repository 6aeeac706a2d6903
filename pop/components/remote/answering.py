"""The end of a connection that is called."""

from hmac import compare_digest
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure

from pop.components.code import reason_of
from pop.components.errors import BundleException
from pop.components.remote.errors import TooBusy
from pop.components.remote.messages import VERSION, Nonsense
from pop.components.remote.offers import Offers
from pop.components.remote.wire import AT_ONCE, NOT_READ, PATIENCE, UNREAD, Wire

log = Logger()
GUESTS: Final = 256
"""Connections at a time."""
WORDS: Final = 4096
"""Characters of an error that are told."""


class Answering(Wire):
    """Carries out what is called; whoever goes away wants no answer to anything any more."""

    def __init__(self, factory: "AnsweringFactory") -> None:
        super().__init__(factory.clock)
        self.factory = factory
        self._offers = factory.offers
        self._open: dict[int, Deferred[Any]] = {}

    def connectionMade(self) -> None:
        """Wait for the greeting."""
        super().connectionMade()
        self.factory.connections.add(self)
        if len(self.factory.connections) > self.factory.guests:
            self._refuse("too many are connected here already")

    def on_hello(self, said: dict[str, Any]) -> None:
        """Greet, and tell what can be called."""
        if (why := self._objection(said)) or self._greeted:
            self._refuse(why)
            return
        self.greeted()
        self.say("a greeting", "hello", {"pop": VERSION, "framework": self.factory.framework})
        for endpoint in self._offers.endpoints():
            self.tell("added", endpoint.to_json())
        self._offers.connected.add(self)

    def _refuse(self, why: str) -> None:
        self.say("a refusal", "refused", why)
        self._over = True
        self.transport.loseConnection()

    def _objection(self, said: dict[str, Any]) -> str:
        if said.get("pop") != VERSION:
            return f"this framework speaks version {VERSION}"
        secret = str(said.get("secret", ""))
        if not compare_digest(secret.encode(), self.factory.secret.encode()):
            return "that is not the secret (pop.remote.secret) here"
        return ""

    def tell(self, kind: str, member: Any) -> None:
        """Say that an endpoint was added, updated or removed."""
        try:
            self.say("an endpoint", kind, member)
        except BundleException as error:
            log.error("{error}", error=error)

    def on_ping(self) -> None:
        """Still there."""
        if not self._greeted:
            raise Nonsense("a sign of life without a greeting")
        self.say("a sign of life", "pong")

    def on_call(
        self, number: int, uid: str, method: str, arguments: list[Any], named: dict[str, Any]
    ) -> None:
        """Call a method; its answer may take its time, and others are called meanwhile."""
        if not self._greeted:
            raise Nonsense("a call without a greeting")
        if number in self._open:
            raise Nonsense("two calls of one number")
        try:
            if len(self._open) >= self.factory.most:
                raise TooBusy(most=self.factory.most)
            result = self._offers.call(uid, method, arguments, named)
        except Exception as error:
            self._fail(number, error)
            return
        if isinstance(result, Deferred):
            self._open[number] = result
            result.addCallback(self._succeeded, number).addErrback(self._failed, number)
        else:
            self._answer(number, result)

    def on_cancel(self, number: int) -> None:
        """Nobody waits for that any more."""
        if (waiting := self._open.pop(number, None)) is not None:
            _cancel(waiting)

    def _succeeded(self, result: Any, number: int) -> None:
        if self._open.pop(number, None) is not None:
            self._answer(number, result)

    def _failed(self, failure: Failure, number: int) -> None:
        if self._open.pop(number, None) is not None:
            assert failure.value is not None  # it is a failure
            self._fail(number, failure.value)

    def _answer(self, number: int, result: Any) -> None:
        try:
            self.say("the answer", "result", number, result)
        except Exception as error:  # also what it raises while it is looked at
            self._fail(number, error)

    def _fail(self, number: int, error: BaseException) -> None:
        """That is the caller's to see; who looks into it here finds where it was."""
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        try:
            text, reason = str(error)[:WORDS], reason_of(error)[:WORDS]
        except Exception:
            text, reason = "it cannot say why", kind
        if not isinstance(error, BundleException):
            log.info("A call from elsewhere failed: {reason}", reason=reason)
        self.say("an error", "error", number, kind, text)

    def say(self, what: str, kind: str, *members: Any) -> None:
        """Send a message, unless too many wait to be read already: then it is over."""
        super().say(what, kind, *members)
        if self.unread > self.factory.most_unread:
            self.end(NOT_READ)

    def pauseProducing(self) -> None:
        """Who does not read is not read from either."""
        super().pauseProducing()
        Int32StringReceiver.pauseProducing(self)

    def resumeProducing(self) -> None:
        """Nor any longer than that."""
        super().resumeProducing()
        if not self._outbox.crowded:
            Int32StringReceiver.resumeProducing(self)

    def connectionLost(self, reason: Any = None) -> None:
        """Whatever is being done, nobody waits for it."""
        super().connectionLost(reason)
        self.factory.gone(self)
        self._offers.connected.discard(self)
        waiting, self._open = self._open, {}
        for deferred in waiting.values():
            _cancel(deferred)

    def close(self) -> None:
        """End it in order: what was answered gets there."""
        if not self._over:
            self._over = True
            self.setTimeout(PATIENCE)
            if self._greeted:
                self.transport.unregisterProducer()  # TLS would wait for it
                self._outbox.resume()
            self.transport.loseConnection()


def _cancel(waiting: Deferred[Any]) -> None:
    """How one ends is no matter of the others'."""
    try:
        waiting.cancel()
    except Exception:
        log.failure("A call from elsewhere did not end well")


class AnsweringFactory(Factory):
    """All connections of others who call.

    @param framework: the unique identifier of this framework.
    @param secret: what they have to know.
    @param most: calls of one connection that may wait for their answers.
    @param guests: connections at a time.
    @param most_unread: bytes that may wait on one for its other end to read them.
    """

    noisy = False

    def __init__(
        self,
        offers: Offers,
        clock: IReactorTime,
        framework: str,
        secret: str,
        most: int = AT_ONCE,
        guests: int = GUESTS,
        most_unread: int = UNREAD,
    ) -> None:
        self.offers = offers
        self.clock = clock
        self.framework = framework
        self.secret = secret
        self.most = most
        self.guests = guests
        self.most_unread = most_unread
        self.connections: set[Answering] = set()
        self._closing: list[Deferred[None]] = []

    def buildProtocol(self, address: Any) -> Answering:
        """One more."""
        return Answering(self)

    def gone(self, connection: Answering) -> None:
        """One less."""
        self.connections.discard(connection)
        if not self.connections:
            waiting, self._closing = self._closing, []
            for deferred in waiting:
                deferred.callback(None)

    def close(self) -> Deferred[None]:
        """End them all; fires when they have ended."""
        closed: Deferred[None] = Deferred()
        if not self.connections:
            closed.callback(None)
            return closed
        self._closing.append(closed)
        for connection in list(self.connections):
            connection.close()
        return closed
