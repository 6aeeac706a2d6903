"""What a server must not forget, in one SQLite file: nodes, sessions, and the last ids given.

What is kept is on the disk when `Store.keep` returns: it outlives the process and a power cut. It
is there as a whole or not at all. Only one process has the file at a time.

The file's format is its ``user_version``; a change of the tables below is a new format.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from txzookeeper.datanode import Node, born
from txzookeeper.nodes import Nodes
from txzookeeper.records import ACL
from txzookeeper.trouble import Damaged, Foreign, Newer, StoreFailed, Trouble

FORMAT: Final = 1

_APPLICATION: Final = 0x545A4B54
_FIELDS: Final = tuple(name for name in Node._fields if name not in ("data", "acls"))
_TABLES: Final = (
    "CREATE TABLE server (zxid INTEGER, last_session INTEGER, secret BLOB)",
    "CREATE TABLE sessions (session INTEGER PRIMARY KEY, timeout INTEGER)",
    "CREATE TABLE nodes (path TEXT PRIMARY KEY, data BLOB, acls TEXT, "
    + ", ".join(f"{name} INTEGER" for name in _FIELDS)
    + ") WITHOUT ROWID",
    "CREATE TABLE room (filler BLOB)",
)
_DURABLE: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -16384",
)
_READ_NODES: Final = f"SELECT path, data, acls, {', '.join(_FIELDS)} FROM nodes"
_KEEP_NODE: Final = f"REPLACE INTO nodes VALUES ({', '.join('?' * (3 + len(_FIELDS)))})"
_ROOM: Final = 2 << 20


class Batch(NamedTuple):
    """What is to be kept at once: nodes, and sessions' time-outs in ms; None for what is gone."""

    zxid: int
    last_session: int
    nodes: Mapping[str, Node | None] = {}
    sessions: Mapping[int, int | None] = {}


class Image(NamedTuple):
    """All that is kept."""

    secret: bytes
    zxid: int
    last_session: int
    nodes: Nodes
    sessions: Mapping[int, int] = {}


def blank(secret: bytes) -> Image:
    """Give what a new server has."""
    return Image(secret, 0, 0, Nodes(born()))


class Store:
    """The file at ``path``; all methods but `open` need it to be open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database: Any = None

    def open(self, new: Image) -> None:
        """Open the file; where there is none, make it with this in it.

        Does nothing if it is open already. Raises `Newer`, `Foreign`, `Damaged` or `StoreFailed`.
        """
        if self._database is not None:
            return
        try:
            # What SQLite makes beside it will have the same permissions.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._database = sqlite3.connect(self.path, timeout=0, isolation_level=None)
            self._open(new)
        except (sqlite3.Error, OSError, Trouble) as error:
            self.close()
            raise self._trouble(error) from error

    def load(self) -> Image:
        """Give all that is kept; raises `Damaged` or `StoreFailed`."""
        try:
            finding = self._value("PRAGMA quick_check(1)")
            if finding != "ok":
                raise self._damaged(finding.strip("* \n").rpartition("\n")[2])
            image = self._load()
        except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
            raise self._trouble(error) from error
        if not is_whole(image.nodes):
            raise self._damaged("nodes are missing")
        return image

    def keep(self, batch: Batch) -> None:
        """Keep all of this, or raise `StoreFailed` and keep none of it."""
        self._write(self._keep, batch)

    def try_room(self) -> None:
        """Raise `StoreFailed` if there is no room for more than the largest request."""
        self._write(self._execute, "INSERT INTO room VALUES (zeroblob(?))", (_ROOM,))
        self._write(self._execute, "DELETE FROM room")

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _open(self, new: Image) -> None:
        self._execute("PRAGMA locking_mode = EXCLUSIVE")
        is_new = not self._value("PRAGMA schema_version")
        if not is_new:
            self._recognise()
        for pragma in _DURABLE:
            self._execute(pragma)
        self._write(self._make, new) if is_new else self._write(lambda: None)

    def _recognise(self) -> None:
        if self._value("PRAGMA application_id") != _APPLICATION:
            raise Foreign(file=self.path)
        found = self._value("PRAGMA user_version")
        if found > FORMAT:
            raise Newer(file=self.path, found=found, known=FORMAT)

    def _make(self, image: Image) -> None:
        self._execute(f"PRAGMA application_id = {_APPLICATION}")
        self._execute(f"PRAGMA user_version = {FORMAT}")
        for table in _TABLES:
            self._execute(table)
        self._execute("INSERT INTO server (secret) VALUES (?)", (image.secret,))
        self._keep(Batch(image.zxid, image.last_session, image.nodes, image.sessions))

    def _load(self) -> Image:
        [(zxid, last_session, secret)] = self._execute(
            "SELECT zxid, last_session, secret FROM server"
        )
        sessions = dict(self._execute("SELECT session, timeout FROM sessions"))
        return Image(
            secret, zxid, last_session, Nodes(_nodes(self._execute(_READ_NODES))), sessions
        )

    def _keep(self, batch: Batch) -> None:
        many = self._database.executemany
        gone = [(path,) for path, node in batch.nodes.items() if node is None]
        many("DELETE FROM nodes WHERE path = ?", gone)
        many(_KEEP_NODE, _rows(batch.nodes))
        for session, timeout in batch.sessions.items():
            if timeout is None:
                self._execute("DELETE FROM sessions WHERE session = ?", (session,))
            else:
                self._execute("REPLACE INTO sessions VALUES (?, ?)", (session, timeout))
        self._execute("UPDATE server SET zxid = ?, last_session = ?", batch[:2])

    def _write(self, work: Callable[..., object], *args: object) -> None:
        try:
            self._execute("BEGIN IMMEDIATE")
            work(*args)
            self._execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._execute("ROLLBACK")
            raise self._trouble(error) from error

    def _execute(self, statement: str, values: tuple[object, ...] = ()) -> Any:
        return self._database.execute(statement, values)

    def _value(self, statement: str) -> Any:
        return self._execute(statement).fetchone()[0]

    def _trouble(self, error: Exception) -> Trouble:
        if isinstance(error, Trouble):
            return error
        if isinstance(error, OSError):
            return StoreFailed(file=self.path, reason=error.strerror or error)
        code = getattr(error, "sqlite_errorcode", None)
        if code is None or code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self._damaged(str(error))
        if code & 0xFF == sqlite3.SQLITE_BUSY:
            return StoreFailed(file=self.path, reason="another program has it open")
        return StoreFailed(file=self.path, reason=error)

    def _damaged(self, reason: str) -> Damaged:
        return Damaged(file=self.path, reason=reason)


def _nodes(rows: Iterable[Any]) -> Iterator[tuple[str, Node]]:
    """Give the nodes of rows; those with the same ACL share it."""
    known: dict[str, tuple[ACL, ...]] = {}
    make = tuple.__new__
    for path, data, acls, *fields in rows:
        if acls not in known:
            known[acls] = tuple(ACL(*acl) for acl in json.loads(acls))
        yield path, make(Node, (data, known[acls], *fields))


def _rows(nodes: Mapping[str, Node | None]) -> Iterator[tuple[object, ...]]:
    known: dict[tuple[ACL, ...], str] = {}
    for path, node in nodes.items():
        if node is not None:
            if node.acls not in known:
                known[node.acls] = json.dumps(node.acls)
            yield path, node.data, known[node.acls], *node[2:]


def is_whole(nodes: Nodes) -> bool:
    """Say whether every node but the root is its parent's child, as many as the parent counts."""
    counts = ((path, node.children) for path, node in nodes.items() if node.children)
    counted = 0
    for path, count in counts:
        if len(nodes.children(path)) != count:
            return False
        counted += count
    return "/" in nodes and counted == len(nodes) - 1
