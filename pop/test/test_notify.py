"""What a program says of itself."""

import os
import socket
import stat
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.protocols.notify import Notice, listen, parse, ready, send, status


class ParseTests(SynchronousTestCase):
    """Datagrams to notices."""

    def test_fields(self) -> None:
        """Each field that pop knows is read."""
        self.assertEqual(
            Notice(ready=True, stopping=True, status="nearly = done", state={"port": 80}),
            parse(b'READY=1\nSTOPPING=1\nSTATUS=nearly = done\nX_POP_STATE={"port": 80}\n'),
        )
        self.assertEqual(Notice(watchdog=True, status=""), parse(b"WATCHDOG=1\nSTATUS="))

    def test_others(self) -> None:
        """Other fields, and what is no field at all, are passed over."""
        lines = b"RELOADING=1\nMAINPID=7\nWATCHDOG=0\nREADY=0\nREADY\n\n=\n"
        self.assertEqual(Notice(), parse(lines))

    def test_status(self) -> None:
        """A status line is short, and does nothing to a terminal."""
        self.assertEqual("a [2J b", parse(b"STATUS= a\x1b[2J\tb\r").status)
        self.assertEqual("x" * 300, parse(b"STATUS=" + b"x" * 10_000).status)

    def test_own_status(self) -> None:
        """What our own services say of themselves is one line, and no field of another name."""
        for text in ("it is so", "it\nis so", "it is so\nREADY=1"):
            self.assertEqual(Notice(status=" ".join(text.split())), parse(status(text)))
        self.assertIsInstance(parse(status("\udc80")), Notice)

    def test_broken_state(self) -> None:
        """A state that is no JSON object is passed over, and the rest is heard."""
        for text in (b"", b"{", b"[1]", b"3", b"null", b"[" * 100_000, b"\xff"):
            self.assertEqual(Notice(ready=True), parse(b"READY=1\nX_POP_STATE=" + text))

    def test_no_number(self) -> None:
        """A state with NaN is passed over: the state node could not be read as JSON."""
        self.assertEqual(Notice(), parse(b'X_POP_STATE={"load": NaN}'))

    def test_empty_state(self) -> None:
        """An empty state is a state."""
        self.assertEqual(Notice(state={}), parse(b"X_POP_STATE={}"))

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=60))
    def test_anything(self, datagram: bytes) -> None:
        """Whatever a program sends is a notice."""
        self.assertIsInstance(parse(datagram), Notice)

    @settings(max_examples=100, deadline=None)
    @given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
    def test_round_trip(self, state: dict[str, object]) -> None:
        """What our own services say arrives as it was meant."""
        self.assertEqual(Notice(ready=True, state=state), parse(ready(state)))


class SocketTests(TestCase):
    """The socket on which notices are heard."""

    timeout = 10

    def listen(self, path: str) -> "Deferred[Notice]":
        """Listen; fires with what is heard first."""
        from twisted.internet import reactor

        heard: Deferred[Notice] = Deferred()
        self.addCleanup(listen(reactor, path, heard.callback, None))
        return heard

    async def test_sent(self) -> None:
        """What is sent to the path is heard, up to the size of a large state."""
        state = {"text": "x" * 50_000}
        path = self.mktemp()
        heard = self.listen(path)
        send(path, ready(state))
        self.assertEqual(Notice(ready=True, state=state), await heard)

    async def test_private(self) -> None:
        """Nobody else can write to it."""
        path = self.mktemp()
        self.listen(path)
        mode = os.stat(path).st_mode
        self.assertEqual((True, 0o600), (stat.S_ISSOCK(mode), stat.S_IMODE(mode)))

    async def test_owner(self) -> None:
        """The socket of an instance that runs as another user is that user's alone."""
        from twisted.internet import reactor

        path = self.mktemp()
        self.addCleanup(listen(reactor, path, lambda _: None, 65534))
        found = os.stat(path)
        self.assertEqual((65534, 0o600), (found.st_uid, stat.S_IMODE(found.st_mode)))

    if os.geteuid() != 0:
        test_owner.skip = "only root can give a file away"  # type: ignore[attr-defined]

    async def test_left_over(self) -> None:
        """A socket that an agent which was killed left behind is no hindrance."""
        path = self.mktemp()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
            left.bind(path)
        heard = self.listen(path)
        send(path, b"READY=1")
        self.assertEqual(Notice(ready=True), await heard)

    async def test_gone(self) -> None:
        """When nobody listens any more, the path is gone and whoever sends learns it."""
        from twisted.internet import reactor

        path = self.mktemp()
        await listen(reactor, path, lambda _: None, None)()
        self.assertFalse(os.path.exists(path))
        self.assertRaises(OSError, send, path, b"READY=1")

    async def test_abstract(self) -> None:
        """A leading @ is Linux's abstract name space, as sd_notify(3) says."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearer:
            hearer.bind(f"\0pop-test-{os.getpid()}")
            send(f"@pop-test-{os.getpid()}", b"READY=1")
            self.assertEqual(b"READY=1", hearer.recv(100))

    if not sys.platform.startswith("linux"):
        test_abstract.skip = "only Linux has an abstract name space"  # type: ignore[attr-defined]
