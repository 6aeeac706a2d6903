"""Pipes to real descriptors, read no faster than somebody wants it."""

import os
import socket

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from pop.pipe import CHUNK, Pipe
from pop.test.processes import turn


class PipeTests(TestCase):
    """One end of a pair of sockets is a pipe's, the other a process's, which the test plays."""

    timeout = 10

    def setUp(self) -> None:
        from twisted.internet import reactor

        ours, self.theirs = socket.socketpair()
        self.addCleanup(self.theirs.close)
        self.taken: list[bytes] = []
        self.room: Deferred[None] | None = None
        self.pipe = Pipe(reactor, ours.detach(), self.take)
        self.addCleanup(self.pipe.close)

    async def take(self, data: bytes) -> None:
        """Take a piece, as soon as there is room for it."""
        self.taken.append(data)
        if self.room is not None:
            await self.room

    def flow(self) -> Deferred[None]:
        """Hand on what comes."""
        return Deferred.fromCoroutine(self.pipe.flow())

    async def something(self) -> None:
        """Wait until a piece was taken."""
        while not self.taken:
            await turn()

    async def test_flow(self) -> None:
        """All that is written is handed on, in order, until the other end is closed."""
        flowing = self.flow()
        for word in (b"one", b"two"):
            self.theirs.sendall(word)
            await turn()
        self.theirs.close()
        await flowing
        self.assertEqual(b"onetwo", b"".join(self.taken))

    async def test_slow_taker(self) -> None:
        """Nothing more is read before a piece was taken, and no piece is large: whoever writes
        waits."""
        self.room = Deferred()
        self.theirs.setblocking(False)
        flowing = self.flow()
        sent = self.theirs.send(b"x" * (1 << 20))
        await self.something()
        for _ in range(5):
            await turn()
        self.assertEqual([min(sent, CHUNK)], list(map(len, self.taken)))
        self.assertLess(sent, 1 << 20)
        room, self.room = self.room, None
        room.callback(None)
        self.theirs.close()
        await flowing
        self.assertEqual(sent, sum(map(len, self.taken)))
        self.assertLessEqual(max(map(len, self.taken)), CHUNK)

    async def test_broken_taker(self) -> None:
        """If it cannot be taken, the flow ends with that."""
        flowing = self.flow()
        self.room = Deferred()
        self.theirs.sendall(b"x")
        await self.something()
        self.room.errback(ValueError("no room"))
        await self.assertFailure(flowing, ValueError)

    async def test_end(self) -> None:
        """Once no more is expected, what has been written by then is handed on, and the flow ends
        although somebody still holds the other end."""
        self.room = Deferred()
        flowing = self.flow()
        self.theirs.sendall(b"one")
        await self.something()
        self.theirs.sendall(b"two")
        self.pipe.end()
        room, self.room = self.room, None
        room.callback(None)
        await flowing
        self.assertEqual(b"onetwo", b"".join(self.taken))

    async def test_end_while_idle(self) -> None:
        """Nor is anything waited for that nobody writes."""
        flowing = self.flow()
        await turn()
        self.pipe.end()
        await flowing
        self.assertEqual([], self.taken)

    async def test_broken_off(self) -> None:
        """That a process ends without having read what it was sent is the end of what it writes,
        too, and no error."""
        self.pipe.send(b"x")
        await turn()
        await turn()
        flowing = self.flow()
        self.theirs.close()
        await flowing
        self.assertEqual([], self.taken)

    async def test_close(self) -> None:
        """Closed, it ends the flow at once, and the descriptor; be it closed twice."""
        flowing = self.flow()
        await turn()
        self.pipe.close()
        await flowing
        self.pipe.close()
        self.assertRaises(OSError, self.theirs.send, b"x")

    async def test_send(self) -> None:
        """What is sent arrives whole and in order, as fast as it is read at the other end; then the
        reactor is asked for nothing more."""
        from twisted.internet import reactor

        self.theirs.setblocking(False)
        sent = os.urandom(1 << 20)
        self.pipe.send(sent[:-3])
        self.pipe.send(sent[-3:])
        found = b""
        while len(found) < len(sent):
            await turn()
            try:
                found += self.theirs.recv(1 << 16)
            except BlockingIOError:
                continue
        self.assertEqual(sent, found)
        await turn()
        self.assertNotIn(self.pipe, reactor.getWriters())

    async def test_nobody_reads(self) -> None:
        """What is sent to nobody is forgotten, and the reactor is not kept busy with it."""
        from twisted.internet import reactor

        self.theirs.shutdown(socket.SHUT_RD)
        self.pipe.send(b"x")
        for _ in range(3):
            await turn()
        self.assertNotIn(self.pipe, reactor.getWriters())
