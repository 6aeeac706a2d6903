"""A connection to a web server: twisted.web's, with bounds on how large and how slow a request is.

Note [Refusing early]
=====================
A request that is too large is answered before all of it is there. Were the connection closed right
then, the system would tell the far side so before it has read the answer. So what still comes is
thrown away for a while, until the far side closes the connection, or L{LINGER} seconds are over.
"""

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from pop.components.http.inbound import Inbound

if TYPE_CHECKING:
    from pop.components.http.site import Site

LINGER = 5.0
RATE = 500
"""Bytes a second: a request that comes slower does not come at all."""


class Channel(HTTPChannel):
    """A connection, on which one request comes after the other.

    @ivar handling: whether one is being answered.
    @ivar crowded: whether the client has yet to read what it was sent.
    @ivar since: when its last answer was done.
    """

    factory: "Site"
    requestFactory = Inbound

    def __init__(self) -> None:
        super().__init__()
        self.handling = False
        self.crowded = False
        self.since = 0.0
        self._answered = False
        self._refused = False
        self._unwelcome = False
        self._arrived = 0
        self._seen = 0
        self._watch: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """One more."""
        super().connectionMade()
        self.factory.welcome(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """One less."""
        self._stop_watch()
        super().connectionLost(reason)
        self.factory.forget(self)

    # What arrives

    def dataReceived(self, data: bytes) -> None:
        """Some of it; what is not whole yet is watched from now on."""
        self._arrived += len(data)
        if self._unwelcome:
            self.refuse(503)
        super().dataReceived(data)
        if self._arrived and self._watch is None and not self.handling and self.factory.timeOut:
            self._seen = self._arrived
            self._watch = self.callLater(self.factory.timeOut, self._look)

    def allHeadersReceived(self) -> None:
        """Whether the body may come: not from those who may not ask, however little it is."""
        request = self.requests[-1]
        admitted = None if self.length == 0 else self.factory.admit(request)
        if admitted is None:
            self._let_come(request)
            return
        admitted.addCallback(self._let_in, request)
        if not admitted.called:  # what has come of it stays where it is
            self.paused = True
            self._networkProducer.pauseProducing()

    def _let_in(self, admitted: bool, request: Inbound) -> None:
        if self._refused or request.gone:
            return
        request.admitted = admitted
        if admitted:
            self._let_come(request)
        else:
            self.refuse(401)
        if self.paused:
            self.paused = False
            self._networkProducer.resumeProducing()
            self.dataReceived(b"")

    def _let_come(self, request: Inbound) -> None:
        if self.length != 0:
            request.limit = limit = self.factory.limit_of(self._path)
            if limit is not None and (self.length or 0) > limit:
                self.refuse(413)
                return
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        """A piece of the body, or what comes in vain. See Note [Refusing early]."""
        if not self._refused:
            super().rawDataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """A piece of the head, or what comes in vain."""
        if not self._refused:
            super().lineReceived(line)

    def _respondToBadRequestAndDisconnect(self) -> None:
        """For twisted.web: what came is not HTTP. It would go on reading until the transport says
        that it is being closed."""
        self.refuse(400)

    def lineLengthExceeded(self, line: bytes) -> None:
        """A piece of the head is too long."""
        self.refuse(431 if self.requests else 414)

    def allContentReceived(self) -> None:
        """A request is whole."""
        if not self._refused:
            self._stop_watch()
            self._arrived = 0
            self.handling = True
            super().allContentReceived()

    def requestDone(self, request: Inbound) -> None:
        """It has its answer."""
        self.handling = False
        self._answered = True
        self.since = self.factory.reactor.seconds()
        super().requestDone(request)

    @property
    def kept(self) -> bool:
        """Whether it is only kept for requests to come, which its client cannot rely on."""
        busy = self.handling or self.crowded or self._arrived or self._watch
        return self._answered and not busy

    def pauseProducing(self) -> None:
        """For the transport: there is no more room."""
        self.crowded = True
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """For the transport: there is room again."""
        self.crowded = False
        super().resumeProducing()

    # What takes too long

    def _look(self) -> None:
        self._watch = None
        if self._arrived - self._seen < RATE * (self.factory.timeOut or 0):
            self.refuse(408)
        else:
            self._seen = self._arrived
            self._watch = self.callLater(self.factory.timeOut, self._look)

    def _stop_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None and watch.active():
            watch.cancel()

    def timeoutConnection(self) -> None:
        """Nothing has come for long."""
        if self._arrived:
            self.refuse(408)
        else:
            self.close()

    # The end

    def refuse(self, code: int) -> None:
        """Answer a request of which not all is there, and no other."""
        if self._refused:
            return
        self._refused, self.persistent, self.paused = True, False, False
        if not self.requests:
            self.requests.append(self.requestFactory(self))
        self.requests[-1].refuse(code)

    def turn_away(self) -> None:
        """It is one too many: say so when it asks. Before, it would keep TLS from beginning."""
        self._unwelcome = True
        self._watch = self.callLater(LINGER, self.abort)

    def loseConnection(self) -> None:
        """Close it; not before the far side could read why. See Note [Refusing early]."""
        if self._refused:
            self.setTimeout(None)
            self._stop_watch()
            self._watch = self.callLater(LINGER, self.abort)
        else:
            super().loseConnection()

    def close(self) -> None:
        """Close it soon, whether the far side reads what it was sent or not."""
        self._stop_watch()
        self._watch = self.callLater(LINGER, self.abort)
        super().loseConnection()

    def finish(self) -> None:
        """Close it as soon as what is being answered has its answer."""
        if self.handling:
            self.persistent = False
            self.requests[0].setHeader("Connection", "close")
        else:
            self.close()

    def abort(self) -> None:
        """Close it at once, whatever is on its way."""
        self._stop_watch()
        transport: Any = self.transport
        transport.abortConnection()
