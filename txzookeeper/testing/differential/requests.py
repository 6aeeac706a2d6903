"""Requests drawn at random: mostly what clients ask, about few nodes, so that they meet.

What is left out, because real servers say nothing about it, or something that is not worth
imitating, or because it ends them, is said where it is left out.
"""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from txzookeeper import constants as c
from txzookeeper.multi import Part
from txzookeeper.permissions import make_digest_acl
from txzookeeper.records import (
    ACL,
    AddWatchRequest,
    AuthRequest,
    CheckRequest,
    CheckWatchesRequest,
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    Empty,
    ExistsRequest,
    GetACLRequest,
    GetAllChildrenNumberRequest,
    GetChildren2Request,
    GetChildrenRequest,
    GetDataRequest,
    GetEphemeralsRequest,
    ReconfigRequest,
    Record,
    RemoveWatchesRequest,
    SetACLRequest,
    SetDataRequest,
    SetWatches2Request,
    SetWatchesRequest,
    SyncRequest,
)
from txzookeeper.testing.differential.caretaker import ROOT
from txzookeeper.testing.differential.steps import LAST

Requests = st.SearchStrategy[Any]
Request = tuple[int, Record | tuple[Part, ...]]


def weighted(*choices: tuple[int, Requests]) -> Requests:
    """Draw from one of several strategies, from each as often as its weight says."""
    numbers = [number for number, (weight, _) in enumerate(choices) for _ in range(weight)]
    return st.deferred(lambda: st.sampled_from(numbers).flatmap(lambda number: choices[number][1]))


_OFTEN: Final = [ROOT, *(f"{ROOT}/{name}" for name in ("a", "a", "a", "b", "b", "a/a", "a/a"))]
_GOOD: Final = [f"{ROOT}/{name}" for name in ("a/b", "a/a/a", "s", "ab", "s0000000000")]
_ELSEWHERE: Final = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "/zookeeper/a"]
_BAD: Final = [
    *("", "d", "//", "/d/", "/d//a", "/d/a/", "/d/.", "/d/./a", "/d/..", "/d/../d", "/d/..a", "."),
    *("/d/a\0", "/d/\1", "/d/\x7f", "/d/\x9f", "/d/\ue000", "/d/\uffff", "/d/\ufff0", "/d/\ufeff"),
    *("/d/\u00e4", "/d/\u3042", "/d/\u2028", "/d/ ", "/d/a/b/c/d/e"),
]
paths = weighted(
    (20, st.sampled_from(_OFTEN)),
    (4, st.just(LAST)),
    (3, st.sampled_from(_GOOD)),
    (1, st.sampled_from(_ELSEWHERE)),
    (1, st.sampled_from(_BAD)),
)
"""Paths that mostly can be, and often are."""

_BEFORE_NUMBERS: Final = [f"{ROOT}/s", f"{ROOT}/", f"{ROOT}/a/", f"{ROOT}/a"]
# Apache's server writes what is beyond the basic plane in a way that is no UTF-8.
_UNHEARD: Final = [f"{ROOT}/\U0001f600"]
_new_paths = weighted(
    (12, paths), (4, st.sampled_from(_BEFORE_NUMBERS)), (1, st.sampled_from(_UNHEARD))
)

data = st.sampled_from([b"", b"1", b"22", None, b"\0" * 1000])
versions = st.sampled_from([-1, -1, -1, -1, 0, 0, 1, 2, -2, 1 << 30, -(1 << 31)])
_ANY_PERMS: Final = [c.PERM_ALL, c.PERM_ALL, c.PERM_ALL, 1, 2, 4, 8, 16, 15, 30]
_perms = weighted((9, st.sampled_from(_ANY_PERMS)), (1, st.sampled_from([0, 32, 63, -1])))
_OPEN: Final = ACL(c.PERM_ALL, "world", "anyone")
_USERS: Final = [make_digest_acl(*pair).id for pair in (("u", "p"), ("v", "q"))]
_USED: Final = [
    *(("world", "anyone"), ("auth", ""), ("auth", "x"), ("digest", _USERS[0])),
    *(("digest", _USERS[1]), ("ip", "127.0.0.1"), ("ip", "127.0.0.0/8"), ("ip", "10.0.0.1")),
]
_USELESS: Final = [
    *(("digest", name) for name in ("u:x", "u", "", ":", "a:b:c", ":b", "u:")),
    *(("ip", name) for name in ("10.0.0.0/8", "0.0.0.0/0", "::1", "x", "", "127.1", "1/2/3")),
    *(("ip", f"127.0.0.{name}") for name in ("1/33", "1/-1", "1/32", "1/0", "256", "1/255.0.0.0")),
    *(("world", "somebody"), ("world", ""), ("super", ""), ("x509", "x"), ("sasl", "x"), ("", "")),
]
_entries = weighted(
    (4, st.builds(lambda perms, who: ACL(perms, *who), _perms, st.sampled_from(_USED))),
    (1, st.builds(lambda perms, who: ACL(perms, *who), _perms, st.sampled_from(_USELESS))),
)
acls = weighted(
    (12, st.just((_OPEN,))),
    (2, st.lists(_entries, max_size=3).map(lambda entries: (*entries, _OPEN))),
    (2, st.lists(_entries, max_size=3).map(tuple)),
)
flags = weighted(
    (12, st.sampled_from([0, 0, 0, 1, 1, 2, 3])), (1, st.sampled_from([4, 5, 6, 7, -1, 8]))
)
_watched = st.booleans()
_since = st.sampled_from([0, 0, 1, 2, 3, 10, 1000, -1])
_modes = weighted((12, st.sampled_from([0, 1, 1])), (1, st.sampled_from([2, -1])))
_kinds = weighted((12, st.sampled_from([1, 2, 3, 3])), (1, st.sampled_from([0, 4, -1])))
_lists = st.lists(paths, max_size=2).map(tuple)

_creates = st.builds(CreateRequest, _new_paths, data, acls, flags)
# A real server ends a container with the flag of ephemeral nodes together with its session if
# that ends at the very moment, and otherwise not.
_container_flags = weighted((6, st.just(c.CONTAINER)), (1, st.sampled_from([0, 2, 5, 6, 7, -1, 8])))
_containers = st.builds(CreateRequest, _new_paths, data, acls, _container_flags)
_TIMES: Final = [100_000, 100_000, 1 << 39, (1 << 40) - 1, 1 << 40, 0, -1]
# A real server ends itself when asked for a node with a time to live, but without time and flag.
_mortals = weighted(
    (
        6,
        st.builds(
            CreateTTLRequest,
            _new_paths,
            data,
            acls,
            st.sampled_from([5, 6]),
            st.sampled_from(_TIMES),
        ),
    ),
    (1, st.builds(CreateTTLRequest, _new_paths, data, acls, flags, st.just(100_000))),
)


def _of(operation: int, records: Requests) -> Requests:
    return st.tuples(st.just(operation), records)


def _parts(each: Requests) -> Requests:
    return st.lists(each, max_size=4).map(tuple)


_deletes = _of(c.DELETE_OP, st.builds(DeleteRequest, paths, versions))
_changes = weighted(
    (5, _of(c.CREATE_OP, _creates)),
    (5, _of(c.CREATE2_OP, _creates)),
    (4, _deletes),
    (4, _of(c.SET_DATA_OP, st.builds(SetDataRequest, paths, data, versions))),
    (2, _of(c.CREATE_CONTAINER_OP, _containers)),
    (2, _of(c.CREATE_TTL_OP, _mortals)),
)
# A check that succeeds is answered by a real server only as a part of a transaction.
_parts_of_changes = weighted(
    (6, _changes), (1, _of(c.CHECK_OP, st.builds(CheckRequest, paths, versions)))
)
_parts_of_reads = weighted(
    (1, _of(c.GET_DATA_OP, st.builds(GetDataRequest, paths, _watched))),
    (1, _of(c.GET_CHILDREN_OP, st.builds(GetChildrenRequest, paths, _watched))),
)
_mixtures = _parts(weighted((4, _parts_of_changes), (1, _parts_of_reads)))
_reads = weighted(
    (6, _parts_of_reads),
    (4, _of(c.EXISTS_OP, st.builds(ExistsRequest, paths, _watched))),
    (3, _of(c.GET_CHILDREN2_OP, st.builds(GetChildren2Request, paths, _watched))),
    (2, _of(c.GET_ACL_OP, st.builds(GetACLRequest, paths))),
    (1, _of(c.SYNC_OP, st.builds(SyncRequest, paths))),
    (1, _of(c.WHO_AM_I_OP, st.just(Empty()))),
    (1, _of(c.PING_OP, st.just(Empty()))),
    (2, _of(c.GET_EPHEMERALS_OP, st.builds(GetEphemeralsRequest, paths))),
    (2, _of(c.GET_ALL_CHILDREN_NUMBER_OP, st.builds(GetAllChildrenNumberRequest, paths))),
    (2, _of(c.MULTI_READ_OP, _parts(_parts_of_reads))),
)
_watches = weighted(
    (4, _of(c.ADD_WATCH_OP, st.builds(AddWatchRequest, paths, _modes))),
    (2, _of(c.REMOVE_WATCHES_OP, st.builds(RemoveWatchesRequest, paths, _kinds))),
    (2, _of(c.CHECK_WATCHES_OP, st.builds(CheckWatchesRequest, paths, _kinds))),
    (
        1,
        _of(c.SET_WATCHES_OP, st.builds(SetWatchesRequest, _since, _lists, _lists, _lists)),
    ),
    (
        1,
        _of(
            c.SET_WATCHES2_OP,
            st.builds(SetWatches2Request, _since, _lists, _lists, _lists, _lists, _lists),
        ),
    ),
)
requests: st.SearchStrategy[Request] = weighted(
    (20, _changes),
    (2, _of(c.SET_ACL_OP, st.builds(SetACLRequest, paths, acls, versions))),
    (7, _of(c.MULTI_OP, _parts(_parts_of_changes))),
    (14, _reads),
    (7, _watches),
)
"""What clients ask."""

rare_requests: st.SearchStrategy[Request] = weighted(
    (4, _of(c.MULTI_OP, _mixtures)),
    (4, _of(c.MULTI_READ_OP, _mixtures)),
    (1, _of(c.RECONFIG_OP, st.just(ReconfigRequest("server.1=h:1:2;3", None, None, -1)))),
    (8, st.sampled_from([0, -1, 10, 23, 99, 108, -100, 1 << 30]).map(lambda op: (op, b""))),
)
"""What makes no sense."""

_CREDENTIAL: Final = AuthRequest(0, "digest", b"u:p")
credentials: st.SearchStrategy[Request] = _of(
    c.AUTH_OP,
    weighted(
        (6, st.just(_CREDENTIAL)),
        (3, st.just(AuthRequest(0, "digest", b"v:q"))),
        (
            2,
            st.builds(
                AuthRequest,
                st.sampled_from([0, 0, 1]),
                st.sampled_from(["digest", "digest", "digest", "ip", "world", "auth", "x509", ""]),
                st.sampled_from([b"u:p", b"u", b"", b":", b"\xff\xfe:x", b"a:b:c"]),
            ),
        ),
    ),
)
"""What clients say of themselves."""
