"""What the tests of the data tree share."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.access import Identity
from txzookeeper.changes import Caller
from txzookeeper.records import (
    ACL,
    AddWatchRequest,
    CheckWatchesRequest,
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    ExistsRequest,
    GetChildrenRequest,
    GetDataRequest,
    RemoveWatchesRequest,
    SetDataRequest,
    Stat,
)
from txzookeeper.tree import Answer, Tree

OPEN = (ACL(c.PERM_ALL, "world", "anyone"),)


class Someone:
    """A session on a tree, and short ways to use it."""

    def __init__(self, tree: Tree, *identities: Identity) -> None:
        self.tree = tree
        self.id, _ = tree.open_session(10000, 0)
        self.caller = Caller(self.id, identities)

    def ask(self, operation: int, request: Any, now: int = 1000) -> Answer:
        return self.tree.perform(operation, request, self.caller, now)

    def create(
        self, path: str, data: bytes | None = b"", flags: int = 0, acls: Any = OPEN, now: int = 1000
    ) -> Answer:
        return self.ask(c.CREATE_OP, CreateRequest(path, data, acls, flags), now)

    def create_container(self, path: str, flags: int = c.CONTAINER) -> Answer:
        return self.ask(c.CREATE_CONTAINER_OP, CreateRequest(path, b"", OPEN, flags))

    def create_ttl(
        self, path: str, ttl: int, flags: int = c.PERSISTENT_TTL, now: int = 1000
    ) -> Answer:
        return self.ask(c.CREATE_TTL_OP, CreateTTLRequest(path, b"", OPEN, flags, ttl), now)

    def set(self, path: str, data: bytes | None, version: int = -1, now: int = 1000) -> Answer:
        return self.ask(c.SET_DATA_OP, SetDataRequest(path, data, version), now)

    def delete(self, path: str, version: int = -1) -> Answer:
        return self.ask(c.DELETE_OP, DeleteRequest(path, version))

    def exists(self, path: str, watch: bool = False) -> Answer:
        return self.ask(c.EXISTS_OP, ExistsRequest(path, watch))

    def get(self, path: str, watch: bool = False) -> Answer:
        return self.ask(c.GET_DATA_OP, GetDataRequest(path, watch))

    def children(self, path: str, watch: bool = False) -> Answer:
        return self.ask(c.GET_CHILDREN_OP, GetChildrenRequest(path, watch))

    def stand(self, path: str, recursive: bool = False) -> Answer:
        return self.ask(c.ADD_WATCH_OP, AddWatchRequest(path, int(recursive)))

    def check_watches(self, path: str, kind: int = c.ANY_WATCHES) -> Answer:
        return self.ask(c.CHECK_WATCHES_OP, CheckWatchesRequest(path, kind))

    def remove_watches(self, path: str, kind: int = c.ANY_WATCHES) -> Answer:
        return self.ask(c.REMOVE_WATCHES_OP, RemoveWatchesRequest(path, kind))

    def multi(self, *parts: tuple[int, Any]) -> Answer:
        return self.ask(c.MULTI_OP, parts)

    def stat(self, path: str) -> Stat:
        stat: Stat = self.exists(path).body.stat
        return stat


def heard(answer: Answer, session: int = 0) -> list[tuple[str, str]]:
    """Give the name and path of each event for the session, or for anybody."""
    return [
        (c.EVENT_NAMES[fired.type], fired.path)
        for fired in answer.events
        if session in (0, fired.session)
    ]


class TreeTests(SynchronousTestCase):
    """A tree with one session."""

    def setUp(self) -> None:
        self.tree = Tree()
        self.me = Someone(self.tree)

    def assert_refused(self, answer: Answer, error: type[Any]) -> None:
        self.assertEqual((answer.error, answer.body), (error.code, None))
