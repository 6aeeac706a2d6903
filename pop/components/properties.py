"""What is said of a registration."""

from collections.abc import Iterable, Iterator, Mapping
from sys import intern
from typing import Any

from pop.components.errors import BadProperties

PLAIN = frozenset({str, int, float, bool, type(None)})


class Properties(Mapping[str, Any]):
    """Values by names that are compared without regard to case; never changed, only replaced.

    Lists and sets are kept as tuples and frozen sets, so that nobody changes a registration behind
    the back of those who listen to it.

    @ivar folded: the values by the names in lower case, for filters.
    """

    __slots__ = ("folded", "spelled")

    def __init__(self, given: Mapping[str, Any]) -> None:
        """@raise BadProperties: two names differ only in case."""
        self.folded: dict[str, Any] = {
            intern(name.lower()): value if type(value) in PLAIN else frozen(value)
            for name, value in given.items()
        }
        self.spelled: tuple[str, ...] = tuple(given)
        if len(self.folded) != len(self.spelled):
            raise _ambiguous(self.spelled)

    def __getitem__(self, name: str) -> Any:
        return self.folded[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.spelled)

    def __len__(self) -> int:
        return len(self.spelled)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.folded

    def __repr__(self) -> str:
        return f"Properties({self.as_dict()!r})"

    def as_dict(self) -> dict[str, Any]:
        """A copy, with the names as they were spelled."""
        return dict(zip(self.spelled, self.folded.values(), strict=True))

    def changed(self, changes: Mapping[str, Any], removed: Iterable[str] = ()) -> "Properties":
        """These with others on top, and without those that are removed."""
        other = Properties(changes)
        names = dict(zip(self.folded, self.spelled, strict=True))
        names = dict(zip(other.folded, other.spelled, strict=True)) | names
        values = self.folded | other.folded
        for name in removed:
            values.pop(name.lower(), None)
        return Properties({names[folded]: value for folded, value in values.items()})


def frozen(value: Any) -> Any:
    """A value that is kept: lists and sets cannot be changed any more."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, set):
        return frozenset(value)
    return value


def _ambiguous(names: Iterable[str]) -> BadProperties:
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.lower(), name)
        if first is not name:
            return BadProperties(first=first, second=name)
    raise AssertionError("no two names are the same")
