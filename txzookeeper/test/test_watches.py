"""Watches fire once, for the right events, and are armed again in small packets."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.event import ClientEvent, session_event
from txzookeeper.jute import encode
from txzookeeper.records import SetWatchesRequest
from txzookeeper.watches import CHILD, DATA, EXIST, Watch, Watches


class WatchesTests(SynchronousTestCase):
    """The table of watches."""

    def armed(self, kind: int, path: str) -> Watch:
        """Arm a watch."""
        watch = self.watches.new(path)
        self.watches.arm(kind, path, watch)
        return watch

    def setUp(self) -> None:
        """Begin without watches."""
        self.watches = Watches()

    def test_what_fires(self) -> None:
        """Each event fires the kinds that ZooKeeper says, on its path, once."""
        for event, kinds in (
            (c.CREATED_EVENT, {DATA, EXIST}),
            (c.CHANGED_EVENT, {DATA, EXIST}),
            (c.DELETED_EVENT, {DATA, EXIST, CHILD}),
            (c.CHILD_EVENT, {CHILD}),
            (99, set()),
        ):
            self.setUp()
            watches = {kind: self.armed(kind, "/a") for kind in (DATA, EXIST, CHILD)}
            self.armed(DATA, "/b")
            fired = self.watches.fired(event, "/a")
            self.assertEqual(fired, [watches[kind] for kind in sorted(kinds)])
            self.assertEqual(self.watches.fired(event, "/a"), [])
            self.assertEqual(len(self.watches), 4 - len(kinds))

    def test_forgotten(self) -> None:
        """A watch that is forgotten is not armed again, its neighbours are."""
        first, second = self.armed(DATA, "/a"), self.armed(DATA, "/a")
        self.watches.forget(first)
        self.assertEqual(len(self.watches), 1)
        self.watches.forget(second)
        self.assertEqual(list(self.watches.rearming(1)), [])

    def test_cancelled_before_armed(self) -> None:
        """A watch cancelled before the server armed it is not kept."""
        watch = self.watches.new("/a")
        watch.addErrback(lambda _: None).cancel()
        self.watches.arm(DATA, "/a", watch)
        self.assertEqual(len(self.watches), 0)

    def test_rearming(self) -> None:
        """One packet names each path once, under its kind."""
        for kind, path in ((DATA, "/a"), (DATA, "/a"), (EXIST, "/b"), (CHILD, "/c")):
            self.armed(kind, path)
        request = SetWatchesRequest(42, ("/a",), ("/b",), ("/c",))
        self.assertEqual(list(self.watches.rearming(42)), [request])

    def test_chunks(self) -> None:
        """Many watches are armed in packets below 128 kB, and none is left out."""
        paths = [f"/{number:0>1000}" for number in range(400)]
        for kind, path in zip((DATA, EXIST, CHILD, DATA) * 100, paths, strict=True):
            self.armed(kind, path)
        requests = list(self.watches.rearming(1))
        self.assertGreater(len(requests), 3)
        self.assertLess(max(len(encode(request)) for request in requests), 128 * 1024)
        sent = [path for request in requests for group in request[1:] for path in group]
        self.assertEqual(sorted(sent), paths)


class ClientEventTests(SynchronousTestCase):
    """Events."""

    def test_words(self) -> None:
        """Events say in words what they mean, unknown numbers too."""
        event = ClientEvent(c.CHANGED_EVENT, c.CONNECTED_STATE, "/a")
        self.assertEqual((event.type_name, event.state_name), ("changed", "connected"))
        self.assertEqual(repr(event), "<ClientEvent changed at /a, connected>")
        self.assertEqual(repr(session_event(55)), "<ClientEvent session, state 55>")
