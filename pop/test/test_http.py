"""What an answer by HTTP says of a server's health."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.health import HttpCheck, read_check
from pop.protocols.http import ENOUGH, Answer, request


def answer(*parts: bytes) -> Answer:
    """What has come so far."""
    found = Answer()
    for part in parts:
        found.received(part)
    return found


class RequestTests(SynchronousTestCase):
    """What is asked."""

    def test_request(self) -> None:
        """Host and path are as they were written, and the server need not wait for more."""
        check = read_check("http://[::1]:80/a?b=c")
        assert isinstance(check, HttpCheck)
        lines = request(check).decode().split("\r\n")
        self.assertEqual("GET /a?b=c HTTP/1.1", lines[0])
        self.assertEqual(["", ""], lines[-2:])
        self.assertIn("Host: [::1]:80", lines)
        self.assertIn("Connection: close", lines)


class VerdictTests(SynchronousTestCase):
    """What is wrong with an answer."""

    def fault(self, *parts: bytes) -> str | None:
        """What is wrong, once the server has closed the connection."""
        return answer(*parts).fault()

    def test_passes(self) -> None:
        """Statuses from 200 to 399 pass, whatever comes with them."""
        for head in (b"HTTP/1.1 200 OK", b"HTTP/1.0 204 ", b"HTTP/1.1 302 Found", b"HTTP/1.1 399"):
            self.assertIsNone(self.fault(head + b"\r\nLocation: /\r\n\r\nHello"))

    def test_in_pieces(self) -> None:
        """It may come byte by byte."""
        data = b"HTTP/1.1 503 Busy\r\nA: b\r\n\r\ntry later\n"
        self.assertEqual("answered 503 Busy: try later", self.fault(*(b"%c" % c for c in data)))

    def test_status(self) -> None:
        """Other statuses are told as the server put them, with the first line of the body."""
        for data, said in (
            (b"HTTP/1.1 404 Not Found\r\n\r\n", "answered 404 Not Found"),
            (b"HTTP/1.1 500\r\n\r\n\r\n\r\nno database\r\nmore", "answered 500: no database"),
            (b"HTTP/1.1 500 \nA: b\n\nno database", "answered 500: no database"),
            (b"HTTP/1.0 199 Odd\r\nA: b\r\n", "answered 199 Odd"),
            (b'HTTP/1.1 503 No\r\n\r\n{"up": false}', 'answered 503 No: {"up": false}'),
        ):
            self.assertEqual(said, self.fault(data))

    def test_for_people(self) -> None:
        """Tags and the lengths of chunks are passed over; it is short, and harmless."""
        head = b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertEqual("answered 500 No: broken", self.fault(head + b"1a\r\nbroken\r\n0\r\n\r\n"))
        self.assertEqual("answered 500 No", self.fault(head + b"<!DOCTYPE HTML>\n  <html>"))
        self.assertEqual("answered 500 No: a [2J", self.fault(head + b"a\x1b[2J"))
        self.assertLess(len(self.fault(head + b"x" * 10_000) or ""), 150)

    def test_no_http(self) -> None:
        """What is no HTTP is shown."""
        said = "gave an answer that is not HTTP: SSH-2.0-OpenSSH"
        self.assertEqual(said, self.fault(b"SSH-2.0-OpenSSH\r\n"))
        self.assertIn("is not HTTP", self.fault(b"HTTP/1.1 20") or "")
        self.assertIn("is not HTTP", self.fault(b"HTTP/2 200 OK\r\n\r\n") or "")

    def test_nothing(self) -> None:
        """Silence is told as such."""
        self.assertEqual("closed the connection without an answer", self.fault())

    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(st.sampled_from([b"HTTP/1.1 ", b"404", b" ", b"\r\n", b"\n", b"a"])), st.binary()
    )
    def test_anything(self, parts: list[bytes], rest: bytes) -> None:
        """Whatever a server sends can be shown in a line."""
        found = answer(*parts, rest)
        found.is_enough  # noqa: B018  # that it can be asked is the point
        self.assertTrue((found.fault() or "").isprintable())


class EnoughTests(SynchronousTestCase):
    """When an answer is complete."""

    def test_length(self) -> None:
        """A body has the length that its head says."""
        head = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\nA: b\r\n\r\n"
        self.assertFalse(answer(head, b"1234").is_enough)
        self.assertTrue(answer(head, b"12345").is_enough)

    def test_no_body(self) -> None:
        """Some statuses have no body."""
        self.assertTrue(answer(b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n").is_enough)
        self.assertFalse(answer(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n").is_enough)

    def test_no_head(self) -> None:
        """Before the end of the head, nothing is known."""
        self.assertFalse(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n").is_enough)

    def test_too_long(self) -> None:
        """The rest of a long answer is not waited for."""
        self.assertTrue(answer(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * ENOUGH).is_enough)
        self.assertTrue(answer(b"x" * ENOUGH).is_enough)
