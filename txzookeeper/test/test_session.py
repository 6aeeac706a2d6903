"""A session lives as its diagram says."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.records import ConnectResponse
from txzookeeper.session import Closed, Disconnected, Established, Opened, Refused, Session, step

WELCOME = Established(ConnectResponse(0, 6000, 7, b"secret"))
EXPIRED = Established(ConnectResponse(0, 0, 0, bytes(16)))


def lived(*events: Opened | Established | Disconnected | Refused | Closed) -> Session:
    """Give a session after these events."""
    session = Session(9000)
    for event in events:
        session = step(session, event)
    return session


class SessionTests(SynchronousTestCase):
    """The steps."""

    def test_connected(self) -> None:
        """The server's terms are taken over, and the intervals follow from them."""
        session = lived(Opened(), WELCOME)
        self.assertEqual((session.state, session.id), (c.CONNECTED_STATE, 7))
        self.assertEqual((session.timeout, session.read_timeout), (6000, 4.0))
        self.assertEqual(session.ping_interval, 2.0)

    def test_resumed(self) -> None:
        """After a loss the same session is asked for, from the last transaction seen."""
        hello = lived(Opened(), WELCOME, Disconnected(42)).hello()
        self.assertEqual((hello.session_id, hello.password), (7, b"secret"))
        self.assertEqual((hello.last_zxid_seen, hello.timeout), (42, 9000))

    def test_ends(self) -> None:
        """A session ends by expiry, refusal or closing."""
        self.assertEqual(lived(Opened(), EXPIRED).state, c.EXPIRED_SESSION_STATE)
        self.assertEqual(lived(Opened(), WELCOME, Refused()).state, c.AUTH_FAILED_STATE)
        self.assertEqual(lived(Opened(), Closed()).state, c.CLOSED_STATE)
        self.assertFalse(lived(Opened(), EXPIRED).alive)

    def test_opened_again(self) -> None:
        """A new session begins without anything of the old one."""
        session = lived(Opened(), WELCOME, Disconnected(42), EXPIRED, Opened())
        self.assertEqual(session, Session(9000, c.CONNECTING_STATE))

    def test_impossible(self) -> None:
        """What cannot happen raises."""
        for session, event in (
            (lived(), WELCOME),
            (lived(Opened()), Disconnected(1)),
            (lived(Opened(), WELCOME), Opened()),
            (lived(Opened(), EXPIRED), Refused()),
        ):
            self.assertRaises(ValueError, step, session, event)
