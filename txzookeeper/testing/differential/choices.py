"""Steps drawn at random: what several clients do, one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from txzookeeper import constants as c
from txzookeeper.records import Empty
from txzookeeper.testing.differential.requests import (
    Request,
    credentials,
    rare_requests,
    requests,
    weighted,
)
from txzookeeper.testing.differential.steps import (
    Ask,
    Burst,
    Connect,
    HangUp,
    Mangled,
    Noise,
    Restart,
    Step,
    is_plain,
)

CLIENTS: Final = 3

_clients = st.integers(0, CLIENTS - 1)


def _ask(client: int, request: Request, xid: int | None = None) -> Ask:
    return Ask(client, *request, xid)


_asks: st.SearchStrategy[Ask] = st.builds(_ask, _clients, requests)
_cuts = st.builds(Mangled, length=st.integers(0, 60))
_overwritten = weighted(
    (
        1,
        st.builds(
            Mangled,
            offset=st.just(0),
            number=st.sampled_from([-2, (1 << 31) - 1, -(1 << 31), 1 << 24]),
        ),
    ),
    (
        1,
        st.builds(
            Mangled, offset=st.integers(0, 80), number=st.sampled_from([0, 1, 2, 100, 0x2F2F2F2F])
        ),
    ),
)
_added = st.builds(Mangled, added=st.sampled_from([b"\0", b"more"]))
_NULLS: Final = ("path", "acls", "prefix", "scheme")
_DANGEROUS: Final = (c.CREATE_TTL_OP, c.MULTI_OP)
_CREATIONS: Final = (c.CREATE_OP, c.CREATE2_OP, c.CREATE_CONTAINER_OP)
_ABOUT_WATCHES: Final = (c.CHECK_WATCHES_OP, c.REMOVE_WATCHES_OP)


def _damaged(ask: Ask) -> st.SearchStrategy[Ask]:
    """Damage a request, unless that could make it the one which no real server survives.

    What is no UTF-8 is refused by us, and read as something else by Apache's. Null lists of paths
    and null names in an ACL are refused by Apache's, and read as empty ones by us. What it says of
    watches at the null path depends on those that are elsewhere, and of creating that on the flags.
    """
    damages = [_cuts]
    if ask.operation not in _DANGEROUS:
        nulls = [name for name in _NULLS if hasattr(ask.request, name)]
        nulls = nulls[ask.operation in (*_CREATIONS, *_ABOUT_WATCHES) :]
        damages += [
            *[_overwritten] * is_plain(ask.request),
            _added,
            *(st.just(Mangled(null=name)) for name in nulls),
        ]
    return st.one_of(damages).map(lambda damage: replace(ask, mangled=damage))


_NUMBERS: Final = [0, -1, -4, -8, -3, (1 << 31) - 1, -(1 << 31)]


def _burst(client: int, several: list[Request], ends: bool) -> Burst:
    asks = [Ask(client, *request) for request in several]
    return Burst((*asks, *([Ask(client, c.CLOSE_OP, Empty())] * ends)))


_greetings = weighted(
    (2, st.builds(Connect, _clients)),
    (2, st.builds(Connect, _clients, resume=st.integers(0, 3))),
    (
        3,
        st.builds(
            Connect,
            _clients,
            timeout=st.sampled_from([30_000, 0, -1, 1, 20_000, 200_000, 300_000, (1 << 31) - 1]),
            resume=st.one_of(st.none(), st.integers(0, 3)),
            wrong=st.sampled_from([None, None, bytes(16), b"", b"x" * 16, b"short", b"x" * 17]),
            ahead=st.sampled_from([0, 0, 0, 0, 1, 1000, -1]),
            read_only=st.sampled_from([False, True, None]),
            version=st.sampled_from([0, 0, 1, -1]),
            mangled=weighted(
                (8, st.none()), (1, st.builds(Mangled, length=st.integers(0, 48))), (1, _added)
            ),
        ),
    ),
)
_LENGTHS: Final = [
    *(b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\x7f\xff\xff\xff", b"\0\x10\0\0"),
    *(b"\0\0\0\4abcd", b"\0\0\0\0", b"\0\0\0\7\0\0\0\1\0\0\0"),
]

_steps: st.SearchStrategy[Step] = weighted(
    (60, _asks),
    (1, st.builds(_ask, _clients, rare_requests)),
    (3, _asks.flatmap(_damaged)),
    (1, st.builds(_ask, _clients, requests, st.sampled_from(_NUMBERS))),
    (3, st.builds(_ask, _clients, credentials)),
    (
        4,
        st.builds(
            _burst,
            _clients,
            st.lists(requests, min_size=2, max_size=5),
            st.sampled_from([False, False, False, True]),
        ),
    ),
    (2, _greetings),
    (1, _clients.map(lambda client: Ask(client, c.CLOSE_OP, Empty()))),
    (1, st.builds(HangUp, _clients)),
    (1, st.builds(Noise, _clients, st.sampled_from(_LENGTHS), st.booleans())),
)


def plays(length: int, restarts: int = 0) -> st.SearchStrategy[list[Step]]:
    """Draw what happens in one play, of about this many steps, with restarts between them."""
    # Lists are short on the average unless they must not be, which would forbid to shorten them.
    scene = st.lists(_steps, max_size=10)
    scenes = st.tuples(*[scene] * (length // 5 // (restarts + 1)))
    act = scenes.map(lambda several: [step for each in several for step in each])
    return st.tuples(*[act] * (restarts + 1)).map(_joined)


def _joined(acts: tuple[list[Step], ...]) -> list[Step]:
    first, *others = acts
    return [*first, *(step for act in others for step in (Restart(), *act))]
