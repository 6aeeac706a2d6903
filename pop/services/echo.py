"""Servers that say what they hear: the smallest services that are Python."""

import socketserver
import threading
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import succeed
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory
from twisted.protocols.wire import Echo
from zope.schema import Int, TextLine

from pop.interfaces import ISettings
from pop.program import PythonType


class IEchoSettings(ISettings):
    """Where to listen."""

    host = TextLine(title="Address to listen on", default="127.0.0.1")
    port = Int(title="Port to listen on; 0 for any free one", min=0, max=65535, default=0)


class TwistedEcho(PythonType):
    """An echo server on the child's reactor."""

    name = "twisted-echo"
    summary = "A TCP echo server on Twisted."
    settings = IEchoSettings

    async def start(self, reactor: Any, settings: Any) -> Mapping[str, Any]:
        """Listen, and say where."""
        endpoint = TCP4ServerEndpoint(reactor, settings.port, interface=settings.host)
        port = await endpoint.listen(Factory.forProtocol(Echo))
        address = port.getHost()
        return {"host": address.host, "port": address.port}


class _Repeat(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


class _ThreadedServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class ThreadedEcho(PythonType):
    """An echo server with a thread for each connection, as a program that knows no reactor has."""

    name = "threaded-echo"
    summary = "A TCP echo server with a thread for each connection."
    settings = IEchoSettings

    def start(self, reactor: Any, settings: Any) -> Any:
        """Listen in a thread, and say where."""
        server = _ThreadedServer((settings.host, settings.port), _Repeat)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reactor.addSystemEventTrigger("before", "shutdown", server.server_close)
        host, port = server.server_address[:2]
        return succeed({"host": host, "port": port})


twisted_echo = TwistedEcho()
threaded_echo = ThreadedEcho()
