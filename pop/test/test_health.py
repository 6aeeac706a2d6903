"""How health checks are described."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.catalogue import Catalogue
from pop.errors import BadSetting
from pop.health import CommandCheck, HttpCheck, TcpCheck, read_check, read_template
from pop.model import Service
from pop.policy import Checks
from pop.services.command import command

CATALOGUE = Catalogue({"command": command})


class ReadTests(SynchronousTestCase):
    """Descriptions to checks."""

    def refusal(self, text: str) -> str:
        """The sentence by which a text is refused."""
        return str(self.assertRaises(ValueError, read_check, text))

    def test_tcp(self) -> None:
        """A port of this machine, or of a host by name or address."""
        self.assertEqual(TcpCheck("127.0.0.1", 80), read_check("tcp:80"))
        self.assertEqual(TcpCheck("db.example", 5432), read_check("tcp:db.example:5432"))
        self.assertEqual(TcpCheck("::1", 80), read_check("tcp:[::1]:80"))

    def test_http(self) -> None:
        """Port 80 and the path / need not be written; the host is asked for as it was written."""
        self.assertEqual(
            [
                HttpCheck("web", 80, "web", "/"),
                HttpCheck("127.0.0.1", 8080, "127.0.0.1:8080", "/health?deep=1&x={}"),
                HttpCheck("::1", 81, "[::1]:81", "/"),
            ],
            [
                read_check("http://web"),
                read_check("http://127.0.0.1:8080/health?deep=1&x={}"),
                read_check("http://[::1]:81/"),
            ],
        )

    def test_command(self) -> None:
        """A command line is split as a shell would."""
        expected = CommandCheck(("pg_isready", "-h", "a b"))
        self.assertEqual(expected, read_check("command: pg_isready -h 'a b'"))

    def test_no_check(self) -> None:
        """What is none is told what there is."""
        for text in (
            *("", "tcp", "tcp:", "tcp:web", "tcp:80/", "tcp:::1:80", "tcp: 80", "8080", "udp:80"),
            *("http:80", "http://", "http:///", "htpp://web/", "http://web:x/", "http://u@web/"),
            *("http://web/a b", "http://web/#a", "http://web?x", "http://web/\xe9", "Tcp:80"),
        ):
            self.assertEqual(
                "it should be tcp:PORT, tcp:HOST:PORT, http://HOST[:PORT]/PATH or command:ARGV",
                self.refusal(text),
                text,
            )

    def test_reasons(self) -> None:
        """What is nearly one is told what is wrong with it."""
        for text in ("tcp:0", "tcp:65536", "http://web:99999999/", "tcp:web:0"):
            self.assertEqual("its port should be from 1 to 65535", self.refusal(text))
        self.assertIn("command:curl", self.refusal("https://web/"))
        self.assertEqual("its command is empty", self.refusal("command: "))
        self.assertIn("No closing quotation", self.refusal("command:a 'b"))

    @settings(max_examples=100, deadline=None)
    @given(st.text() | st.text().map("http://{}".format) | st.text().map("command:{}".format))
    def test_anything(self, text: str) -> None:
        """Whatever is written is read, or refused."""
        for read in (read_check, read_template):
            try:
                read(text)
            except ValueError as error:
                self.assertRegex(str(error), r"^its? ")


class TemplateTests(SynchronousTestCase):
    """Descriptions with placeholders."""

    def test_anywhere(self) -> None:
        """A placeholder may stand wherever what it stands for could."""
        for text in (
            *("tcp:{port}", "tcp:{host}:{port}", "tcp:{address}", "tcp:80{n}", "{kind}:{port}"),
            *("http://{host}:{port}/{service}?{query}", "http://[::{n}]/", "http://{machine}"),
            *("command:{program} -p {port}", "command:awk '{{print}}'", "{everything}"),
        ):
            read_template(text)

    def test_refused(self) -> None:
        """What makes no sense whatever they stand for is refused."""
        for text in ("htpp://{host}/", "tcp:{host}:x", "tcp:{port", "command:'{x}", "https://{x}"):
            self.assertRaises(ValueError, read_template, text)


class SettingTests(SynchronousTestCase):
    """Checks as the settings of a service have them."""

    def checks(self, **settings: object) -> Checks:
        """How a service with these settings is checked."""
        service = Service("web", "command", {"argv": "true", **settings}, ())
        return CATALOGUE.launch(service, "m1").checks

    def refusal(self, **settings: object) -> str:
        """Why these settings are refused."""
        return str(self.assertRaises(BadSetting, self.checks, **settings))

    def test_filled_in(self) -> None:
        """Settings, the service and the machine are filled in."""
        found = self.checks(
            port=81, readiness="http://{machine}:{port}/{service}", liveness="tcp:{port}"
        )
        self.assertEqual(("http://m1:81/web", "tcp:81"), (found.readiness, found.liveness))

    def test_words(self) -> None:
        """What is filled into a command stays within its word, and braces can be written."""
        found = self.checks(directory="/a b", readiness="command:test -d {directory} '{{}}'")
        assert found.readiness
        expected = CommandCheck(("test", "-d", "/a b", "{}"))
        self.assertEqual(expected, read_check(found.readiness))

    def test_none(self) -> None:
        """Nothing is checked unless it is asked for."""
        self.assertEqual(Checks(), self.checks())

    def test_refused_at_once(self) -> None:
        """A description that makes no sense is refused with the forms that there are."""
        self.assertEqual(
            'The setting "readiness" of type "command" cannot be \'htpp://127.0.0.1:{port}/\': it'
            " should be tcp:PORT, tcp:HOST:PORT, http://HOST[:PORT]/PATH or command:ARGV.",
            self.refusal(readiness="htpp://127.0.0.1:{port}/", port=80),
        )

    def test_refused_when_filled_in(self) -> None:
        """One that makes no sense with what is filled in is refused as well, as it is then."""
        said = self.refusal(liveness="tcp:{stop_signal}")
        self.assertIn('"liveness" of type "command" cannot be \'tcp:TERM\': it should be', said)
        self.assertIn("its port", self.refusal(liveness="tcp:{port}", port=0))
        self.assertIn("no value for {port}", self.refusal(liveness="tcp:{port}"))
        self.assertIn("no value for {prot}", self.refusal(readiness="command:a {prot}"))
