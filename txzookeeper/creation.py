"""How nodes are asked for: each kind has its own operation or flags."""

from __future__ import annotations

from collections.abc import Iterable

from txzookeeper import constants as c
from txzookeeper.errors import BadArgumentsException, MarshallingErrorException
from txzookeeper.multi import Part
from txzookeeper.path import to_client
from txzookeeper.permissions import entries
from txzookeeper.records import (
    ACL,
    Create2Response,
    CreateRequest,
    CreateResponse,
    CreateTTLRequest,
    SetDataRequest,
)

_TTL_FLAGS = {c.PERSISTENT: c.PERSISTENT_TTL, c.SEQUENCE: c.PERSISTENT_SEQUENCE_TTL}


def creation(
    path: str,
    data: bytes,
    acls: Iterable[ACL] | None,
    flags: int,
    ttl: int | None,
    stat: bool = False,
) -> Part:
    """Give the operation and request that make a node; ``path`` is the server's, ``ttl`` in ms.

    With ``stat`` an operation that answers with one. Raises ``BadArgumentsException`` for a time
    to live that such a node cannot have, and ``MarshallingErrorException`` for null data.
    """
    _check_data(path, data)
    if ttl is None:
        op = (
            c.CREATE_CONTAINER_OP if flags == c.CONTAINER else c.CREATE2_OP if stat else c.CREATE_OP
        )
        return op, CreateRequest(path, data, entries(acls), flags)
    if flags not in _TTL_FLAGS:
        message = "Only a persistent node, with or without a sequence number, has a time to live."
        raise BadArgumentsException(path, message)
    return c.CREATE_TTL_OP, CreateTTLRequest(path, data, entries(acls), _TTL_FLAGS[flags], ttl)


def setting(path: str, data: bytes, version: int) -> SetDataRequest:
    """Give the request that replaces a node's data; ``MarshallingErrorException`` for null ones."""
    _check_data(path, data)
    return SetDataRequest(path, data, version)


def _check_data(path: str, data: bytes) -> None:
    # Servers take it, but whoever passes it has mostly made a mistake.
    if data is None:
        raise MarshallingErrorException(path, "A node's data are bytes, not None.")


def created(chroot: str, response: CreateResponse | Create2Response) -> str:
    """Give the path of the node made, as the program knows it."""
    return to_client(chroot, response.path)
