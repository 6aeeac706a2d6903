"""What a connection may cost that nobody uses any more."""

import socket
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.trial.unittest import TestCase

from pop.protocols.amp import Answering
from pop.protocols.asking import Administrator, Asking
from pop.test.scripted import Scripted


class KeepAliveTests(TestCase):
    """Machines that are gone."""

    async def test_asked(self) -> None:
        """Between machines, the system asks at both ends whether the other one is still there."""
        from twisted.internet import reactor as real

        reactor: Any = real
        servers: list[Answering] = []

        class Door(Factory):
            noisy = False

            def buildProtocol(self, addr: Any) -> Answering:
                servers.append(Answering("m1", Scripted(), reactor))
                return servers[-1]

        listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Door())
        self.addCleanup(listening.stopListening)
        where = TCP4ClientEndpoint(reactor, "127.0.0.1", listening.getHost().port)
        connection = await connectProtocol(where, Asking(reactor))
        admin = Administrator(connection)
        await admin.greet()
        for end in (servers[0], connection):
            transport: Any = end.transport
            handle = transport.getHandle()
            self.assertEqual(1, handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
            if hasattr(socket, "TCP_KEEPIDLE"):
                idle = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
                self.assertEqual(30, idle)
        await admin.close()
