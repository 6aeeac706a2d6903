"""What the tests of the data tree share."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.access import Identity
from txzookeeper.changes import Caller
from txzookeeper.records import (
    ACL,
    CreateRequest,
    DeleteRequest,
    ExistsRequest,
    GetChildrenRequest,
    GetDataRequest,
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
        self, path: str, data: bytes = b"", flags: int = 0, acls: Any = OPEN, now: int = 1000
    ) -> Answer:
        return self.ask(c.CREATE_OP, CreateRequest(path, data, acls, flags), now)

    def set(self, path: str, data: bytes, version: int = -1, now: int = 1000) -> Answer:
        return self.ask(c.SET_DATA_OP, SetDataRequest(path, data, version), now)

    def delete(self, path: str, version: int = -1) -> Answer:
        return self.ask(c.DELETE_OP, DeleteRequest(path, version))

    def exists(self, path: str, watch: bool = False) -> Answer:
        return self.ask(c.EXISTS_OP, ExistsRequest(path, watch))

    def get(self, path: str, watch: bool = False) -> Answer:
        return self.ask(c.GET_DATA_OP, GetDataRequest(path, watch))

    def children(self, path: str, watch: bool = False) -> Answer:
        return self.ask(c.GET_CHILDREN_OP, GetChildrenRequest(path, watch))

    def multi(self, *parts: tuple[int, Any]) -> Answer:
        return self.ask(c.MULTI_OP, parts)

    def stat(self, path: str) -> Stat:
        stat: Stat = self.exists(path).body.stat
        return stat


class TreeTests(SynchronousTestCase):
    """A tree with one session."""

    def setUp(self) -> None:
        self.tree = Tree()
        self.me = Someone(self.tree)

    def assert_refused(self, answer: Answer, error: type[Any]) -> None:
        self.assertEqual((answer.error, answer.body, answer.changes), (error.code, None, {}))
