"""Who may do what: the identities that a server believes in, and what an ACL allows them.

Pure, and the server's half of it: clients only send credentials. The schemes are those of a
server as it is installed: ``world``, ``auth``, ``digest`` and ``ip``.

Source: ``DigestAuthenticationProvider.java``, ``IPAuthenticationProvider.java`` and ``fixupACL``
of ZooKeeper 3.8.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Final, NamedTuple

from txzookeeper.errors import AuthFailedException, InvalidACLException
from txzookeeper.records import ACL, ClientInfo

ANYONE: Final = ("world", "anyone")


class Identity(NamedTuple):
    """Who somebody is by the rules of one scheme."""

    scheme: str
    id: str


def authenticate(scheme: str, auth: bytes, address: str) -> Identity:
    """Give the identity that these credentials prove; raises ``AuthFailedException`` if none."""
    if scheme == "ip":
        return Identity("ip", address)
    if scheme != "digest":
        raise AuthFailedException(message=f"There is no way to authenticate by {scheme!r}.")
    user = auth.decode(errors="replace").partition(":")[0]
    hashed = b64encode(sha1(auth, usedforsecurity=False).digest())
    return Identity("digest", f"{user}:{hashed.decode()}")


def info(identity: Identity) -> ClientInfo:
    """Give what anybody may see of an identity: of a digest the user's name alone."""
    scheme, name = identity
    return ClientInfo(scheme, name.partition(":")[0] if scheme == "digest" else name)


def allows(acls: Iterable[ACL], perms: int, identities: Iterable[Identity]) -> bool:
    """Say whether one of the identities has at least one of these permissions."""
    granted = [acl for acl in acls if acl.perms & perms]
    return any(
        acl[1:] == ANYONE or any(_matches(acl, identity) for identity in identities)
        for acl in granted
    )


def settle(acls: Iterable[ACL], identities: Iterable[Identity], path: str) -> tuple[ACL, ...]:
    """Give the ACL to be kept for one that was sent: ``auth`` stands for the sender's identities.

    Raises ``InvalidACLException`` for an empty one, an unknown scheme, or an id that is no id.
    """
    proven = [identity for identity in identities if identity.scheme == "digest"]
    kept: list[ACL] = []
    for acl in dict.fromkeys(acls):
        if acl.scheme == "auth":
            meant = [ACL(acl.perms, *identity) for identity in proven]
        else:
            meant = [acl] if _is_valid(acl) else []
        if not meant:
            raise InvalidACLException(path)
        kept += meant
    if not kept:
        raise InvalidACLException(path)
    return tuple(kept)


def masked(acls: Iterable[ACL]) -> tuple[ACL, ...]:
    """Hide the password hashes, for readers who are not administrators of the node."""
    return tuple(
        acl._replace(id=acl.id.partition(":")[0] + ":x") if acl.scheme == "digest" else acl
        for acl in acls
    )


def _matches(acl: ACL, identity: Identity) -> bool:
    if acl.scheme != identity.scheme:
        return False
    if acl.scheme == "ip":
        return ip_address(identity.id) in ip_network(acl.id, strict=False)
    return acl.id == identity.id


def _is_valid(acl: ACL) -> bool:
    match acl.scheme:
        case "world":
            return acl.id == "anyone"
        case "digest":
            return re.fullmatch(r"[^:]*:[^:]+", acl.id) is not None
        case "ip":
            return _is_network(acl.id)
        case _:
            return False


def _is_network(text: str) -> bool:
    """Say whether it is an address or a network; ZooKeeper 3.8 knows those of IPv4 alone."""
    try:
        IPv4Network(text, strict=False)
    except ValueError:
        return False
    return re.fullmatch(r".+/\d+|[^/]+", text) is not None
