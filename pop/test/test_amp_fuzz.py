"""The agent's end of the admin protocol, with whatever may come."""

from struct import pack

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from pop.protocols.amp import AT_ONCE, Answering
from pop.protocols.bounds import LARGEST, PATIENCE
from pop.test.scripted import Scripted

COMMANDS = ("Hello", "Info", "Instances", "Signal", "Restart", "Why", "Logs", "Run", "Cancel")
SPECIAL = ("_ask", "_answer", "_error", "_error_code", "_error_description", "_command")
NAMES = ("stream", "service", "name", "slot", "lines", "follow", "task", "arguments", "version")
keys = st.sampled_from((*SPECIAL, *NAMES)).map(str.encode)
values = st.one_of(
    st.sampled_from(COMMANDS).map(str.encode),
    st.sampled_from((b"1", b"-1", b"True", b"[]", b"web", b"\xff", b"")),
    st.binary(max_size=30),
)
boxes = st.dictionaries(keys, values, min_size=1, max_size=9)


def encoded(box: dict[bytes, bytes]) -> bytes:
    """A box as it travels."""
    parts = [part for pair in box.items() for part in pair]
    return b"".join(pack("!H", len(part)) + part for part in parts) + b"\0\0"


streams = st.lists(st.one_of(boxes.map(encoded), st.binary(max_size=40)), max_size=12).map(b"".join)


class FuzzTests(SynchronousTestCase):
    """Nothing that comes does an agent any harm."""

    @settings(max_examples=400, deadline=None)
    @given(streams, st.integers(1, 50))
    def test_anything(self, stream: bytes, size: int) -> None:
        """Whatever comes, in whatever pieces: it is answered, waited for, or the end; no traceback
        is logged, no more is kept than is allowed, and in the end nothing is left to be done."""
        clock, agent, refused, left = Clock(), Scripted(), list[str](), list[bool]()
        agent.answer = []
        server = Answering("m1", agent, clock, refused.append, lambda: left.append(True))
        transport = StringTransport()
        with capturedLogs() as logs:
            server.makeConnection(transport)
            for start in range(0, len(stream), size):
                server.dataReceived(stream[start : start + size])
            self.assertLessEqual(len(server._unprocessed), LARGEST)
            self.assertLessEqual(len(server._open), AT_ONCE)
            self.assertEqual(bool(refused), transport.disconnecting or transport.disconnected)
            clock.advance(PATIENCE)
            if not refused:
                self.assertEqual("init", server.state)
            server.connectionLost()
        self.assertEqual([True], left)
        self.assertLessEqual(len(refused), 1)
        self.assertEqual(set(), server._open)
        self.assertEqual([], clock.getDelayedCalls())
        levels = {log["log_level"].name for log in logs}
        self.assertEqual(set(), levels & {"critical", "error"})
