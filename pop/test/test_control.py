"""What passes between an agent and the process of a task."""

from twisted.trial.unittest import SynchronousTestCase

from pop.protocols.control import LONGEST, Lines, Request, progress, record


class ControlTests(SynchronousTestCase):
    """Lines of JSON, there and back."""

    def test_request(self) -> None:
        """A request comes out as it went in."""
        words = ("a\nb", "ü")
        request = Request("kind", "web", "m1", "bake", words, {"a": [1]}, "/var/lib/pop", ("/x",))
        line = request.encode()
        self.assertEqual(1, line.count(b"\n"))
        self.assertEqual(words, tuple(Request.decode(line).arguments))
        self.assertEqual(line, Request.decode(line).encode())

    def test_pieces(self) -> None:
        """Lines may come in any pieces."""
        data = progress(1, None, "a") + record({"b": None})
        lines = Lines()
        found = [each for byte in data for each in lines.feed(bytes([byte]))]
        said = {"progress": {"done": 1, "total": None, "what": "a"}}
        self.assertEqual([said, {"record": {"b": None}}], found)

    def test_nonsense(self) -> None:
        """What is no object is passed over, and so is a line that is too long."""
        lines = Lines()
        self.assertEqual([], lines.feed(b"hello\n[1]\n\xff\n" + b"[" * 100_000 + b"\n"))
        self.assertEqual([], lines.feed(b"x" * (LONGEST + 1)))
        self.assertEqual([{"a": 1}], lines.feed(b'\n{"a": 1}\n'))
