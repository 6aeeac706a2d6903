"""What a lost answer leaves open, and what can be found out about it.

Note [Doubt]: a change whose answer was lost has been made, or not. Made again, it may be refused
just because it was made the first time: then the refusal proves nothing. A node found in the place
of one to be made tells by its owner whose it is; the data of a node found at the next version
tells that somebody else wrote it, if they are not ours. Equal data do not tell that they are
ours: two who count from 6 to 7 both write 7. What cannot be known is not claimed.

Note [Barrier]: before one looks, what was sent must have happened, or never happen. All writes of
a session happen in their order, also those that are refused. So one is made that changes nothing.
A ``sync`` is not enough: a leader answers those of its own clients at once, while a change that
came through another server may still be under way.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    BadVersionException,
    ConnectionLossException,
    NoAuthException,
    NodeExistsException,
    NoNodeException,
    OperationTimeoutException,
    RequestTimeoutException,
    ZooKeeperException,
)
from txzookeeper.path import is_sequence
from txzookeeper.records import (
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    Record,
    SetACLRequest,
    SetDataRequest,
    Stat,
)

ANSWER_LOST: Final = (
    ConnectionLossException,
    OperationTimeoutException,
    RequestTimeoutException,
)
"""Errors after which a change may have been made or not."""

_ONCE: Final = frozenset({c.MULTI_OP, c.RECONFIG_OP})


def only_once(op: int, request: Record | None) -> bool:
    """Say whether a second try might do a second thing, and nobody could tell.

    Sequence nodes get another name at each try; transactions and reconfigurations may hold
    anything.
    """
    if isinstance(request, CreateRequest | CreateTTLRequest):
        return is_sequence(request.flags)
    return op in _ONCE


def proves_nothing(request: Record | None, refusal: ZooKeeperException) -> bool:
    """Say whether a repeated change may be refused in this way because the first try succeeded."""
    match request, refusal:
        case (CreateRequest() | CreateTTLRequest(), NodeExistsException()):
            return True
        case (DeleteRequest(), NoNodeException() | BadVersionException()):
            return True
        case (SetDataRequest() | SetACLRequest(), BadVersionException()):
            return True
    return False


def is_ours(request: Record | None, session: int, data: bytes, stat: Stat) -> bool | None:
    """Say whether the node now there is the work of this request of this session.

    None says that it cannot be known; see Note [Doubt].
    """
    match request:
        case CreateRequest(_, wanted, _, c.EPHEMERAL):
            return stat.ephemeral_owner == session and (stat.version > 0 or data == wanted)
        case CreateRequest(_, wanted, _, _) | CreateTTLRequest(_, wanted, _, _, _):
            return False if stat.version == 0 and data != wanted else None
        case SetDataRequest(_, wanted, version):
            return False if stat.version == version + 1 and data != wanted else None
    return None


async def barrier(client: ZookeeperClient) -> None:
    """Wait until all that this session has sent has happened; see Note [Barrier]."""
    with suppress(BadVersionException, NoNodeException, NoAuthException):
        await client.transaction().check("/", 2**31 - 1).commit()
