"""Who prepares a real server for each play, and cleans up behind it: nobody can lock him out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from txzookeeper import constants as c
from txzookeeper.datanode import Node
from txzookeeper.jute import decode, encode
from txzookeeper.operations import REPLIES
from txzookeeper.permissions import ZOO_OPEN_ACL_UNSAFE, ZOO_READ_ACL_UNSAFE, make_digest_acl
from txzookeeper.records import (
    AuthRequest,
    ConnectRequest,
    ConnectResponse,
    CreateRequest,
    DeleteRequest,
    Empty,
    GetACLRequest,
    GetChildrenRequest,
    GetDataRequest,
    ReplyHeader,
    RequestHeader,
    SetACLRequest,
)
from txzookeeper.testing.differential.wires import Stuck, Wire, framed

ROOT: Final = "/d"
"""The node in which everything takes place; new for each play."""

_BORN: Final = {
    "/": ZOO_OPEN_ACL_UNSAFE,
    "/zookeeper": ZOO_OPEN_ACL_UNSAFE,
    "/zookeeper/quota": ZOO_OPEN_ACL_UNSAFE,
    "/zookeeper/config": ZOO_READ_ACL_UNSAFE,
}
_CREDENTIAL: Final = ("super", "user")
SETTINGS: Final = {
    "DigestAuthenticationProvider.superDigest": make_digest_acl(*_CREDENTIAL).id,
    # Sessions of 20 to 200 seconds: none ends by itself, were the machine ever so busy.
    "tickTime": "10000",
}
"""What a server needs in its configuration for him, and for the plays."""

OPTIONS: Final = ("-Xmx256m", "-Dznode.container.checkIntervalMs=2000000000")
"""What it is told when it starts: it looks for no containers, as that happens at any moment."""

TICK: Final = 10_000
"""That tick in ms."""

Image = tuple[list[tuple[str, Node]], int]
"""A server's nodes, parents first, and its last transaction."""


class Caretaker:
    """A client that may do everything; its session outlives the server's restarts."""

    def __init__(self, dial: Callable[[], Wire]) -> None:
        self._dial = dial
        self._wire: Wire | None = None
        self._session = ConnectResponse(0, 0, 0, bytes(16))

    def prepare(self) -> Image:
        """Make the server as it is to be at the beginning, and give what it is like then."""
        if self._wire is None or not self._answers():
            self._connect()
        self._remove(ROOT)
        for path, acls in _BORN.items():
            self._tidy(path, acls)
        self._ask(c.CREATE_OP, CreateRequest(ROOT, b"", ZOO_OPEN_ACL_UNSAFE, 0))
        nodes = [(path, self._node(path)) for path in (*_BORN, ROOT)]
        return nodes, self._ask(c.EXISTS_OP, GetDataRequest(ROOT, False))[0].zxid

    def _connect(self) -> None:
        self._wire = self._dial()
        session = self._session.session_id, self._session.password
        reply = self._say(encode(ConnectRequest(0, 0, 20 * TICK, *session)))
        self._session = decode(ConnectResponse, reply)
        self._ask(c.AUTH_OP, AuthRequest(0, "digest", ":".join(_CREDENTIAL).encode()))

    def _answers(self) -> bool:
        try:
            self._ask(c.PING_OP, Empty())
        except Stuck:
            return False
        return True

    def _tidy(self, path: str, acls: Any) -> None:
        _, reply = self._ask(c.GET_ACL_OP, GetACLRequest(path))
        if reply.acls != acls:
            self._ask(c.SET_ACL_OP, SetACLRequest(path, acls, -1))
        for name in self._children(path):
            below = f"{path.rstrip('/')}/{name}"
            if below not in _BORN:
                self._remove(below)

    def _remove(self, path: str) -> None:
        for name in self._children(path):
            self._remove(f"{path}/{name}")
        self._ask(c.DELETE_OP, DeleteRequest(path, -1))

    def _children(self, path: str) -> tuple[str, ...]:
        header, reply = self._ask(c.GET_CHILDREN_OP, GetChildrenRequest(path, False))
        return () if header.err else reply.children

    def _node(self, path: str) -> Node:
        _, found = self._ask(c.GET_DATA_OP, GetDataRequest(path, False))
        _, access = self._ask(c.GET_ACL_OP, GetACLRequest(path))
        stat = found.stat
        return Node(
            found.data,
            access.acls,
            stat.czxid,
            stat.mzxid,
            stat.pzxid,
            stat.ctime,
            stat.mtime,
            stat.version,
            stat.aversion,
            (stat.cversion + stat.num_children) // 2,
            stat.num_children,
        )

    def _ask(self, operation: int, request: Any) -> tuple[ReplyHeader, Any]:
        packet = self._say(encode(RequestHeader(1, operation)) + encode(request))
        header = decode(ReplyHeader, packet)
        if header.err:
            return header, None
        return header, decode(REPLIES[operation], packet, len(encode(header)))

    def _say(self, packet: bytes) -> bytes:
        assert self._wire is not None
        self._wire.send(framed(packet))
        self._wire.wait(bool)
        packets = self._wire.take()
        if not packets:
            raise Stuck("the real server does not answer any more")
        return packets[0]
