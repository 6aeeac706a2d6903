"""The numbers of the ZooKeeper protocol, under the names of the C binding where it has them.

Source: ``zookeeper.jute``, ``ZooDefs.java`` and ``Watcher.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from typing import Final

# What a request asks for (RequestHeader.type).
NOTIFICATION_OP: Final = 0
CREATE_OP: Final = 1
DELETE_OP: Final = 2
EXISTS_OP: Final = 3
GET_DATA_OP: Final = 4
SET_DATA_OP: Final = 5
GET_ACL_OP: Final = 6
SET_ACL_OP: Final = 7
GET_CHILDREN_OP: Final = 8
SYNC_OP: Final = 9
PING_OP: Final = 11
GET_CHILDREN2_OP: Final = 12
CHECK_OP: Final = 13
MULTI_OP: Final = 14
CREATE2_OP: Final = 15
RECONFIG_OP: Final = 16
CHECK_WATCHES_OP: Final = 17
REMOVE_WATCHES_OP: Final = 18
CREATE_CONTAINER_OP: Final = 19
DELETE_CONTAINER_OP: Final = 20
CREATE_TTL_OP: Final = 21
MULTI_READ_OP: Final = 22
AUTH_OP: Final = 100
SET_WATCHES_OP: Final = 101
GET_EPHEMERALS_OP: Final = 103
GET_ALL_CHILDREN_NUMBER_OP: Final = 104
SET_WATCHES2_OP: Final = 105
ADD_WATCH_OP: Final = 106
WHO_AM_I_OP: Final = 107
CLOSE_OP: Final = -11
ERROR_OP: Final = -1

CREATIONS: Final = frozenset({CREATE_OP, CREATE2_OP, CREATE_CONTAINER_OP, CREATE_TTL_OP})
"""The operations that make a node."""

# Transaction ids that are not a request's: replies carrying them answer no numbered call.
NOTIFICATION_XID: Final = -1
PING_XID: Final = -2
AUTH_XID: Final = -4
SET_WATCHES_XID: Final = -8

# What happened (WatcherEvent.type).
SESSION_EVENT: Final = -1
CREATED_EVENT: Final = 1
DELETED_EVENT: Final = 2
CHANGED_EVENT: Final = 3
CHILD_EVENT: Final = 4
DATA_WATCH_REMOVED_EVENT: Final = 5
CHILD_WATCH_REMOVED_EVENT: Final = 6
PERSISTENT_WATCH_REMOVED_EVENT: Final = 7

EVENT_NAMES: Final[dict[int, str]] = {
    SESSION_EVENT: "session",
    CREATED_EVENT: "created",
    DELETED_EVENT: "deleted",
    CHANGED_EVENT: "changed",
    CHILD_EVENT: "child",
    DATA_WATCH_REMOVED_EVENT: "data watch removed",
    CHILD_WATCH_REMOVED_EVENT: "child watch removed",
    PERSISTENT_WATCH_REMOVED_EVENT: "persistent watch removed",
}

# How the session stands (WatcherEvent.state, and ``ZookeeperClient.state``); "lost" is the client's
# own word for a session that no server has confirmed for its whole time-out.
DISCONNECTED_STATE: Final = 0
CONNECTING_STATE: Final = 1
CONNECTED_STATE: Final = 3
READONLY_STATE: Final = 5
CLOSED_STATE: Final = 7
LOST_STATE: Final = 9
EXPIRED_SESSION_STATE: Final = -112
AUTH_FAILED_STATE: Final = -113

STATE_NAMES: Final[dict[int, str]] = {
    DISCONNECTED_STATE: "disconnected",
    CONNECTING_STATE: "connecting",
    CONNECTED_STATE: "connected",
    READONLY_STATE: "read-only",
    CLOSED_STATE: "closed",
    LOST_STATE: "lost",
    EXPIRED_SESSION_STATE: "expired",
    AUTH_FAILED_STATE: "auth-failed",
}

# What an ACL allows (a bit mask).
PERM_READ: Final = 1
PERM_WRITE: Final = 2
PERM_CREATE: Final = 4
PERM_DELETE: Final = 8
PERM_ADMIN: Final = 16
PERM_ALL: Final = 31

# How a node is made (CreateRequest.flags); only 1 and 2 combine.
PERSISTENT: Final = 0
EPHEMERAL: Final = 1
SEQUENCE: Final = 2
CONTAINER: Final = 4
PERSISTENT_TTL: Final = 5
PERSISTENT_SEQUENCE_TTL: Final = 6

# Which watches to take away (RemoveWatchesRequest.type).
CHILD_WATCHES: Final = 1
DATA_WATCHES: Final = 2
ANY_WATCHES: Final = 3

# How a standing watch watches (AddWatchRequest.mode).
PERSISTENT_WATCH: Final = 0
PERSISTENT_RECURSIVE_WATCH: Final = 1

ANY_VERSION: Final = -1
"""The version that matches whatever version the node has."""

MAX_PACKET: Final = 0xFFFFF
"""Largest packet in bytes, the server's default of ``jute.maxbuffer``."""

SET_WATCHES_CHUNK: Final = 128 * 1024
"""Largest re-arming request in bytes: servers refuse bigger packets (ZOOKEEPER-706)."""

DEFAULT_PORT: Final = 2181
