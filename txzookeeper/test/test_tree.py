"""The data tree answers, keeps and forgets as a standalone ZooKeeper does."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.errors import (
    BadArgumentsException,
    BadVersionException,
    InvalidACLException,
    NoChildrenForEphemeralsException,
    NodeExistsException,
    NoNodeException,
    NotEmptyException,
    RuntimeInconsistencyException,
    SessionExpiredException,
    UnimplementedException,
)
from txzookeeper.jute import encode
from txzookeeper.records import (
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    ErrorResponse,
    SetDataRequest,
    Stat,
)
from txzookeeper.test.trees import OPEN, Someone, TreeTests
from txzookeeper.tree import Tree
from txzookeeper.watchtable import Fired


class NodeTests(TreeTests):
    """Creating, reading, changing and deleting."""

    def test_new_server(self) -> None:
        """A new tree has the nodes and the strange numbers of a new ZooKeeper."""
        self.assertEqual(self.me.children("/").body.children, ("zookeeper",))
        self.assertEqual(self.me.stat("/").cversion, -1)
        self.assertEqual(self.me.stat("/zookeeper/config").aversion, -1)

    def test_stat(self) -> None:
        """A node's stat tells its transactions, times, versions and sizes."""
        made = self.me.create("/a", b"abc", now=5)
        child = self.me.create("/a/b")
        changed = self.me.set("/a", b"four", now=7)
        self.assertEqual(
            self.me.stat("/a"), Stat(made.zxid, changed.zxid, 5, 7, 1, 1, 0, 0, 4, 1, child.zxid)
        )

    def test_null(self) -> None:
        """Null data are read again as null, and have no length."""
        self.me.create("/a", None)
        answer = self.me.get("/a")
        self.assertEqual((answer.body.data, answer.body.stat.data_length), (None, 0))
        self.assertTrue(encode(answer.body).startswith(b"\xff\xff\xff\xff"))

    def test_cversion_counts_both_ways(self) -> None:
        """What clients see as cversion grows by creations and deletions of children."""
        self.me.create("/a")
        self.me.create("/a/b")
        gone = self.me.delete("/a/b")
        stat = self.me.stat("/a")
        self.assertEqual((stat.cversion, stat.num_children, stat.pzxid), (2, 0, gone.zxid))

    def test_sequence(self) -> None:
        """Sequence numbers have ten digits, count all creations, and are never used again."""
        self.me.create("/q")
        self.me.create("/q/other")
        first = self.me.create("/q/n-", flags=c.SEQUENCE).body.path
        self.me.delete(first)
        second = self.me.create("/q/n-", flags=c.SEQUENCE | c.EPHEMERAL).body.path
        self.assertEqual((first, second), ("/q/n-0000000001", "/q/n-0000000002"))
        self.assertEqual(self.me.stat(second).ephemeral_owner, self.me.id)

    def test_refusals(self) -> None:
        """Each thing that cannot be done is refused by its own error, and changes nothing."""
        self.me.create("/a")
        self.me.create("/a/b")
        self.me.create("/e", flags=c.EPHEMERAL)
        for answer, error in [
            (self.me.create("/a"), NodeExistsException),
            (self.me.create("/"), NodeExistsException),
            (self.me.create("/no/b"), NoNodeException),
            (self.me.create("/e/b"), NoChildrenForEphemeralsException),
            (self.me.create("/f", flags=9), BadArgumentsException),
            (self.me.create("/f", acls=()), InvalidACLException),
            (self.me.delete("/a"), NotEmptyException),
            (self.me.delete("/a/b", 3), BadVersionException),
            (self.me.delete("/no"), NoNodeException),
            (self.me.delete("/zookeeper"), BadArgumentsException),
            (self.me.set("/a", b"", 1), BadVersionException),
            (self.me.set("/no", b""), NoNodeException),
            (self.me.get("/no"), NoNodeException),
            (self.me.exists("/no"), NoNodeException),
            (self.me.children("/no"), NoNodeException),
            (self.me.ask(77, None), UnimplementedException),
        ]:
            self.assert_refused(answer, error)

    def test_paths(self) -> None:
        """Paths that no client should send make no node."""
        for path in [
            "a",
            "/a/",
            "/a//b",
            "/.",
            "/a/..",
            "/\x01",
            "/\x7f",
            "/\uf8ff",
            "/\U0001f600",
        ]:
            self.assertNotEqual(self.me.create(path).error, 0, path)
        for path in ["/...", "/.a", "/a.", "/ä"]:
            self.assertEqual(self.me.create(path).error, 0, path)

    def test_refused_write_takes_a_transaction(self) -> None:
        """A refused write has a transaction id of its own, and a refused read none."""
        before = self.tree.zxid
        self.assertEqual(self.me.delete("/no").zxid, before + 1)
        self.assertEqual(self.me.get("/no").zxid, before + 1)

    def test_senseless_write_takes_a_transaction(self) -> None:
        """So does a write that cannot be read, while a senseless read takes none."""
        before = self.tree.zxid
        numbers = [self.tree.refuse(operation).zxid for operation in (c.MULTI_OP, c.EXISTS_OP)]
        self.assertEqual(numbers, [before + 1, before + 1])

    def test_check_alone(self) -> None:
        """Outside of a transaction a check takes a transaction id and is refused in its own way."""
        before = self.tree.zxid
        self.assertEqual(self.me.ask(c.CHECK_OP, CheckRequest("/", 0)).zxid, before + 1)
        wrong = self.me.ask(c.CHECK_OP, CheckRequest("/", 5))
        self.assert_refused(wrong, BadVersionException)

    def test_grown_from_nodes(self) -> None:
        """A tree made from another one's nodes answers as that one did."""
        self.me.create("/a", b"x")
        self.me.create("/a/b", flags=c.EPHEMERAL)
        again = Tree(reversed(list(self.tree.nodes.items())), self.tree.zxid)
        someone = Someone(again)
        self.assertEqual(someone.children("/a").body.children, ("b",))
        self.assertEqual(someone.stat("/a"), self.me.stat("/a"))


class TransactionTests(TreeTests):
    """All or nothing."""

    def test_all(self) -> None:
        """Operations see those before them, and share one transaction id; create2 is create."""
        answer = self.me.multi(
            (c.CREATE_OP, CreateRequest("/a", b"", OPEN, 0)),
            (c.CREATE2_OP, CreateRequest("/a/b", b"", OPEN, 0)),
            (c.SET_DATA_OP, SetDataRequest("/a", b"x", 0)),
            (c.CHECK_OP, CheckRequest("/a", 1)),
            (c.DELETE_OP, DeleteRequest("/a/b", 0)),
        )
        self.assertEqual([operation for operation, _ in answer.body], [1, 1, 5, 13, 2])
        stat = self.me.stat("/a")
        self.assertEqual((stat.czxid, stat.mzxid, stat.num_children), (answer.zxid, answer.zxid, 0))

    def test_nothing(self) -> None:
        """One refusal undoes all: 0 before it, its error, and "inconsistency" after it."""
        answer = self.me.multi(
            (c.CREATE_OP, CreateRequest("/a", b"", OPEN, 0)),
            (c.CHECK_OP, CheckRequest("/a", 7)),
            (c.DELETE_OP, DeleteRequest("/nowhere", -1)),
        )
        errors = [0, BadVersionException.code, RuntimeInconsistencyException.code]
        self.assertEqual(answer.body, [(-1, ErrorResponse(error)) for error in errors])
        self.assertEqual((answer.error, answer.events), (0, ()))
        self.assert_refused(self.me.exists("/a"), NoNodeException)

    def test_replaced(self) -> None:
        """A node deleted and created again in one transaction is a new node with its children."""
        self.me.create("/a")
        self.me.create("/a/b")
        self.me.multi(
            (c.DELETE_OP, DeleteRequest("/a/b", -1)),
            (c.DELETE_OP, DeleteRequest("/a", -1)),
            (c.CREATE_OP, CreateRequest("/a", b"", OPEN, 0)),
            (c.CREATE_OP, CreateRequest("/a/c", b"", OPEN, 0)),
        )
        self.assertEqual(self.me.children("/a").body.children, ("c",))


class SessionTests(TreeTests):
    """Sessions end, and take their ephemeral nodes along."""

    def test_closed(self) -> None:
        """Closing a session deletes its ephemeral nodes in one transaction, and tells watchers."""
        other = Someone(self.tree)
        other.create("/a", flags=c.EPHEMERAL)
        other.create("/b", flags=c.EPHEMERAL)
        other.create("/c")
        self.me.get("/a", watch=True)
        answer = self.tree.close_session(other.id, 2000)
        self.assertEqual(answer.events, (Fired(self.me.id, c.DELETED_EVENT, "/a", OPEN),))
        self.assertEqual(self.me.children("/").body.children, ("zookeeper", "c"))
        self.assertEqual(self.me.stat("/").pzxid, answer.zxid)

    def test_over(self) -> None:
        """A session that is over can do nothing more."""
        self.tree.close_session(self.me.id, 2000)
        self.assert_refused(self.me.get("/"), SessionExpiredException)
        self.assert_refused(self.me.create("/a"), SessionExpiredException)

    def test_overdue(self) -> None:
        """A session is overdue once it has not been heard of for longer than its time-out."""
        session, _ = self.tree.open_session(5000, 20000)
        self.tree.touch(self.me.id, 20000)
        self.assertEqual(self.tree.overdue(25000), [])
        self.assertEqual(self.tree.overdue(25001), [session])
        self.tree.touch(session, 25000, 6000)
        self.assertEqual(self.tree.overdue(30999), [self.me.id])

    def test_ids(self) -> None:
        """No two sessions have the same id, however quickly they come."""
        ids = {self.tree.open_session(5000, 20000)[0] for _ in range(100)}
        self.assertEqual(len(ids), 100)


NAMES = st.sampled_from(["/a", "/b", "/a/c", "/a/d", "/a/c/e"])
PARTS = st.one_of(
    st.tuples(
        st.just(c.CREATE_OP),
        st.builds(
            CreateRequest, NAMES, st.just(b"x"), st.just(OPEN), st.sampled_from([0, 1, 2, 3])
        ),
    ),
    st.tuples(st.just(c.DELETE_OP), st.builds(DeleteRequest, NAMES, st.sampled_from([-1, 0]))),
    st.tuples(
        st.just(c.SET_DATA_OP),
        st.builds(SetDataRequest, NAMES, st.binary(max_size=3), st.sampled_from([-1, 0, 1])),
    ),
)


class WholeTreeTests(SynchronousTestCase):
    """What is true of a tree whatever was done to it."""

    @given(st.lists(st.one_of(PARTS, st.lists(PARTS, max_size=5)), max_size=30))
    def test_consistent(self, steps: list[Any]) -> None:
        """Children, counts and owners agree with the nodes, and transactions are all or nothing."""
        tree = Tree()
        someone = Someone(tree)
        for step in steps:
            before = dict(tree.nodes)
            many = isinstance(step, list)
            answer = someone.multi(*step) if many else someone.ask(*step)
            if answer.error or (many and any(operation == -1 for operation, _ in answer.body)):
                self.assertEqual(tree.nodes, before)
        for path in tree.nodes:
            names = someone.children(path).body.children
            above = "/" if path == "/" else path + "/"
            expected = {p for p in tree.nodes if p != "/" and p.rpartition("/")[0] + "/" == above}
            self.assertEqual({above + name for name in names}, expected)
            self.assertEqual(someone.stat(path).num_children, len(names))
        tree.close_session(someone.id, 2000)
        self.assertEqual([path for path, node in tree.nodes.items() if node.owner], [])
