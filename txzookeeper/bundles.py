"""Things by key, mostly one for each key: a list is kept only where there are several.

A list of one takes 88 bytes, nearly as much as what is in it here: a watch (and a program can have
100,000 of them).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Bundles(Generic[T]):
    """Things in the order in which they came, by key; none may be a list or None."""

    def __init__(self) -> None:
        self._by_key: dict[str, T | list[T]] = {}

    def __len__(self) -> int:
        """Count the things."""
        return sum(len(each) if isinstance(each, list) else 1 for each in self._by_key.values())

    def __contains__(self, key: str) -> bool:
        """Say whether there is anything under a key."""
        return key in self._by_key

    def __iter__(self) -> Iterator[str]:
        """Give the keys."""
        return iter(self._by_key)

    def add(self, key: str, thing: T) -> None:
        """Put one thing more under a key."""
        held = self._by_key.setdefault(key, thing)
        if isinstance(held, list):
            held.append(thing)
        elif held is not thing:
            self._by_key[key] = [held, thing]

    def discard(self, key: str, thing: T) -> None:
        """Take one thing away, if it is there."""
        held = self._by_key.get(key)
        if held == thing:
            del self._by_key[key]
        elif isinstance(held, list) and thing in held:
            held.remove(thing)
            if not held:
                del self._by_key[key]

    def take(self, key: str) -> list[T]:
        """Take away all that is under a key."""
        held = self._by_key.pop(key, None)
        if held is None:
            return []
        return held if isinstance(held, list) else [held]

    def take_all(self) -> list[T]:
        """Take away everything."""
        return [thing for key in list(self._by_key) for thing in self.take(key)]
