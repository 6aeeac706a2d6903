"""What a service listens at, in the notation of its setting."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.interfaces import ISettings
from pop.listening import BACKLOG, Listening, listening, name
from pop.settings import validate


class ListeningTests(SynchronousTestCase):
    """Descriptions."""

    def test_descriptions(self) -> None:
        """Each says where, and what is not said is as usual."""
        for text, wish in {
            "tcp:8080": Listening(host="0.0.0.0", port=8080),
            "tcp:80:interface=127.0.0.1": Listening(host="127.0.0.1", port=80),
            "tcp:80:interface=::1:backlog=5": Listening(host="::1", port=80, backlog=5),
            "tcp6:80": Listening(host="::", port=80),
            "tcp6:80:interface=0:0::1": Listening(host="::1", port=80),
            "unix:/run/a b.sock": Listening(path="/run/a b.sock"),
            "unix:/a:b:mode=660": Listening(path="/a:b", mode=0o660),
            "unix:/a:mode=0600:backlog=1": Listening(path="/a", mode=0o600, backlog=1),
        }.items():
            self.assertEqual(wish, listening(text), text)
        self.assertEqual(BACKLOG, listening("tcp:1").backlog)

    def test_refused(self) -> None:
        """What makes no sense is refused with a reason."""
        for text, reason in {
            "": "it should be tcp:PORT",
            "8080": "it should be tcp:PORT",
            "tcp:0": "it should have a port from 1 to 65535",
            "tcp:65536": "it should have a port from 1 to 65535",
            "tcp:http": "it should be tcp:PORT",
            "tcp:80:interface=localhost": "it should have an IP address",
            "tcp6:80:interface=127.0.0.1": "it should have an IPv6 address",
            "tcp:80:backlog=many": "it should be tcp:PORT",
            "udp:53": "it should be tcp:PORT",
            "unix:web.sock": "it should be tcp:PORT",
            "unix:/" + "x" * 107: "it should have a path of at most 107 bytes",
            "unix:/a\0": "it should have a path",
        }.items():
            error = self.assertRaises(ValueError, listening, text)
            self.assertTrue(str(error).startswith(reason), f"{text}: {error}")

    @given(st.text(max_size=30))
    def test_anything(self, text: str) -> None:
        """Whatever it is, it is read or refused, and named without a colon."""
        self.assertNotIn(":", name(text))
        try:
            listening(text)
        except ValueError as error:
            self.assertTrue(str(error).startswith("it "))

    def test_settings(self) -> None:
        """The setting is checked when it is set."""
        settings = validate("any", ISettings, {"sockets": ["tcp:8080", "unix:/run/web.sock"]})
        self.assertEqual(("tcp:8080", "unix:/run/web.sock"), settings.sockets)
        with self.assertRaisesRegex(Exception, "each should have a port"):
            validate("any", ISettings, {"sockets": ["tcp:8080", "tcp:0"]})
