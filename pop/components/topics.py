"""Which topics a listener to events wants: C{a/b}, or a pattern such as C{a/*}.

A star stands for anything, slashes included, so that C{a/*} is all below C{a} but not C{a} itself;
a question mark for any character, and C{[abc]} for one of these.
"""

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from typing import Generic, TypeVar

T = TypeVar("T")
SPECIAL = frozenset("*?[")


class Topics(Generic[T]):
    """Who wants which topics, so that a topic costs those who want it.

    Patterns that end in C{/*} and have no other sign are found by their beginnings; only others are
    tried one by one.
    """

    def __init__(self) -> None:
        self._plain: dict[str, dict[T, None]] = {}
        self._below: dict[str, dict[T, None]] = {}
        self._others: dict[T, list[re.Pattern[str]]] = {}

    def add(self, wanted: Iterable[str], who: T) -> None:
        """Somebody wants what matches any of these."""
        for pattern in wanted:
            if not SPECIAL & set(pattern):
                self._plain.setdefault(pattern, {})[who] = None
            elif pattern.endswith("/*") and not SPECIAL & set(pattern[:-2]):
                self._below.setdefault(pattern[:-1], {})[who] = None
            else:
                self._others.setdefault(who, []).append(re.compile(translate(pattern)))

    def discard(self, who: T) -> None:
        """Somebody wants nothing any more."""
        self._others.pop(who, None)
        for table in (self._plain, self._below):
            for pattern in [pattern for pattern, known in table.items() if who in known]:
                del table[pattern][who]
                if not table[pattern]:
                    del table[pattern]

    def wanting(self, topic: str) -> Iterator[T]:
        """Who wants a topic, each once."""
        found = dict(self._plain.get(topic, ()))
        at = topic.find("/")
        while at >= 0 and self._below:
            found.update(self._below.get(topic[: at + 1], ()))
            at = topic.find("/", at + 1)
        for who, patterns in self._others.items():
            if any(pattern.match(topic) for pattern in patterns):
                found[who] = None
        return iter(found)
