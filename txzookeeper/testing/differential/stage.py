"""One server with the clients that speak to it, and what all of them see at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from txzookeeper import constants as c
from txzookeeper.errors import AuthFailedException, UnimplementedException
from txzookeeper.jute import encode
from txzookeeper.records import ConnectRequest, RequestHeader
from txzookeeper.testing.differential.steps import Ask, Burst, Connect, HangUp, Noise, Restart, Step
from txzookeeper.testing.differential.views import Event, View, Views, is_event
from txzookeeper.testing.differential.wires import Stuck, Wire, framed

CLOSED: Final = "closed"
"""What is seen of a connection that the server has closed."""

MOMENT: Final = 0.5
"""After how many seconds without an answer to find out whether there will be any."""

_DISMISSALS: Final = [
    (error.code or 0).to_bytes(4, "big", signed=True)
    for error in (UnimplementedException, AuthFailedException)
]

Seen = dict[str, list[View | str]]
"""What came on each connection, by its name."""

_PING: Final = framed(encode(RequestHeader(c.PING_XID, c.PING_OP)))


class Stage:
    """A server, clients that connect to it by ``dial``, and views from the transaction ``base``.

    ``restart`` returns when the server is back.
    """

    def __init__(
        self, dial: Callable[[], Wire], base: int, restart: Callable[[], object] | None = None
    ) -> None:
        self._dial = dial
        self._restart = restart
        self._views = Views(base)
        self._lines: list[_Line] = []
        self._clients: dict[int, _Line] = {}
        self._over: set[int] = set()

    def perform(self, step: Step) -> Seen:
        """Do it, and give what is seen when everything has arrived."""
        match step:
            case Connect():
                self._connect(step)
            case Noise():
                line = self._fresh(step.client) if step.fresh else self._line(step.client)
                line.wire.send(step.data)
                line.wire.wait(patience=MOMENT)
            case Restart():
                self._come_back()
            case HangUp():
                self._hang_up(step.client)
            case Ask():
                self._ask((step,))
            case Burst():
                self._ask(step.asks)
        return self._settled(_ends(step))

    def close(self) -> None:
        """End all sessions that are still open, so that nothing is left to happen by itself."""
        for line in self._open():
            _end(line.wire)
        for number, session in enumerate(self._views.sessions):
            if number not in self._over:
                wire = self._dial()
                request = ConnectRequest(0, 0, 30_000, session.session_id, session.password)
                wire.send(framed(encode(request)))
                wire.wait(bool)
                _end(wire)

    def _open(self) -> list[_Line]:
        return [line for line in self._lines if not line.wire.closed]

    def _line(self, client: int) -> _Line:
        """Give a client's connection; one that has none connects first."""
        if client not in self._clients or self._clients[client].wire.closed:
            self._connect(Connect(client))
        return self._clients[client]

    def _fresh(self, client: int) -> _Line:
        count = sum(line.client == client for line in self._lines)
        line = _Line(client, f"client {client}, connection {count + 1}", self._dial(), self._views)
        self._lines.append(line)
        return line

    def _connect(self, step: Connect) -> None:
        if step.wrong is not None and step.resume is not None and self._views.sessions:
            # A real server closes a session's connection even for those who do not know the
            # password; ours does not, so that there may be none.
            self._part(step.resume % len(self._views.sessions))
        line = self._clients[step.client] = self._fresh(step.client)
        line.wire.send(framed(self._hello(step)))
        line.wire.wait(bool)
        line.greeted()
        if line.session is None:
            line.wire.wait(patience=MOMENT)

    def _part(self, session: int) -> None:
        for line in self._open():
            if line.session == session:
                line.wire.hang_up()

    def _hello(self, step: Connect) -> bytes:
        session, password = 0, bytes(16)
        known = self._views.sessions
        if step.resume is not None and known:
            response = known[step.resume % len(known)]
            session, password = response.session_id, response.password
        elif step.resume is not None:
            session = 77
        seen = self._views.zxid + step.ahead if step.ahead else 0
        request = ConnectRequest(
            step.version,
            seen,
            step.timeout,
            session,
            password if step.wrong is None else step.wrong,
            bool(step.read_only),
        )
        packet = encode(request)
        packet = packet[:-1] if step.read_only is None else packet
        return step.mangled(request, packet) if step.mangled else packet

    def _come_back(self) -> None:
        if self._restart is None:
            raise Stuck("this server cannot restart")
        lines = self._open()
        self._restart()
        for line in lines:
            line.wire.wait()
            if line.session is not None and self._clients.get(line.client) is line:
                self._connect(Connect(line.client, resume=line.session))

    def _hang_up(self, client: int) -> None:
        line = self._clients.pop(client, None)
        if line is not None and not line.wire.closed:
            line.wire.hang_up()

    def _ask(self, asks: tuple[Ask, ...]) -> None:
        line = self._line(asks[0].client)
        if line.wire.closed:
            return
        now = self._views.zxid, self._views.made
        line.wire.send(b"".join(framed(ask.packet(line.number(ask), *now)) for ask in asks))
        line.wire.wait(line.answered, MOMENT)
        if line.is_dismissed():
            # A real server says so first, and what it hears before it closes may get an answer.
            line.wire.wait(patience=MOMENT)
        if any(ask.operation == c.CLOSE_OP for ask in asks) and line.session is not None:
            self._over.add(line.session)

    def _settled(self, ends: bool) -> Seen:
        """See everything that is under way arrive: a ping overtakes nothing."""
        for line in self._open():
            line.ping()
        for line in self._open():
            line.settle()
        seen = {line.name: list(line.views()) for line in self._lines}
        if ends:
            seen = {name: _arranged(views) for name, views in seen.items()}
        return {name: views for name, views in seen.items() if views}


class _Line:
    """One connection of a client, and the operations that it waits for."""

    def __init__(self, client: int, name: str, wire: Wire, views: Views) -> None:
        self.client = client
        self.name = name
        self.wire = wire
        self.session: int | None = None
        self._views = views
        self._greeting: list[View] = []
        self._pending: list[int] = []
        self._xid = 0
        self._pings = 0
        self._told = False

    def greeted(self) -> None:
        """Read the answer to the first packet, if it came."""
        for packet in self.wire.take():
            view = self._views.greeting(packet)
            self._greeting.append(view)
            self.session = getattr(view, "session", None)

    def number(self, ask: Ask) -> int:
        """Expect an answer to a request, and give it a number."""
        self._pending.append(ask.operation)
        self._pings += ask.operation == c.PING_OP
        self._xid += 1
        return self._xid

    def answered(self, packets: list[bytes]) -> bool:
        """Say whether all that was asked is answered."""
        return sum(not is_event(packet) for packet in packets) >= max(len(self._pending), 1)

    def is_dismissed(self) -> bool:
        """Say whether the server answered something after which it will close."""
        replies = [packet for packet in self.wire.packets if not is_event(packet)]
        return any(packet[12:16] in _DISMISSALS for packet in replies)

    def ping(self) -> None:
        """Ask for a sign of life, on a connection that has a session."""
        if self.session is not None:
            self._pings += 1
            self.wire.send(_PING)

    def settle(self) -> None:
        """Wait for that sign; raises `Stuck` if it does not come."""
        if self.session is not None and not self.wire.wait(self._ponged):
            raise Stuck(self.name)

    def views(self) -> Iterator[View | str]:
        """Give what came since the last time."""
        yield from self._greeting
        self._greeting.clear()
        for packet in self.wire.take():
            yield self._views.of(packet, self._operation(packet))
        self._pending.clear()
        self._pings = 0
        if self.wire.closed and not self._told:
            self._told = True
            yield CLOSED

    def _ponged(self, packets: list[bytes]) -> bool:
        return sum(map(_is_pong, packets)) >= self._pings

    def _operation(self, packet: bytes) -> int:
        if is_event(packet) or not self._pending:
            return c.PING_OP
        if _is_pong(packet) and self._pending[0] != c.PING_OP:
            return c.PING_OP
        return self._pending.pop(0)


def _ends(step: Step) -> bool:
    """Whether the step may end a session, whose nodes go in no order."""
    asks = step.asks if isinstance(step, Burst) else (step,)
    return any(isinstance(ask, Ask) and ask.operation == c.CLOSE_OP for ask in asks)


def _arranged(views: list[View | str]) -> list[View | str]:
    events = [view for view in views if isinstance(view, Event)]
    return sorted(events, key=str) + [view for view in views if not isinstance(view, Event)]


def _is_pong(packet: bytes) -> bool:
    return packet[:4] == b"\xff\xff\xff\xfe"


def _end(wire: Wire) -> None:
    if not wire.closed:
        wire.send(framed(encode(RequestHeader(0, c.CLOSE_OP))))
        wire.wait()
