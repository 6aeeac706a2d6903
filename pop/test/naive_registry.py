"""Registrations as one would write them in a hurry: everything is looked at each time."""

from collections.abc import Collection, Mapping
from typing import Any

from pop.components.filters import And, Equal, Filter, Like, Not, Or, Ordered, Present


def number(text: str) -> Any:
    """The number that a text says, or L{None}."""
    if not text or text.strip("+-0123456789.eE") or text == ".":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def equal(value: Any, text: str) -> bool:
    """As the documentation says it."""
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, int | float):
        return number(text) is not None and number(text) == value
    return str(value) == text


def in_order(value: Any, order: str, text: str) -> bool:
    """As the documentation says it."""
    if isinstance(value, bool):
        return False
    left, right = value, number(text)
    if not isinstance(value, int | float):
        left = number(str(value))
        if left is None or right is None:
            left, right = str(value), text
    if right is None:
        return False
    verdicts = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
    return bool(verdicts[order])


def like(value: Any, pieces: tuple[str, ...], roughly: bool) -> bool:
    """Tries all ways to put the pieces into the text."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if roughly:
        text = "".join(text.split()).casefold()
        pieces = tuple("".join(piece.split()).casefold() for piece in pieces)
    return text in _fills(pieces, text)


def _fills(pieces: tuple[str, ...], text: str) -> set[str]:
    """All beginnings of a text that end with the last piece."""
    ends = {len(pieces[0])} if text.startswith(pieces[0]) else set()
    for piece in pieces[1:]:
        ends = {
            at + len(piece)
            for at in range(len(text) + 1)
            if text[at : at + len(piece)] == piece and any(end <= at for end in ends)
        }
    return {text[:end] for end in ends}


def matches(wanted: Filter | None, properties: Mapping[str, Any]) -> bool:
    """Whether properties are as a filter asks."""
    match wanted:
        case None:
            return True
        case And(parts):
            return all(matches(part, properties) for part in parts)
        case Or(parts):
            return any(matches(part, properties) for part in parts)
        case Not(part):
            return not matches(part, properties)
    assert isinstance(wanted, Present | Equal | Ordered | Like)
    found = [value for name, value in properties.items() if name.lower() == wanted.name.lower()]
    values = found[0] if found and isinstance(found[0], list | tuple | set | frozenset) else found
    return any(value is not None and _matches_one(wanted, value) for value in values)


def _matches_one(wanted: Present | Equal | Ordered | Like, value: Any) -> bool:
    match wanted:
        case Present():
            return bool(value != "")
        case Equal(_, text):
            return equal(value, text)
        case Ordered(_, order, text):
            return in_order(value, order, text)
        case Like(_, pieces, roughly):
            return like(value, pieces, roughly)


class NaiveRegistry:
    """Registrations, listeners, and what these were told: C{(listener, kind, id)}."""

    def __init__(self) -> None:
        self.found: dict[int, tuple[set[str], dict[str, Any]]] = {}
        self.listeners: dict[str, tuple[set[str], Filter | None]] = {}
        self.told: list[tuple[str, str, int]] = []
        self.last = 0

    def register(self, names: list[str], properties: dict[str, Any]) -> int:
        """Its number."""
        self.last += 1
        given = {
            **{name.lower(): value for name, value in properties.items()},
            "objectClass": names,
            "service.id": self.last,
            "service.bundleid": 0,
            "service.scope": "singleton",
        }
        given.setdefault("service.ranking", 0)
        self.found[self.last] = set(names), given
        self._tell("REGISTERED", self._concerned(self.last), self.last)
        return self.last

    def change(self, id: int, changes: dict[str, Any], removed: list[str]) -> None:
        """Tell those whom it leaves, then the others."""
        names, before = self.found[id]
        after = {**before, **{name.lower(): value for name, value in changes.items()}}
        for name in removed:
            after.pop(name.lower(), None)
        if after == before and all(type(after[name]) is type(before[name]) for name in after):
            return
        had = self._concerned(id)
        self.found[id] = names, after
        have = self._concerned(id)
        self._tell("MODIFIED_ENDMATCH", [one for one in had if one not in have], id)
        self._tell("MODIFIED", have, id)

    def unregister(self, id: int) -> None:
        """Tell those who have it."""
        self._tell("UNREGISTERING", self._concerned(id), id)
        del self.found[id]

    def find(self, names: Collection[str], wanted: Filter | None) -> list[int]:
        """In order."""
        found = [
            (-properties["service.ranking"], id)
            for id, (known, properties) in self.found.items()
            if set(names) <= known and matches(wanted, properties)
        ]
        return [id for _, id in sorted(found)]

    def _concerned(self, id: int) -> list[str]:
        known, properties = self.found[id]
        return [
            listener
            for listener, (names, wanted) in self.listeners.items()
            if names <= known and matches(wanted, properties)
        ]

    def _tell(self, kind: str, listeners: list[str], id: int) -> None:
        self.told += [(listener, kind, id) for listener in listeners]
