"""A shell's connection, whatever comes over it."""

import json
from contextlib import closing

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.trial.unittest import SynchronousTestCase

from pop.components.shell.server import HELLO, ShellFactory
from pop.test.test_component_server import ServerCase

LINES = st.sampled_from(
    ["echo x", "help", "wait", "ask", "sl", "quit", "'", "$?", "sd 1", "set a=1", "me", "secret"]
)
MESSAGES = st.one_of(
    st.builds(lambda kind, line: json.dumps({kind: line}), st.sampled_from(["line", "x"]), LINES),
    LINES.map(lambda line: json.dumps({"complete": line})),
    st.sampled_from(
        ['{"cancel": true}', '{"line": ["a"]}', '{"complete": {}}', "{}", "5", "null", "[" * 5000]
    ),
)
EVENTS = st.one_of(
    st.one_of(LINES, MESSAGES).map(str.encode),
    st.binary(max_size=40),
    st.sampled_from(["pause", "resume", "half", "time"]),
)


class Connection:
    """One connection, in memory, to a shell of its own."""

    def __init__(self, guarded: bool) -> None:
        self.case = ServerCase("setUp")
        self.case.setUp()
        checker = InMemoryUsernamePasswordDatabaseDontUse(me=b"secret") if guarded else None
        self.factory = ShellFactory(self.case.shell, self.case.clock, idle=60, checker=checker)
        self.case.factory = self.factory
        self.protocol, self.transport = self.case.connect()

    def happen(self, event: bytes | str) -> None:
        """A line comes, or something happens to the connection."""
        if isinstance(event, bytes):
            self.protocol.dataReceived(event + b"\n")
        elif event == "pause":
            self.protocol.pauseProducing()
        elif event == "resume":
            self.protocol.resumeProducing()
        elif event == "half":
            self.protocol.readConnectionLost()
        else:
            self.case.clock.advance(9)

    def close(self) -> None:
        """The far end goes."""
        if self.transport.connected:
            self.transport.loseConnection()
        self.case.doCleanups()


class FuzzTests(SynchronousTestCase):
    """Anything at all."""

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.booleans(), st.booleans(), st.lists(EVENTS))
    def test_whatever(self, program: bool, guarded: bool, events: list[bytes | str]) -> None:
        """Nothing that comes raises anything, is logged as a failure, or leaves anything behind."""
        with closing(Connection(guarded)) as connection:
            for event in [HELLO, *events] if program else events:
                if connection.transport.connected:
                    connection.happen(event)
        self.assertEqual([], self.flushLoggedErrors())
        self.assertEqual([], connection.case.clock.getDelayedCalls())
        self.assertEqual(set(), connection.factory.connections)
