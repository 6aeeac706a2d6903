"""A tree can be taken out of a data directory and put into another one."""

from __future__ import annotations

import json
import shutil
import stat
import tempfile
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import archive
from txzookeeper import constants as c
from txzookeeper.datadirectory import DataDirectory
from txzookeeper.datanode import CONTAINER_OWNER, Node, ttl_owner
from txzookeeper.durable import DurableTree
from txzookeeper.records import ACL
from txzookeeper.store import Batch, Image, Store, blank
from txzookeeper.test.trees import Someone
from txzookeeper.transfer import export_tree, import_tree, show_tree
from txzookeeper.trouble import (
    BadArchive,
    BadDirectory,
    CannotExport,
    DirectoryInUse,
    HasData,
    NoData,
)

OPEN = (ACL(c.PERM_ALL, "world", "anyone"),)
PRIVATE = (ACL(c.PERM_READ, "digest", "us:x="), ACL(c.PERM_ALL, "ip", "10.0.0.0/8"))


def grown() -> Image:
    """Give an image with a little of everything."""
    tree = DurableTree(blank(b"secret"), 0)
    someone = Someone(tree)
    someone.create("/a", b"text \xc3\xa4")
    someone.create("/a/b", b"\xff\0")
    someone.create("/a/null", None)
    someone.create("/a/e", flags=c.EPHEMERAL)
    someone.create("/a/n-", flags=c.EPHEMERAL | c.SEQUENCE)
    someone.create("/a/private", acls=PRIVATE)
    someone.create_container("/c")
    someone.create_ttl("/t", 5000)
    someone.set("/a", b"again")
    sessions = {key: known.timeout for key, known in tree.sessions.items()}
    return Image(b"secret", tree.zxid, someone.id, tree.nodes, sessions)


class ArchiveTests(SynchronousTestCase):
    """Lines of JSON."""

    def test_whole(self) -> None:
        """Nodes of all kinds come back as they were; of the rest only the last ids."""
        image = grown()
        lines = list(archive.written(image))
        again = archive.read(lines, b"new")
        expected = {path: node for path, node in image.nodes.items() if node.owner <= 0}
        expected["/a"] = expected["/a"]._replace(children=3)
        self.assertEqual(dict(again.nodes), expected)
        self.assertEqual(again.nodes["/c"].owner, CONTAINER_OWNER)
        self.assertEqual(again.nodes["/t"].owner, ttl_owner(5000))
        self.assertEqual(again[:3], (b"new", *image[1:3]))
        self.assertEqual(again.sessions, {})

    def test_no_number_twice(self) -> None:
        """Sequences go on after the ephemeral nodes that were left out."""
        tree = DurableTree(archive.read(archive.written(grown()), b""), 0)
        reply = Someone(tree).create("/a/n-", flags=c.SEQUENCE)
        self.assertEqual(reply.body.path, "/a/n-0000000005")

    def test_readable(self) -> None:
        """Each node is a line, and its data are text wherever they can be."""
        head, *lines = map(json.loads, archive.written(grown()))
        self.assertEqual((head["format"], head["nodes"]), ("txzookeeper tree 1", len(lines)))
        data = {line["path"]: line.get("text", line.get("base64")) for line in lines}
        self.assertEqual((data["/a"], data["/a/b"]), ("again", "/wA="))

    def refused(self, lines: list[str]) -> str:
        """Give why lines are refused."""
        return str(self.assertRaises(ValueError, archive.read, lines, b""))

    def test_refused(self) -> None:
        """What is no archive, or not all of one, is refused with the place and the reason."""
        lines = list(archive.written(grown()))
        self.assertIn("does not begin with", self.refused([]) + self.refused(["{}\n"]))
        self.assertIn("line 1 is no JSON", self.refused(["x"]))
        self.assertIn("instead of", self.refused(lines[:-1]))
        fewer = lines[0].replace(str(len(lines) - 1), str(len(lines) - 2))
        self.assertIn("nodes are missing", self.refused([fewer, *lines[1:-1]]))
        for line in ("[]", "{", "\n"):
            self.assertIn("line 2 is no JSON object", self.refused([lines[0], line, *lines[2:]]))
        for facts in (
            {"path": "/"},
            {"path": 5, "text": "", "acls": [[31, "world", "anyone"]]},
            {"path": "a", "text": "", "acls": [[31, "world", "anyone"]]},
            {"path": "/", "text": "", "acls": []},
            {"path": "/", "text": "", "acls": [[31, "world"]]},
            {"path": "/", "base64": "*", "acls": [[31, "world", "anyone"]]},
            {"path": "/", "text": "", "acls": [[31, "world", "anyone"]], "version": "x"},
        ):
            said = self.refused([lines[0], json.dumps(facts), *lines[2:]])
            self.assertTrue(said.startswith("line 2"), said)


class TransferTests(SynchronousTestCase):
    """Files and directories."""

    def setUp(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="txzookeeper-"))
        self.addCleanup(shutil.rmtree, self.base)
        self.old, self.new = self.base / "old", self.base / "new"
        self.file = self.base / "file"
        home = DataDirectory(self.old)
        home.hold()
        store = Store(home.store)
        store.open(grown())
        store.close()
        home.release()

    def test_there_and_back(self) -> None:
        """What was exported can be imported, and is the same when it is exported again."""
        count = export_tree(self.old, self.file)
        self.assertEqual(import_tree(self.new, self.file, b"s"), count)
        out = StringIO()
        self.assertEqual(show_tree(self.new, out), count)
        self.assertEqual(out.getvalue(), self.file.read_text())
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual({p.name for p in self.new.iterdir()}, {"lock", "tree.sqlite"})
        self.assertEqual({p.name for p in self.base.iterdir()}, {"old", "new", "file"})

    def test_in_use(self) -> None:
        """Where a server runs nothing is exported or imported."""
        export_tree(self.old, self.file)
        home = DataDirectory(self.old)
        home.hold()
        self.assertRaises(DirectoryInUse, export_tree, self.old, self.file)
        self.assertRaises(DirectoryInUse, import_tree, self.old, self.file, b"")
        home.release()

    def test_only_into_a_new_one(self) -> None:
        """Data that are there are not replaced."""
        export_tree(self.old, self.file)
        before = (self.old / "tree.sqlite").read_bytes()
        self.assertRaises(HasData, import_tree, self.old, self.file, b"")
        self.assertEqual((self.old / "tree.sqlite").read_bytes(), before)

    def test_half_an_import(self) -> None:
        """What an import that was killed left behind is no data, and no hindrance."""
        export_tree(self.old, self.file)
        self.new.mkdir()
        half = Store(self.new / "tree.new")
        half.open(blank(b"half"))
        half.keep(Batch(9, 9, {"/zookeeper/quota": Node(b"half", OPEN)}))
        half.close()
        self.assertRaises(NoData, export_tree, self.new, self.file)
        import_tree(self.new, self.file, b"")
        out = StringIO()
        show_tree(self.new, out)
        self.assertEqual(out.getvalue(), self.file.read_text())

    def test_refused(self) -> None:
        """What cannot be read or written is told, and leaves nothing behind."""
        self.assertRaises(NoData, export_tree, self.new, self.file)
        self.assertRaises(CannotExport, export_tree, self.old, self.base / "no" / "file")
        self.assertRaises(BadArchive, import_tree, self.new, self.file, b"")
        for junk in (b"junk", b"\xff\xfe"):
            self.file.write_bytes(junk)
            self.assertRaises(BadArchive, import_tree, self.new, self.file, b"")
        self.assertFalse(self.new.exists())
        export_tree(self.old, self.file)
        self.assertRaises(BadDirectory, import_tree, self.file, self.file, b"")
