"""The end of a connection that calls."""

from collections.abc import Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.components.errors import BundleException
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.errors import (
    BadEndpoint,
    ConnectionBroke,
    NoAnswer,
    NotRead,
    TooBusy,
)
from pop.components.remote.messages import Nonsense
from pop.components.remote.remoteerror import remote_error
from pop.components.remote.wire import AT_ONCE, BEAT, PATIENCE, UNREAD, Wire, why

log = Logger()


class Told(Protocol):
    """Who is told what the other end says."""

    address: str

    def connected(self, wire: "Asking") -> None:
        """They have greeted each other."""

    def refused(self, why: str) -> None:
        """They will not."""

    def found(self, endpoint: Endpoint) -> None:
        """It can be called there, and is as this says."""

    def lost(self, uid: str) -> None:
        """It cannot be called there any more."""

    def disconnected(self, why: str) -> None:
        """The connection is over."""


class _Call:
    """One that has not been answered yet."""

    __slots__ = ("answer", "endpoint", "method", "timer")

    def __init__(self, endpoint: Endpoint, method: str, answer: Deferred[Any]) -> None:
        self.endpoint = endpoint
        self.method = method
        self.answer = answer
        self.timer: IDelayedCall | None = None


class Asking(Wire):
    """Calls what can be called there, as often as somebody likes at the same time.

    @param greeting: what it says first.
    @param most: calls that may wait for their answers.
    """

    def __init__(
        self, told: Told, clock: IReactorTime, greeting: Mapping[str, Any], most: int = AT_ONCE
    ) -> None:
        super().__init__(clock)
        self.most = most
        self._told = told
        self._clock = clock
        self._greeting = dict(greeting)
        self._calls: dict[int, _Call] = {}
        self._last = 0
        self._beat: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Begin."""
        super().connectionMade()
        self.say("a greeting", "hello", self._greeting)

    def on_hello(self, said: dict[str, Any]) -> None:
        """They have greeted each other."""
        if self._beat is not None:
            raise Nonsense("a second greeting")
        self.greeted()
        self._beat = self._clock.callLater(BEAT, self._ping)
        self._told.connected(self)

    def on_refused(self, why: str) -> None:
        """They will not."""
        self._told.refused(why)

    def _ping(self) -> None:
        self._beat = self._clock.callLater(BEAT, self._ping)
        self.say("a sign of life", "ping")

    def on_added(self, described: dict[str, Any]) -> None:
        """There is one more to be called; one that cannot be understood harms no other."""
        try:
            endpoint = Endpoint.from_json(described)
        except BadEndpoint as error:
            log.warn("{address}: {error}", address=self._told.address, error=error)
        else:
            self._told.found(endpoint)

    on_updated = on_added

    def on_removed(self, uid: str) -> None:
        """There is one less."""
        self._told.lost(uid)

    def on_result(self, number: int, value: Any) -> None:
        """A call is answered; perhaps nobody waits for it any more."""
        if (call := self._ended(number)) is not None:
            call.answer.callback(value)

    def on_error(self, number: int, kind: str, text: str) -> None:
        """A call has failed there."""
        error = remote_error(kind, text)
        if (call := self._ended(number)) is not None:
            call.answer.errback(error)

    def call(
        self,
        endpoint: Endpoint,
        method: str,
        arguments: tuple[Any, ...],
        named: Mapping[str, Any],
        seconds: float,
    ) -> Deferred[Any]:
        """Call a method; fires with what it gives there.

        Cancelled, it is cancelled there as well.

        @param seconds: how long to wait for the answer; 0 for ever.
        """
        self._last = number = self._last + 1
        try:
            self._check(endpoint, method)
            what = f"a call of {method} of {endpoint.name}"
            self.say(what, "call", number, endpoint.uid, method, arguments, named)
        except BundleException as error:
            return fail(error)
        answer: Deferred[Any] = Deferred(lambda _: self._cancel(number))
        call = self._calls[number] = _Call(endpoint, method, answer)
        if seconds > 0:
            call.timer = self._clock.callLater(seconds, self._late, number, seconds)
        return answer

    def _check(self, endpoint: Endpoint, method: str) -> None:
        if len(self._calls) >= self.most:
            raise TooBusy(most=self.most)
        if self.unread > UNREAD:
            raise NotRead(method=method, endpoint=endpoint.name, address=self._told.address)

    def _ended(self, number: int) -> _Call | None:
        call = self._calls.pop(number, None)
        if call is not None and call.timer is not None and call.timer.active():
            call.timer.cancel()
        return call

    def _cancel(self, number: int) -> None:
        self._ended(number)
        self.say("a change of mind", "cancel", number)

    def _late(self, number: int, seconds: float) -> None:
        if (call := self._ended(number)) is not None:
            self.say("a change of mind", "cancel", number)
            error = NoAnswer(endpoint=call.endpoint.name, method=call.method, seconds=seconds)
            call.answer.errback(error)

    def leave(self) -> None:
        """For whoever closes it now: what was said gets there, within L{PATIENCE}."""
        self.setTimeout(PATIENCE)
        self.transport.unregisterProducer()  # TLS would wait for it
        self._outbox.resume()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nothing will be answered any more."""
        super().connectionLost(reason)
        if self._beat is not None:
            self._beat.cancel()
        self._told.disconnected(why(reason))
        for number in list(self._calls):
            if (call := self._ended(number)) is not None:
                call.answer.errback(
                    ConnectionBroke(
                        address=self._told.address,
                        endpoint=call.endpoint.name,
                        method=call.method,
                    )
                )
