"""The names of a queue's nodes: which are items, in which order, and which are claims on them.

An item is a sequence node, ``entry-0000000007``, whose number says when its turn comes. Who works
on it has an ephemeral node beside it, ``entry-0000000007-processing-...``: a claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random
from typing import Final, NamedTuple

PREFIX: Final = "entry-"
"""How the name of an item begins; the server adds a number."""

_ITEM: Final = re.compile(r"entry-(-?[0-9]{9,10})")
_CLAIM: Final = re.compile(r"(entry--?[0-9]{9,10})-processing-[0-9a-f]{16}--?[0-9]{9,10}")


class Listing(NamedTuple):
    """What a queue held: the names of its items, in order, and which of them were claimed.

    ``horizon`` is a zxid: the list is as new as that.
    """

    items: list[str]
    claimed: set[str]
    horizon: int


def read_names(names: Iterable[str], horizon: int = 0) -> Listing:
    """Find items and claims among the names of a queue's nodes; others are none of its affairs."""
    names = list(names)
    numbers = {name: int(match[1]) for name in names if (match := _ITEM.fullmatch(name))}
    claimed = {match[1] for name in names if (match := _CLAIM.fullmatch(name))}
    return Listing(_in_order(numbers), claimed & numbers.keys(), horizon)


def claim_prefix(name: str, random: Random) -> str:
    """Give how the name of a claim on an item begins, by which its maker knows it again."""
    return f"{name}-processing-{random.getrandbits(64):016x}-"


def _in_order(numbers: dict[str, int]) -> list[str]:
    # The number after 2147483647 is -2147483648.
    values = numbers.values()
    turned = bool(numbers) and max(values) - min(values) >= 2**31
    return sorted(numbers, key=lambda name: numbers[name] % 2**32 if turned else numbers[name])
