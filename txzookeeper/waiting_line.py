"""A line of clients that wait for their turn: what locks, semaphores and elections are made of.

Who waits is an ephemeral node with a sequence number below the line's node. By his rule each one
watches only those whose going may make it his turn, so that nobody is woken for nothing.

Source of the idea: "ZooKeeper Recipes and Solutions" of ZooKeeper 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from twisted.internet.defer import gatherResults
from twisted.python.failure import Failure

from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import NoNodeException
from txzookeeper.records import Stat
from txzookeeper.retry import retry

# The number is as Java's %010d has it: ten characters, or eleven below minus 999,999,999.
_NAME: Final = re.compile(
    r"(?P<kind>[a-z]+)-(?P<token>[0-9a-f]{16})-(?P<number>[0-9]{10}|-[0-9]{9,10})"
)
_NUMBERS: Final = 2**32


class Ticket(NamedTuple):
    """Somebody's node in a line: its name, and what that is made of.

    The kind says what he waits for, the token is his alone, the number is the server's.
    """

    name: str
    kind: str
    token: str
    number: int


Rule = Callable[[list[Ticket]], list[Ticket]]
"""(those before me, in order): gives those to wait for; none when it is my turn.

They are so many that one of them is gone whenever it has become my turn.
"""


def behind_all(before: list[Ticket]) -> list[Ticket]:
    """Wait for everybody, so for the one right before me."""
    return before[-1:]


def behind_kind(kind: str) -> Rule:
    """Wait for those of a kind, so for the last of them."""
    return lambda before: [each for each in before if each.kind == kind][-1:]


def among_first(count: int) -> Rule:
    """Wait until less than ``count`` are before me.

    Then at most ``count - 1`` are left of the last ``count`` before me: one of them is gone.
    """
    return lambda before: before[-count:] if len(before) >= count else []


def in_order(names: Iterable[str]) -> list[Ticket]:
    """Give the tickets among these names, the first in line first; other names are left out.

    The server counts with 32 bits and goes on below zero after the last number, so that only
    the distance between two numbers says who came first.
    """
    found = [
        Ticket(match[0], match["kind"], match["token"], int(match["number"]))
        for match in map(_NAME.fullmatch, names)
        if match is not None
    ]
    some = found[0].number if found else 0
    return sorted(found, key=lambda each: (each.number - some + _NUMBERS // 2) % _NUMBERS)


async def tickets(client: ZookeeperClient, line: str) -> list[Ticket]:
    """Give those who stand in a line now, in order; none if there is no such node."""
    try:
        return in_order(await retry(client, client.get_children, line))
    except NoNodeException:
        return []


async def identifiers(client: ZookeeperClient, line: str, count: int | None = None) -> list[bytes]:
    """Give the data of the first ``count`` (None: all) in a line: what they say of themselves."""
    asked = [
        retry(client, client.get, below(line, each.name)).addCallbacks(_data, _gone)
        for each in (await tickets(client, line))[:count]
    ]
    found = await gatherResults(asked, consumeErrors=True)
    return [data for data in found if data is not None]


def below(line: str, name: str) -> str:
    """Give the path of a node in a line."""
    return f"{line.rstrip('/')}/{name}"


def _data(result: tuple[bytes, Stat]) -> bytes | None:
    return result[0]


def _gone(failure: Failure) -> None:
    failure.trap(NoNodeException)
