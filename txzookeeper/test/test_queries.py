"""What clients can ask beyond a node's data and children."""

from __future__ import annotations

from txzookeeper import constants as c
from txzookeeper.access import Identity, authenticate
from txzookeeper.errors import (
    MarshallingErrorException,
    NoAuthException,
    NoNodeException,
    ReconfigDisabledException,
)
from txzookeeper.records import (
    ACL,
    ClientInfo,
    CreateRequest,
    Empty,
    ErrorResponse,
    GetAllChildrenNumberRequest,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    GetEphemeralsRequest,
    ReconfigRequest,
)
from txzookeeper.test.trees import OPEN, Someone, TreeTests, heard
from txzookeeper.tree import Answer

SHUT = (ACL(c.PERM_CREATE, "world", "anyone"),)


class CountTests(TreeTests):
    """How many nodes there are below one."""

    def count(self, path: str) -> Answer:
        """Ask for it."""
        return self.me.ask(c.GET_ALL_CHILDREN_NUMBER_OP, GetAllChildrenNumberRequest(path))

    def test_count(self) -> None:
        """All nodes below are counted, at whatever depth, and the node itself is not."""
        for path in ("/a", "/a/b", "/a/b/c", "/a/d", "/ab"):
            self.me.create(path)
        counts = [self.count(path).body.total for path in ("/a", "/a/b", "/a/b/c", "/")]
        self.assertEqual(counts, [3, 1, 0, 5 + 3])

    def test_refused(self) -> None:
        """Only a node that one may read is counted below."""
        self.me.create("/shut", acls=SHUT)
        self.assert_refused(self.count("/shut"), NoAuthException)
        self.assert_refused(self.count("/no"), NoNodeException)


class EphemeralsTests(TreeTests):
    """Which ephemeral nodes a session has."""

    def ephemerals(self, prefix: str) -> set[str]:
        """Ask for them."""
        answer = self.me.ask(c.GET_EPHEMERALS_OP, GetEphemeralsRequest(prefix))
        return set(answer.body.paths)

    def test_prefix(self) -> None:
        """A prefix chooses by the letters of the path; nothing, blanks or a slash choose all."""
        self.me.create("/a")
        for path in ("/a/e", "/ae", "/b"):
            self.me.create(path, flags=c.EPHEMERAL)
        for prefix in ("", " ", "/", " / ", "\0\1"):
            self.assertEqual(self.ephemerals(prefix), {"/a/e", "/ae", "/b"})
        self.assertEqual(self.ephemerals("/a"), {"/a/e", "/ae"})
        self.assertEqual(self.ephemerals("/a/"), {"/a/e"})
        self.assertEqual(self.ephemerals("/no"), set())

    def test_own(self) -> None:
        """Only the session's own are told, and neither containers nor what has a time to live."""
        Someone(self.tree).create("/theirs", flags=c.EPHEMERAL)
        self.me.create_container("/c")
        self.me.create_ttl("/t", 10)
        self.assertEqual(self.ephemerals("/"), set())


class MultiReadTests(TreeTests):
    """Several reads at once."""

    def test_each_for_itself(self) -> None:
        """Each read has its own result or error; the whole succeeds."""
        self.me.create("/a", b"x")
        self.me.create("/a/b")
        self.me.create("/shut", acls=SHUT)
        answer = self.me.ask(
            c.MULTI_READ_OP,
            [
                (c.GET_DATA_OP, GetDataRequest("/a", False)),
                (c.GET_DATA_OP, GetDataRequest("/no", False)),
                (c.GET_CHILDREN_OP, GetChildrenRequest("/shut", False)),
                (c.GET_CHILDREN_OP, GetChildrenRequest("/a", False)),
            ],
        )
        self.assertEqual(
            (answer.error, answer.body),
            (
                0,
                [
                    (c.GET_DATA_OP, GetDataResponse(b"x", self.me.stat("/a"))),
                    (c.ERROR_OP, ErrorResponse(NoNodeException.code)),
                    (c.ERROR_OP, ErrorResponse(NoAuthException.code)),
                    (c.GET_CHILDREN_OP, GetChildrenResponse(("b",))),
                ],
            ),
        )

    def test_no_watch(self) -> None:
        """A part that asks for a watch leaves none."""
        self.me.ask(c.MULTI_READ_OP, [(c.GET_DATA_OP, GetDataRequest("/", True))])
        self.assertEqual(heard(self.me.set("/", b"")), [])

    def test_writes(self) -> None:
        """Writes are refused there, as reads are in a transaction, which takes a zxid for it."""
        before = self.tree.zxid
        write = c.CREATE_OP, CreateRequest("/a", b"", OPEN, 0)
        answer = self.me.ask(c.MULTI_READ_OP, [write])
        self.assertEqual((answer.error, answer.body), (MarshallingErrorException.code, []))
        self.assertEqual(self.tree.zxid, before)
        answer = self.me.multi((c.GET_DATA_OP, GetDataRequest("/", False)))
        self.assert_refused(answer, MarshallingErrorException)
        self.assertEqual(self.tree.zxid, before + 1)


class ServerTests(TreeTests):
    """Questions about the server and oneself."""

    def test_who(self) -> None:
        """A connection's identities are told: of a digest only the user's name."""
        identities = Identity("ip", "10.0.0.1"), authenticate("digest", b"me:secret", "")
        someone = Someone(self.tree, *identities)
        self.assertEqual(
            someone.ask(c.WHO_AM_I_OP, Empty()).body.identities,
            (ClientInfo("ip", "10.0.0.1"), ClientInfo("digest", "me")),
        )

    def test_config(self) -> None:
        """The configuration of a server that stands alone is empty, and nobody may change it."""
        self.assertEqual(self.me.get("/zookeeper/config").body.data, b"")
        self.assert_refused(self.me.set("/zookeeper/config", b""), NoAuthException)

    def test_reconfig(self) -> None:
        """A reconfiguration is switched off; asking for one takes a transaction id."""
        before = self.tree.zxid
        for request in [
            ReconfigRequest("server.2=host:1:2;3", None, None, -1),
            ReconfigRequest(None, "1", None, 7),
            ReconfigRequest(None, None, None, -1),
        ]:
            answer = self.me.ask(c.RECONFIG_OP, request)
            self.assert_refused(answer, ReconfigDisabledException)
        self.assertEqual(self.tree.zxid, before + 3)
