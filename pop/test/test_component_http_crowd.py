"""How many may be connected to a web server."""

from twisted.logger import capturedLogs

from pop.test.test_component_http_server import Echo, Slow
from pop.test.web import WebCase, code_of, header_of


class CrowdTests(WebCase):
    """How many may be connected at a time. (In iPOPO, each has a thread, and there is no end.)"""

    most = 2

    def setUp(self) -> None:
        super().setUp()
        self.slow = self.bind("/slow", Slow())
        self.bind("/", Echo())

    def test_too_many(self) -> None:
        """One too many is told so, whatever it asks, and let go; until there is room."""
        first, second = self.connect(), self.connect()
        third, fourth = self.connect(), self.connect()
        said = third.ask("/slow")
        self.assertEqual((503, "1"), (code_of(said), header_of(said, "Retry-After")))
        self.assertEqual("", third.ask())
        self.clock.advance(5)
        self.assertEqual([False, False], [third.connected, fourth.connected])
        self.assertEqual(200, code_of(second.ask()))
        first.loseConnection()
        self.assertEqual(200, code_of(self.connect().ask()))

    def test_kept(self) -> None:
        """A connection that is only kept, for requests to come, gives way to somebody new; one that
        waits for its answer, or has yet to ask, does not."""
        busy, kept = self.connect(), self.connect()
        kept.ask()
        busy.ask("/slow")
        new = self.connect()
        self.assertEqual([True, False, True], [far.connected for far in (busy, kept, new)])
        self.assertEqual(503, code_of(self.connect().ask()))
        self.slow.waiting.callback("slow")
        self.assertIn("slow", busy.take())
        self.assertEqual(200, code_of(new.ask()))

    def test_kept_longest(self) -> None:
        """It is the one that has been kept for longest; not one that has yet to read its answer."""
        first, second = self.connect(), self.connect()
        for far in (second, first):
            self.clock.advance(1)
            far.ask()
        self.connect()
        self.assertEqual([True, False], [far.connected for far in (first, second)])
        first.protocol.pauseProducing()
        self.assertEqual(503, code_of(self.connect().ask()))
        self.assertTrue(first.connected)

    def test_giving_way(self) -> None:
        """One that gives way, but does not go, does not do so twice."""
        for far in (self.connect(), self.connect()):
            far.ask()
            far.loseConnection = lambda: None  # type: ignore[method-assign]
        new = [self.connect() for _ in range(3)]
        self.assertEqual([200, 200, 503], [code_of(far.ask()) for far in new])

    def test_flood(self) -> None:
        """If very many come at once, not even that is said to all."""
        crowd = [self.connect() for _ in range(200)]
        self.assertEqual([True] * 66 + [False] * 134, [far.connected for far in crowd])
        self.assertEqual([503] * 64, [code_of(far.ask()) for far in crowd[2:66]])

    def test_said(self) -> None:
        """The log says so once, and again when it was less crowded meanwhile."""
        with capturedLogs() as logged:
            for _ in range(2):
                crowd = [self.connect() for _ in range(4)]
                for far in crowd:
                    far.loseConnection()
        self.assertEqual(2, len(logged))
