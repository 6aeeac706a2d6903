"""What is kept is there again, whole, or the operator reads why not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.datanode import CONTAINER_OWNER, Node, born, ttl_owner
from txzookeeper.nodes import Nodes
from txzookeeper.records import ACL
from txzookeeper.store import FORMAT, Batch, Image, Store, blank
from txzookeeper.trouble import Damaged, Foreign, Newer, StoreFailed, Trouble

OPEN = (ACL(c.PERM_ALL, "world", "anyone"),)
PRIVATE = (ACL(c.PERM_READ, "digest", 'us:"=\u00fc'), ACL(c.PERM_ALL, "ip", "10.0.0.0/8"))
SECRET = b"\0secret\xff"


class StoreTests(SynchronousTestCase):
    """A store in a directory of its own."""

    def setUp(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory / "tree.sqlite"

    def opened(self) -> Store:
        """Give an open store, which is closed in the end."""
        store = Store(self.path)
        store.open(blank(SECRET))
        self.addCleanup(store.close)
        return store

    def again(self, store: Store) -> Image:
        """Close a store, and give what another one finds there."""
        store.close()
        return self.opened().load()

    def refused(self) -> Trouble:
        """Give why a store can be opened and read no more."""
        store = Store(self.path)
        try:
            store.open(blank(b"other"))
            store.load()
        except Trouble as trouble:
            return trouble
        finally:
            store.close()
        raise AssertionError("it was opened")

    def test_new(self) -> None:
        """A new store has what a new server has, and keeps the first secret it was given."""
        image = self.again(self.opened())
        self.assertEqual(image, blank(SECRET))
        self.assertEqual(dict(image.nodes), dict(born()))

    def test_kept(self) -> None:
        """Nodes of every kind, sessions and the last ids are as they were."""
        nodes: dict[str, Node | None] = {
            "/": Node(b"", OPEN, children=5, creates=7, pzxid=9),
            "/\u00e4": Node(bytes(range(256)), PRIVATE, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0),
            "/c": Node(b"", OPEN, owner=CONTAINER_OWNER),
            "/t": Node(b"", PRIVATE, owner=ttl_owner(5), mzxid=(1 << 63) - 1),
            "/e": Node(b"x" * 1_000_000, OPEN, owner=1 << 54),
        }
        store = self.opened()
        store.keep(Batch(77, 88, nodes, {1 << 54: 4000, 3: 6000}))
        image = self.again(store)
        self.assertEqual(dict(image.nodes), {**dict(born()), **nodes})
        self.assertEqual(image[:3], (SECRET, 77, 88))
        self.assertEqual(image.sessions, {1 << 54: 4000, 3: 6000})
        self.assertIs(image.nodes["/t"].acls, image.nodes["/\u00e4"].acls)

    def test_changed_and_gone(self) -> None:
        """The last word counts; what is gone stays gone, and the rest stays."""
        store = self.opened()
        above = Node(b"", OPEN, children=3)
        store.keep(
            Batch(1, 0, {"/": above, "/a": Node(b"1", OPEN), "/b": Node(b"2", OPEN)}, {5: 1})
        )
        store.keep(Batch(2, 0, {"/b": Node(b"3", OPEN)}, {6: 1}))
        store.keep(Batch(3, 0, {"/": above._replace(children=2), "/a": None}, {5: None, 6: 2}))
        image = self.again(store)
        self.assertNotIn("/a", image.nodes)
        self.assertEqual(image.nodes["/b"].data, b"3")
        self.assertEqual((image.zxid, image.sessions), (3, {6: 2}))

    def test_whole_or_not_at_all(self) -> None:
        """Of a batch that cannot be kept nothing is, and the next one is."""
        store = self.opened()
        store._database.execute("PRAGMA max_page_count = 20")
        big = {f"/{number}": Node(b"x" * 9000, OPEN) for number in range(30)}
        root = Node(b"", OPEN, children=31)
        error = self.assertRaises(StoreFailed, store.keep, Batch(5, 5, {"/": root, **big}, {5: 5}))
        self.assertIn("database or disk is full", str(error))
        self.assertRaises(StoreFailed, store.try_room)
        small = {"/": root._replace(children=2), "/a": Node(b"", OPEN)}
        store.keep(Batch(6, 6, small, {6: 6}))
        image = self.again(store)
        self.assertEqual(set(image.nodes), {*dict(born()), "/a"})
        self.assertEqual((image.zxid, image.sessions), (6, {6: 6}))

    def test_room(self) -> None:
        """Trying whether there is room leaves nothing behind, and takes no more the next time."""
        store = self.opened()
        sizes = []
        for _ in range(5):
            store.try_room()
            store._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            sizes.append(self.path.stat().st_size)
        self.assertEqual(len(set(sizes)), 1)
        self.assertEqual(self.again(store), blank(SECRET))

    def test_on_the_disk(self) -> None:
        """Every commit waits for the disk."""
        store = self.opened()
        values = [store._value(f"PRAGMA {name}") for name in ("journal_mode", "synchronous")]
        self.assertEqual(values, ["wal", 2])

    def test_private(self) -> None:
        """Only the owner can read the files, whatever the umask."""
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.opened().keep(Batch(1, 1))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in self.directory.iterdir()}
        self.assertEqual(modes, {0o600})

    def test_open_twice(self) -> None:
        """An open store stays open; a second one on the same file is told who is in the way."""
        store = self.opened()
        store.open(blank(b"other"))
        self.assertEqual(store.load().secret, SECRET)
        self.assertIn("another program has it open", str(self.refused()))

    def test_newer(self) -> None:
        """A file of a newer version is refused, and stays as it is."""
        self.opened().close()
        with sqlite3.connect(self.path) as database:
            database.execute(f"PRAGMA user_version = {FORMAT + 1}")
        database.close()
        before = self.path.read_bytes()
        error = self.refused()
        self.assertIsInstance(error, Newer)
        self.assertIn(f"(its format is {FORMAT + 1}, this one knows {FORMAT})", str(error))
        self.assertEqual(self.path.read_bytes(), before)

    def test_foreign(self) -> None:
        """What is not a server's file is refused, and stays as it is."""
        with sqlite3.connect(self.path) as database:
            database.execute("CREATE TABLE nodes (path TEXT)")
        database.close()
        before = self.path.read_bytes()
        self.assertIsInstance(self.refused(), Foreign)
        self.assertEqual(self.path.read_bytes(), before)

    def test_damaged(self) -> None:
        """Wherever pages of the file are lost, it is refused as damaged, and stays as it is."""
        store = self.opened()
        many = {f"/{number:04}": Node(bytes(90), OPEN) for number in range(500)}
        store.keep(Batch(1, 1, {"/": Node(b"", OPEN, children=501), **many}))
        store.close()
        whole = self.path.read_bytes()
        for page in range(0, len(whole), 4096):
            for junk in (b"\xa5" * 4096, bytes(4096)):
                broken = whole[:page] + junk + whole[page + 4096 :]
                self.path.write_bytes(broken)
                self.assertIsInstance(self.refused(), Damaged, f"page {page}")
                self.assertEqual(self.path.read_bytes(), broken)
        self.path.write_bytes(whole[: len(whole) // 2])
        self.assertIsInstance(self.refused(), Damaged)

    def test_incomplete(self) -> None:
        """A tree in which nodes are missing is refused as damaged."""
        store = self.opened()
        store.keep(Batch(1, 1, {"/zookeeper/quota": None}))
        store.close()
        self.assertIn("nodes are missing", str(self.refused()))

    def test_unusable(self) -> None:
        """Where no file can be, the reason is told."""
        self.path.mkdir()
        self.assertIn("Is a directory", str(self.refused()))

    def test_imported(self) -> None:
        """A new store can begin with any content."""
        nodes = Nodes([*born(), ("/a", Node(b"1", OPEN))])
        nodes.take("/", nodes["/"]._replace(children=2))
        image = Image(b"s", 5, 6, nodes, {7: 8})
        store = Store(self.path)
        store.open(image)
        self.assertEqual(self.again(store), image)
