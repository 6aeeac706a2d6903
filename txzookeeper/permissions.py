"""The access control lists that programs use most."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1
from typing import Final

from txzookeeper.constants import PERM_ALL, PERM_READ
from txzookeeper.records import ACL

ZOO_OPEN_ACL_UNSAFE: Final = (ACL(PERM_ALL, "world", "anyone"),)
"""Everybody may do everything: what a node gets if nothing else is said."""

ZOO_READ_ACL_UNSAFE: Final = (ACL(PERM_READ, "world", "anyone"),)
"""Everybody may read."""

ZOO_CREATOR_ALL_ACL: Final = (ACL(PERM_ALL, "auth", ""),)
"""The identities of the session that makes the node may do everything."""


def make_digest_acl(user: str, password: str, perms: int = PERM_ALL) -> ACL:
    """Make the entry for a user who authenticates as ``add_auth("digest", "user:password")``.

    SHA-1 is not our choice: it is what ``DigestAuthenticationProvider`` of ZooKeeper compares.
    """
    digest = sha1(f"{user}:{password}".encode(), usedforsecurity=False).digest()
    return ACL(perms, "digest", f"{user}:{b64encode(digest).decode()}")


def entries(acls: Iterable[ACL] | None) -> tuple[ACL, ...]:
    """Give an ACL as a request holds it; None stands for the open one.

    What is no ACL at all is left to the encoding to refuse.
    """
    if acls is None:
        return ZOO_OPEN_ACL_UNSAFE
    return tuple(acls) if isinstance(acls, Iterable) else acls
