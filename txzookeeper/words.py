"""The four-letter words: what anybody may ask a server about itself, on a connection of its own.

The answers are laid out as a real server's, for the programs that read them; what has no meaning
here is left out.

Source: the ``server/command`` package and ``ServerStats.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

import os
import platform
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, Protocol

from txzookeeper import constants as c
from txzookeeper.connection import Connection
from txzookeeper.connections import HANDSHAKE, Connections
from txzookeeper.datanode import Node
from txzookeeper.tally import Tally
from txzookeeper.tree import Tree
from txzookeeper.watchtable import Kind

VERSION: Final = "3.8.0-txzookeeper"
"""Whose protocol is spoken, in the form in which programs look for it."""


class Asked(Protocol):
    """The server, as far as the words ask about it."""

    tree: Tree
    tally: Tally
    tick: int
    connections: Connections
    started: int

    @property
    def writable(self) -> bool:
        """Whether it can save what is changed."""

    def elapsed(self) -> int:
        """Give the time in ms on a clock that only goes forward."""

    def now(self) -> int:
        """Give the time of day, in ms since 1970."""


def answer(word: str, server: Asked, asker: Connection) -> str | None:
    """Give the answer to a word; None if it is none."""
    if word in _UNLISTED:
        return f"{word} is not executed because it is not in the whitelist.\n"
    function = _WORDS.get(word)
    return None if function is None else function(server, asker)


def _ruok(server: Asked, asker: Connection) -> str:
    return "imok"


def _isro(server: Asked, asker: Connection) -> str:
    return "rw" if server.writable else "ro"


def _srvr(server: Asked, asker: Connection) -> str:
    return f"Zookeeper version: {_version()}\n" + _numbers(server)


def _stat(server: Asked, asker: Connection) -> str:
    clients = "".join(f" {_brief(each, asker)})\n" for each in server.connections)
    return f"Zookeeper version: {_version()}\nClients:\n{clients}\n" + _numbers(server)


def _mntr(server: Asked, asker: Connection) -> str:
    return "".join(f"zk_{name}\t{value}\n" for name, value in _monitored(server))


def _cons(server: Asked, asker: Connection) -> str:
    lines = (f" {_brief(each, asker)}{_details(server, each)})\n" for each in server.connections)
    return "".join(lines) + "\n"


def _wchs(server: Asked, asker: Connection) -> str:
    watches = server.tree.watches(Kind.NODE)
    sessions = {session for _, session in watches}
    paths = {path for path, _ in watches}
    return (
        f"{len(sessions)} connections watching {len(paths)} paths\nTotal watches:{len(watches)}\n"
    )


def _dump(server: Asked, asker: Connection) -> str:
    sessions = [(known.deadline, f"0x{key:x}") for key, known in server.tree.sessions.items()]
    owned = {key: sorted(server.tree.nodes.ephemerals(key)) for key in server.tree.sessions}
    owners = [(key, paths) for key, paths in owned.items() if paths]
    ephemerals = (
        f"0x{key:x}:\n" + "".join(f"\t{path}\n" for path in paths) for key, paths in owners
    )
    return "".join(
        [
            "SessionTracker dump:\nSession ",
            *_sets(server, sessions),
            f"ephemeral nodes dump:\nSessions with Ephemerals ({len(owners)}):\n",
            *ephemerals,
            "Connections dump:\nConnections ",
            *_sets(server, [_connection_end(server, each) for each in server.connections]),
        ]
    )


def _conf(server: Asked, asker: Connection) -> str:
    return _lines(
        {
            "clientPort": getattr(asker.transport.getHost(), "port", -1),
            "tickTime": server.tick,
            "maxClientCnxns": server.connections.limits.of_one_address,
            "minSessionTimeout": 2 * server.tick,
            "maxSessionTimeout": 20 * server.tick,
            "serverId": 0,
        }
    )


def _envi(server: Asked, asker: Connection) -> str:
    return "Environment:\n" + _lines(
        {
            "zookeeper.version": _version(),
            "host.name": platform.node(),
            "python.version": platform.python_version(),
            "os.name": platform.system(),
            "os.arch": platform.machine(),
            "os.version": platform.release(),
            "user.dir": os.getcwd(),
        }
    )


def _crst(server: Asked, asker: Connection) -> str:
    for connection in server.connections:
        connection.tally.reset()
    return "Connection stats reset.\n"


def _srst(server: Asked, asker: Connection) -> str:
    server.tally.reset()
    return "Server stats reset.\n"


_WORDS: Final[dict[str, Callable[[Asked, Connection], str]]] = {
    "ruok": _ruok,
    "isro": _isro,
    "srvr": _srvr,
    "stat": _stat,
    "mntr": _mntr,
    "cons": _cons,
    "wchs": _wchs,
    "dump": _dump,
    "conf": _conf,
    "envi": _envi,
    "crst": _crst,
    "srst": _srst,
}
_UNLISTED: Final = frozenset({"dirs", "gtmk", "hash", "stmk", "wchc", "wchp"})
"""Words that a real server knows, but answers only if it was told to."""

_OPERATIONS: Final = {
    c.CREATE_OP: "CREA",
    c.CREATE2_OP: "CREA",
    c.CREATE_CONTAINER_OP: "CREA",
    c.CREATE_TTL_OP: "CREA",
    c.DELETE_OP: "DELE",
    c.EXISTS_OP: "EXIS",
    c.GET_DATA_OP: "GETD",
    c.SET_DATA_OP: "SETD",
    c.GET_ACL_OP: "GETA",
    c.SET_ACL_OP: "SETA",
    c.GET_CHILDREN_OP: "GETC",
    c.GET_CHILDREN2_OP: "GETC",
    c.SYNC_OP: "SYNC",
    c.PING_OP: "PING",
    c.CHECK_OP: "CHEC",
    c.MULTI_OP: "MULT",
    c.MULTI_READ_OP: "MLTR",
    c.SET_WATCHES_OP: "SETW",
    c.SET_WATCHES2_OP: "STW2",
    c.ADD_WATCH_OP: "ADDW",
    c.CHECK_WATCHES_OP: "CHKW",
    c.REMOVE_WATCHES_OP: "REMW",
    c.GET_EPHEMERALS_OP: "GETE",
    c.GET_ALL_CHILDREN_NUMBER_OP: "GETACN",
    c.WHO_AM_I_OP: "HOMI",
    c.RECONFIG_OP: "RECO",
    c.CLOSE_OP: "CLOS",
}


def _version() -> str:
    return f"{VERSION}, built on {platform.python_implementation()} {platform.python_version()}"


def _mode(server: Asked) -> str:
    return "standalone" if server.writable else "read-only"


def _numbers(server: Asked) -> str:
    tally = server.tally
    return (
        f"Latency min/avg/max: {tally.shortest}/{_mean(tally)}/{tally.longest}\n"
        f"Received: {tally.received}\n"
        f"Sent: {tally.sent}\n"
        f"Connections: {len(server.connections)}\n"
        "Outstanding: 0\n"
        f"Zxid: 0x{server.tree.zxid:x}\n"
        f"Mode: {_mode(server)}\n"
        f"Node count: {len(server.tree.nodes)}\n"
    )


def _mean(tally: Tally) -> str:
    return f"{round(tally.mean, 4):.4f}".rstrip("0").ljust(3, "0")


def _monitored(server: Asked) -> Iterator[tuple[str, object]]:
    tree, tally = server.tree, server.tally
    yield "version", _version()
    yield "server_state", _mode(server)
    yield "uptime", server.elapsed() - server.started
    yield "avg_latency", _mean(tally)
    yield "min_latency", tally.shortest
    yield "max_latency", tally.longest
    yield "packets_received", tally.received
    yield "packets_sent", tally.sent
    yield "num_alive_connections", len(server.connections)
    yield "connection_rejected", server.connections.rejected
    yield "outstanding_requests", 0
    yield "znode_count", len(tree.nodes)
    yield "ephemerals_count", sum(len(tree.nodes.ephemerals(key)) for key in tree.sessions)
    yield "approximate_data_size", sum(map(_size, tree.nodes.items()))
    yield "watch_count", sum(len(tree.watches(kind)) for kind in Kind)
    yield "global_sessions", len(tree.sessions)
    yield "local_sessions", 0
    with suppress(OSError):
        yield "open_file_descriptor_count", len(os.listdir("/proc/self/fd"))
    yield "max_file_descriptor_count", resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _size(item: tuple[str, Node]) -> int:
    path, node = item
    return len(path) + len(node.data or b"")


def _brief(connection: Connection, asker: Connection) -> str:
    """Give what the shorter lists tell of a connection, its last parenthesis left open."""
    tally = connection.tally
    listens = 0 if connection is asker else 1
    counts = f"queued=0,recved={tally.received},sent={tally.sent}"
    return f"{_address(connection)}[{listens}]({counts}"


def _details(server: Asked, connection: Connection) -> str:
    known = server.tree.sessions.get(connection.session)
    if known is None:
        return ""
    tally = connection.tally
    xid, operation = connection.last_request
    facts: dict[str, Any] = {
        "sid": f"0x{connection.session:x}",
        "lop": _OPERATIONS.get(operation, "SESS"),
        "est": server.now() - server.elapsed() + connection.since,
        "to": known.timeout,
        "lcxid": f"0x{xid & 0xFFFFFFFFFFFFFFFF:x}",
        "lzxid": f"0x{connection.last_zxid & 0xFFFFFFFFFFFFFFFF:x}",
        "minlat": tally.shortest,
        "avglat": int(tally.mean),
        "maxlat": tally.longest,
    }
    return "," + ",".join(f"{name}={value}" for name, value in facts.items())


def _address(connection: Connection) -> str:
    port = getattr(connection.transport.getPeer(), "port", 0)
    return f"/{connection.address}:{port}"


def _connection_end(server: Asked, connection: Connection) -> tuple[float, str]:
    known = server.tree.sessions.get(connection.session)
    end = connection.since + HANDSHAKE if known is None else known.deadline
    return end, f"ip: {_address(connection)} sessionId: 0x{connection.session:x}"


def _sets(server: Asked, ends: Iterable[tuple[float, str]]) -> Iterator[str]:
    """Give what ends when; the ends are looked for once a tick."""
    sets: dict[int, list[str]] = defaultdict(list)
    for end, name in ends:
        sets[-int(-end // server.tick) * server.tick].append(name)
    yield f"Sets ({len(sets)})/({sum(map(len, sets.values()))}):\n"
    offset = server.now() - server.elapsed()
    for end, names in sorted(sets.items()):
        date = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime((end + offset) / 1000))
        yield f"{len(names)} expire at {date}:\n"
        yield from (f"\t{name}\n" for name in names)


def _lines(facts: dict[str, object]) -> str:
    return "".join(f"{name}={value}\n" for name, value in facts.items())
