"""A whole tree as lines of JSON, for keeping it elsewhere and for looking at it.

The first line tells what it is and how many lines follow, one for each node: its path, its data as
text or else in base 64 (neither: null), its ACL, and the numbers that are kept of it. Ephemeral
nodes are left out, and sessions: they are nobody's anywhere else.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from txzookeeper.datanode import Node
from txzookeeper.nodes import Nodes
from txzookeeper.records import ACL
from txzookeeper.store import Image, is_whole

FORMAT: Final = "txzookeeper tree 1"

_NUMBERS: Final = tuple(name for name in Node._fields if name not in ("data", "acls"))


def written(image: Image) -> Iterator[str]:
    """Give the lines of an archive."""
    mortal = [path for path, node in image.nodes.items() if node.owner > 0]
    less = Counter(path.rpartition("/")[0] or "/" for path in mortal)
    nodes = [(path, node) for path, node in image.nodes.items() if node.owner <= 0]
    head = {"format": FORMAT, "nodes": len(nodes)}
    yield _line(head | {"zxid": image.zxid, "last_session": image.last_session})
    for path, node in sorted(nodes):
        yield _line(_facts(path, node._replace(children=node.children - less[path])))


def read(lines: Iterable[str], secret: bytes) -> Image:
    """Give what an archive's lines tell; raises ``ValueError`` with a reason if they make no sense.

    ``secret`` is that of the new server.
    """
    numbered = iter(enumerate(lines, 1))
    head = _parsed(*next(numbered, (1, "")))
    if head.get("format") != FORMAT:
        raise ValueError(f'it does not begin with a line that says "{FORMAT}"')
    nodes = Nodes(_node(number, _parsed(number, line)) for number, line in numbered)
    if len(nodes) != head.get("nodes"):
        raise ValueError(f"it has {len(nodes)} nodes instead of {head.get('nodes')}")
    if not is_whole(nodes):
        raise ValueError("nodes are missing")
    return Image(secret, _number(1, head, "zxid"), _number(1, head, "last_session"), nodes)


def _line(facts: dict[str, Any]) -> str:
    return json.dumps(facts, separators=(",", ":")) + "\n"


def _facts(path: str, node: Node) -> dict[str, Any]:
    data = _data_facts(node.data)
    numbers = {name: getattr(node, name) for name in _NUMBERS}
    known = {name: number for name, number in numbers.items() if number}
    return {"path": path, **data, "acls": node.acls, **known}


def _data_facts(data: bytes | None) -> dict[str, Any]:
    if data is None:
        return {}
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}


def _parsed(number: int, line: str) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise ValueError(f"line {number} is no JSON object")
    return facts


def _node(number: int, facts: dict[str, Any]) -> tuple[str, Node]:
    try:
        path, data, acls = facts["path"], _data(facts), tuple(map(_acl, facts["acls"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"line {number} is no node ({error})") from error
    if not isinstance(path, str) or not path.startswith("/") or not acls:
        raise ValueError(f"line {number} is no node")
    numbers = {name: _number(number, facts, name) for name in _NUMBERS}
    return path, Node(data, acls, **numbers)


def _data(facts: dict[str, Any]) -> bytes | None:
    if "text" in facts:
        return str(facts["text"]).encode()
    return b64decode(facts["base64"], validate=True) if "base64" in facts else None


def _acl(entry: Any) -> ACL:
    perms, scheme, name = entry
    return ACL(int(perms), str(scheme), str(name))


def _number(number: int, facts: dict[str, Any], name: str) -> int:
    value = facts.get(name, 0)
    if not isinstance(value, int) or not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"line {number} has no number for {name}")
    return value
