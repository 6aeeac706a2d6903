"""Nobody hears of anything that is not saved, and what is saved outlives the server."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.durable import DurableTree
from txzookeeper.errors import NodeExistsException, NotReadOnlyException
from txzookeeper.journal import Journal
from txzookeeper.jute import decode, decode_from
from txzookeeper.records import (
    ConnectResponse,
    CreateResponse,
    Empty,
    ExistsRequest,
    GetDataRequest,
    ReplyHeader,
    WatcherEvent,
)
from txzookeeper.server import ZooKeeperServer
from txzookeeper.store import Store, blank
from txzookeeper.test.keepers import MemoryKeeper
from txzookeeper.test.peers import Peer, ServerTests
from txzookeeper.test.test_words import ask
from txzookeeper.testing.memory import MemoryServer


class KeptTests(ServerTests):
    """A server whose changes are kept in memory, as long as there is room."""

    def setUp(self) -> None:
        super().setUp()
        self.keeper = MemoryKeeper()
        self.tree = DurableTree(blank(b"s"), 0)
        self.server.close()
        self.server.server = ZooKeeperServer(
            self.server.clock, self.tree, tick=500, journal=Journal(self.tree, self.keeper)
        )
        self.server.server.doStart()
        self.a, self.session = self.member()
        self.b, _ = self.member()

    def settled(self) -> list[tuple[int, int]]:
        """Let everything arrive, and give the first one's replies."""
        self.server.settle()
        return self.a.replies()

    def resumed(self) -> Peer:
        """Give a new connection with the first one's session."""
        peer = self.peer()
        self.assertEqual(self.greet(peer, 0, 4000, *self.session[2:4]).timeout, 4000)
        return peer

    def test_one_commit(self) -> None:
        """What all clients change in a turn is saved at once, before any of them is answered."""
        self.b.ask(c.EXISTS_OP, ExistsRequest("/a", True))
        self.server.settle()
        for peer in (self.a, self.b):
            peer.packets = said = self.keeper.said  # type: ignore[assignment]
            said.clear()
        self.a.create("/a")
        self.a.ask(c.GET_DATA_OP, GetDataRequest("/a", False), 2)
        self.b.create("/b")
        self.server.settle()
        self.assertEqual(self.keeper.said[0], "kept")
        self.assertEqual(len(self.keeper.said), 1 + 4)

    def test_refusals(self) -> None:
        """A refused write's transaction id is saved too, so that it is never given again."""
        self.a.create("/")
        self.assertEqual(self.settled(), [(1, NodeExistsException.code)])
        self.assertEqual(self.keeper.image.zxid, self.tree.zxid)

    def test_not_kept(self) -> None:
        """What cannot be saved is not answered, and nobody sees it: all connections end."""
        self.b.ask(c.EXISTS_OP, ExistsRequest("/a", True))
        self.server.settle()
        self.b.packets.clear()
        self.keeper.full = True
        self.a.create("/a")
        self.b.ask(c.GET_DATA_OP, GetDataRequest("/a", False))
        self.assertEqual(self.settled(), [])
        self.assertEqual((self.b.packets, self.a.closed, self.b.closed), ([], True, True))
        self.assertNotIn("/a", self.tree.nodes)

    def test_reading_goes_on(self) -> None:
        """As long as nothing can be saved, what was saved is read, and writing refused."""
        self.a.create("/a")
        self.server.settle()
        self.keeper.full = True
        self.a.create("/b")
        self.server.settle()
        self.a = self.resumed()
        self.a.ask(c.GET_DATA_OP, GetDataRequest("/a", False), 1)
        self.a.ask(c.GET_DATA_OP, GetDataRequest("/b", False), 2)
        self.a.create("/b")
        refused = NotReadOnlyException.code
        self.assertEqual(self.settled(), [(1, 0), (2, -101), (1, refused)])
        self.assertEqual(ask(self.server, b"isro").heard, b"ro")
        self.assertIn(b"Mode: read-only", ask(self.server, b"srvr").heard)

    def test_sessions_while_reading(self) -> None:
        """Meanwhile no session begins or ends, whoever asks for it and whatever time passes."""
        self.a.create("/e", flags=c.EPHEMERAL)
        self.server.settle()
        self.keeper.full = True
        self.a.create("/b")
        self.server.settle()
        stranger = self.peer()
        stranger.greet()
        self.a = self.resumed()
        self.a.ask(c.CLOSE_OP, Empty())
        self.assertEqual((self.settled(), self.a.closed, stranger.closed), ([], True, True))
        self.assertEqual(stranger.packets, [])
        self.server.advance(20)
        self.resumed()
        self.assertIn("/e", self.tree.nodes)

    def test_room_again(self) -> None:
        """When there is room again it writes within a tick, and what is overdue happens."""
        self.a.create("/e", flags=c.EPHEMERAL)
        self.server.settle()
        self.keeper.full = True
        self.a.create("/b")
        self.server.advance(10)
        self.keeper.full = False
        self.server.advance(0.5)
        self.a, _ = self.member()
        self.a.create("/b")
        self.assertEqual(self.settled(), [(1, 0)])
        self.assertNotIn("/e", self.keeper.image.nodes)
        self.assertNotIn("/e", self.tree.nodes)

    def test_stopped(self) -> None:
        """A server that is stopped in the middle of a turn saves it first."""
        self.a.create("/a")
        self.server.clock.callLater(0, self.server.server.doStop)
        self.server.settle()
        self.assertIn("/a", self.keeper.image.nodes)


class RestartTests(SynchronousTestCase):
    """Servers one after another on the same file."""

    def setUp(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.clock = Clock()
        self.clock.rightNow = 1_000_000.0
        self.start()

    def start(self) -> None:
        """Start a server on what is kept."""
        self.store = Store(self.directory / "tree.sqlite")
        self.store.open(blank(b"secret"))
        image = self.store.load()
        tree = DurableTree(image, int(self.clock.seconds() * 1000))
        journal = Journal(tree, self.store)
        self.server = MemoryServer(self.clock)
        self.server.close()
        self.server.server = ZooKeeperServer(
            self.clock, tree, tick=500, secret=image.secret, journal=journal
        )
        self.server.server.doStart()
        self.helper = ServerTests()
        self.helper.server = self.server

    def restart(self, seconds: float) -> None:
        """Stop the server, and start another one later."""
        self.stop()
        self.clock.advance(seconds)
        self.start()

    def stop(self) -> None:
        """Stop it."""
        self.server.close()
        self.store.close()

    def tearDown(self) -> None:
        self.stop()

    def test_sessions(self) -> None:
        """A session is resumed by its password, and has its whole time-out before it again."""
        peer, session = self.helper.member(4000)
        peer.create("/e", flags=c.EPHEMERAL)
        self.server.settle()
        self.restart(100)
        self.server.advance(3)
        again = self.helper.greet(self.helper.peer(), 0, 4000, *session[2:4])
        self.assertEqual(again, session)
        self.assertIn("/e", self.server.server.tree.nodes)
        self.restart(100)
        self.server.advance(4.5)
        self.assertNotIn("/e", self.server.server.tree.nodes)
        self.restart(0)
        refused = self.helper.greet(self.helper.peer(), 0, 4000, *session[2:4])
        self.assertEqual(refused, ConnectResponse(0, 0, 0, bytes(16)))

    def test_numbers(self) -> None:
        """No session id, transaction id or sequence number is given a second time."""
        seen = []
        for _ in range(3):
            peer, session = self.helper.member()
            peer.create("/n-", flags=c.SEQUENCE)
            self.server.settle()
            header, offset = decode_from(ReplyHeader, peer.packets[0])
            path = decode(CreateResponse, peer.packets[0], offset).path
            seen.append((session.session_id, header.zxid, path))
            self.restart(0)
        self.assertEqual(seen, sorted(set(seen)))
        paths = [path for _, _, path in seen]
        self.assertEqual(paths, ["/n-0000000000", "/n-0000000001", "/n-0000000002"])

    def test_watches(self) -> None:
        """A client that arms its watches again hears what it missed, also of before the restart."""
        peer, session = self.helper.member()
        peer.create("/a")
        self.server.settle()
        zxid = decode(ReplyHeader, peer.packets[0]).zxid
        peer.create("/b")
        self.server.settle()
        self.restart(1)
        peer = self.helper.peer()
        self.helper.greet(peer, zxid, 4000, *session[2:4])
        peer.rearm(zxid, data=("/b",), children=("/",))
        self.server.settle()
        events = [
            decode(WatcherEvent, packet, 16) for packet in peer.packets if packet[:4] == b"\xff" * 4
        ]
        self.assertEqual(
            [(event.type, event.path) for event in events],
            [(c.CHANGED_EVENT, "/b"), (c.CHILD_EVENT, "/")],
        )
