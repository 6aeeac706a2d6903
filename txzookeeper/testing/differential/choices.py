"""Steps drawn at random: mostly what clients do, on few nodes, so that they meet; and nonsense.

What is left out, because no two servers of Apache's own could be compared in it, or because it
would end a real one, is said where it is left out.
"""

from __future__ import annotations

from dataclasses import replace
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
    RemoveWatchesRequest,
    SetACLRequest,
    SetDataRequest,
    SetWatches2Request,
    SetWatchesRequest,
    SyncRequest,
)
from txzookeeper.testing.differential.caretaker import ROOT
from txzookeeper.testing.differential.steps import (
    Ask,
    Burst,
    Connect,
    HangUp,
    Mangled,
    Noise,
    Step,
    by,
    is_plain,
    nullable,
)

CLIENTS: Final = 3

_GOOD = [ROOT, *(f"{ROOT}/{name}" for name in ("a", "b", "a/a", "a/b", "a/b/c", "s", "ab"))]
_NUMBERED = [f"{ROOT}/{name}" for name in ("s0000000000", "s0000000001", "a/0000000000")]
_ELSEWHERE = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "/zookeeper/a", "/x"]
_BAD = [
    *("", "d", "//", "/d/", "/d//a", "/d/a/", "/d/.", "/d/./a", "/d/..", "/d/../d", "/d/..a", "."),
    *("/d/a\0", "/d/\1", "/d/\x7f", "/d/\x9f", "/d/\ue000", "/d/\uffff", "/d/\ufff0", "/d/\ufeff"),
    *("/d/\u00e4", "/d/\u3042", "/d/\u2028", "/d/ ", "/d/a/b/c/d/e"),
]
paths = st.one_of(
    st.sampled_from(_GOOD),
    st.sampled_from(_GOOD),
    st.sampled_from(_GOOD),
    st.sampled_from(_GOOD + _NUMBERED + _ELSEWHERE),
    st.sampled_from(_GOOD + _BAD),
)
"""Paths that mostly can be, and often are."""

data = st.sampled_from([b"", b"1", b"22", b"\0" * 1000])
versions = st.sampled_from([-1, -1, -1, 0, 0, 1, 2, 3, -2, 1 << 30, -(1 << 31)])
_perms = st.sampled_from([c.PERM_ALL, c.PERM_ALL, 1, 2, 4, 8, 16, 15, 30, 0, 32, 63, -1])
_entries = st.one_of(
    st.builds(ACL, st.just(c.PERM_ALL), st.just("world"), st.just("anyone")),
    st.builds(ACL, _perms, st.just("world"), st.just("anyone")),
    st.builds(ACL, _perms, st.just("auth"), st.sampled_from(["", "", "x"])),
    st.builds(
        ACL,
        _perms,
        st.just("digest"),
        st.sampled_from([make_digest_acl("u", "p").id, "u:x", "u", "", ":", "a:b:c", ":b", "u:"]),
    ),
    st.builds(
        ACL,
        _perms,
        st.just("ip"),
        st.sampled_from(
            [
                *("127.0.0.1", "127.0.0.0/8", "10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "::1", "x"),
                *("127.0.0.1/33", "127.0.0.1/-1", "127.1", "127.0.0.1/32", "127.0.0.256", "1/2/3"),
            ]
        ),
    ),
    st.builds(
        ACL,
        _perms,
        st.sampled_from(["world", "super", "x509", "sasl", "nothing", ""]),
        st.sampled_from(["anyone", "", "somebody"]),
    ),
)
_OPEN = (ACL(c.PERM_ALL, "world", "anyone"),)
acls = st.one_of(
    st.just(_OPEN), st.just(_OPEN), st.just(_OPEN), st.lists(_entries, max_size=3).map(tuple)
)
flags = st.sampled_from([0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, -1, 8])
_watched = st.booleans()
# Apache's server writes what is beyond the basic plane in a way that is no UTF-8.
_SEQUENCES: Final = [f"{ROOT}/s", f"{ROOT}/", f"{ROOT}/a/", f"{ROOT}/a", f"{ROOT}/\U0001f600"]
_new_paths = st.one_of(paths, st.sampled_from(_SEQUENCES))

creates = st.builds(CreateRequest, _new_paths, data, acls, flags)
# A real server ends itself when asked for a node with a time to live, but without time and flag.
ttl_creates = st.one_of(
    st.builds(
        CreateTTLRequest,
        _new_paths,
        data,
        acls,
        st.sampled_from([5, 6]),
        st.sampled_from([100_000, 1 << 39, (1 << 40) - 1, 1 << 40, 0, -1]),
    ),
    st.builds(CreateTTLRequest, _new_paths, data, acls, flags, st.just(100_000)),
)
_deletes = st.builds(DeleteRequest, paths, versions)
_sets = st.builds(SetDataRequest, paths, data, versions)
_checks = st.builds(CheckRequest, paths, versions)
_lists = st.lists(paths, max_size=2).map(tuple)
_since = st.sampled_from([0, 0, 1, 2, 3, 10, 1000, -1])
_modes = st.sampled_from([0, 1, 1, 2, -1])
_kinds = st.sampled_from([1, 2, 3, 3, 0, 4])


def _parts(*kinds: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[Part, ...]]:
    each = st.one_of(*(st.tuples(st.just(op), records) for op, records in kinds))
    return st.lists(each, max_size=4).map(tuple)


_PLAIN: Final = (
    (c.CREATE_OP, creates),
    (c.CREATE2_OP, creates),
    (c.DELETE_OP, _deletes),
    (c.SET_DATA_OP, _sets),
)
# A check that succeeds is answered by a real server only as a part of a transaction.
_CHECK: Final = (c.CHECK_OP, _checks)
_CHANGES: Final = (
    *_PLAIN,
    (c.CREATE_CONTAINER_OP, st.builds(CreateRequest, _new_paths, data, acls, st.just(4))),
    (c.CREATE_TTL_OP, ttl_creates),
)
_READS: Final = (
    (c.GET_DATA_OP, st.builds(GetDataRequest, paths, _watched)),
    (c.GET_CHILDREN_OP, st.builds(GetChildrenRequest, paths, _watched)),
)
_WATCHING: Final = (
    *_READS,
    (c.EXISTS_OP, st.builds(ExistsRequest, paths, _watched)),
    (c.GET_CHILDREN2_OP, st.builds(GetChildren2Request, paths, _watched)),
    (c.ADD_WATCH_OP, st.builds(AddWatchRequest, paths, _modes)),
    (c.REMOVE_WATCHES_OP, st.builds(RemoveWatchesRequest, paths, _kinds)),
    (c.CHECK_WATCHES_OP, st.builds(CheckWatchesRequest, paths, _kinds)),
    (c.SET_WATCHES_OP, st.builds(SetWatchesRequest, _since, _lists, _lists, _lists)),
    (
        c.SET_WATCHES2_OP,
        st.builds(SetWatches2Request, _since, _lists, _lists, _lists, _lists, _lists),
    ),
)
# Who changes the ACL of what is nobody's own could not be undone by everybody.
_OTHERS: Final = (
    (c.GET_ACL_OP, st.builds(GetACLRequest, paths)),
    (c.SET_ACL_OP, st.builds(SetACLRequest, paths, acls, versions)),
    (c.SYNC_OP, st.builds(SyncRequest, paths)),
    (c.WHO_AM_I_OP, st.just(Empty())),
    (c.PING_OP, st.just(Empty())),
    (c.GET_EPHEMERALS_OP, st.builds(GetEphemeralsRequest, paths)),
    (c.GET_ALL_CHILDREN_NUMBER_OP, st.builds(GetAllChildrenNumberRequest, paths)),
    (c.MULTI_OP, _parts(*_CHANGES, _CHECK)),
    (c.MULTI_OP, _parts(*_PLAIN, _CHECK)),
    (c.MULTI_READ_OP, _parts(*_READS)),
)
_RARE: Final = (
    (c.MULTI_OP, _parts(*_CHANGES, _CHECK, *_READS)),
    (c.MULTI_READ_OP, _parts(*_CHANGES, _CHECK, *_READS)),
    (c.RECONFIG_OP, st.just(ReconfigRequest("server.1=h:1:2;3", None, None, -1))),
)
_CREDENTIALS = st.builds(
    AuthRequest,
    st.just(0),
    st.sampled_from(["digest", "digest", "digest", "ip", "world", "auth", "x509", ""]),
    st.sampled_from([b"u:p", b"u:p", b"v:q", b"u", b"", b":", b"\xff\xfe:x", b"a:b:c"]),
)
_UNKNOWN = st.sampled_from([0, -1, 10, 23, 99, 108, -100, 1 << 30, -(1 << 31)])

_clients = st.integers(0, CLIENTS - 1)


def _asks(*kinds: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[Ask]:
    return st.one_of(*(st.builds(Ask, _clients, st.just(op), records) for op, records in kinds))


_usual = _asks(*_CHANGES, *_WATCHING, *_OTHERS)
_cuts = st.builds(Mangled, length=st.integers(0, 60))
# What is no UTF-8 is refused by us, and read as something else by Apache's.
_overwritten = st.one_of(
    st.builds(
        Mangled, offset=st.just(0), number=st.sampled_from([-2, (1 << 31) - 1, -(1 << 31), 1 << 24])
    ),
    st.builds(
        Mangled, offset=st.integers(0, 80), number=st.sampled_from([0, 1, 2, 100, 0x2F2F2F2F])
    ),
)
_added = st.builds(Mangled, added=st.sampled_from([b"\0", b"more"]))
_TIMED: Final = (c.CREATE_TTL_OP, c.MULTI_OP)


def _damaged(ask: Ask) -> st.SearchStrategy[Ask]:
    """Damage a request, unless that could make it the one which no real server survives."""
    damages = [_cuts]
    if ask.operation not in _TIMED:
        nulls = nullable(ask.request)[:0]
        damages += [
            *[_overwritten] * is_plain(ask.request),
            _added,
            *[st.builds(Mangled, null=st.sampled_from(nulls))] * bool(nulls),
        ]
    return st.one_of(damages).map(lambda damage: replace(ask, mangled=damage))


_numbered = st.builds(
    replace, _usual, xid=st.sampled_from([0, -1, -4, -8, -3, (1 << 31) - 1, -(1 << 31)])
)
_endings = _clients.map(lambda client: Ask(client, c.CLOSE_OP, Empty()))


def _burst(client: int) -> st.SearchStrategy[Burst]:
    several = st.lists(_usual.map(lambda ask: by(ask, client)), min_size=2, max_size=5)
    return st.builds(
        lambda asks, ends: Burst((*asks, *([Ask(client, c.CLOSE_OP, Empty())] * ends))),
        several,
        st.sampled_from([0, 0, 0, 1]),
    )


_greetings = st.one_of(
    st.builds(Connect, _clients),
    st.builds(Connect, _clients, resume=st.integers(0, 3)),
    st.builds(
        Connect,
        _clients,
        timeout=st.sampled_from([30_000, 0, -1, 1, 20_000, 200_000, 300_000, (1 << 31) - 1]),
        resume=st.one_of(st.none(), st.integers(0, 3)),
        wrong=st.sampled_from([None, None, bytes(16), b"", b"x" * 16, b"short", b"x" * 17]),
        ahead=st.sampled_from([0, 0, 0, 1, 1000, -1]),
        read_only=st.sampled_from([False, True, None]),
        version=st.sampled_from([0, 0, 1, -1]),
    ),
)
_noises = st.one_of(
    st.builds(
        Noise,
        _clients,
        st.sampled_from(
            [
                *(b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\x7f\xff\xff\xff", b"\0\x10\0\0"),
                *(b"\0\0\0\4abcd", b"\0\0\0\0", b"\0\0\0\7\0\0\0\1\0\0\0"),
            ]
        ),
        st.booleans(),
    ),
)

_steps: st.SearchStrategy[Step] = st.one_of(
    *[_usual] * 24,
    _asks(*_RARE),
    st.builds(Ask, _clients, _UNKNOWN, st.just(b"")),
    _usual.flatmap(_damaged),
    _usual.flatmap(_damaged),
    _numbered,
    _asks((c.AUTH_OP, _CREDENTIALS)),
    _asks((c.AUTH_OP, st.just(AuthRequest(0, "digest", b"u:p")))),
    _clients.flatmap(_burst),
    _greetings,
    _greetings,
    _endings,
    st.builds(HangUp, _clients),
    _noises,
)


def plays(length: int) -> st.SearchStrategy[list[Step]]:
    """Draw what happens in one play, of about this many steps."""
    # Lists are short on the average unless they must not be, which would forbid to shorten them.
    scene = st.lists(st.deferred(lambda: _steps), max_size=10)
    scenes = st.tuples(*[scene] * (length // 5))
    return scenes.map(lambda several: [step for each in several for step in each])
