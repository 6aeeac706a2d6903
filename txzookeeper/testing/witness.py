"""Who knows what a server has acknowledged, and says where it did not keep its word.

Writers note what they are about to do and what was acknowledged; what a broken connection left
open is in doubt, and may have happened or not, but not twice.
"""

from __future__ import annotations

from collections.abc import Mapping


class WordBroken(AssertionError):
    """A server forgot what it had acknowledged, or remembers what never was."""


class Sequence:
    """What is known of the sequence nodes below one parent, by the data that each was made with."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self._doubtful: set[str] = set()
        self._going: dict[str, str] = {}
        self._last = -1
        self._before = -1

    def begin(self, data: str) -> None:
        """Note that a node with these data is about to be made."""
        self._doubtful.add(data)

    def made(self, name: str, data: str) -> None:
        """Note that it was made under this name."""
        number = int(name[-10:])
        if number <= self._before:
            raise WordBroken(f"The number of {name} was given before the last kill.")
        if name in self.kept or name in self._going:
            raise WordBroken(f"{name} was made twice.")
        self._doubtful.discard(data)
        self.kept[name] = data
        self._last = max(self._last, number)

    def going(self, name: str) -> None:
        """Note that a node is about to be deleted."""
        self._going[name] = self.kept.pop(name)

    def gone(self, name: str) -> None:
        """Note that it was deleted."""
        del self._going[name]

    def compare(self, found: Mapping[str, str]) -> None:
        """Compare with what there is after a restart, name by name; then nothing is in doubt."""
        missing = {name: data for name, data in self.kept.items() if found.get(name) != data}
        if missing:
            raise WordBroken(f"Acknowledged nodes are missing or changed: {missing}")
        for name in set(found) - set(self.kept):
            data = found[name]
            if self._going.get(name) != data and data not in self._doubtful:
                raise WordBroken(f"{name} with {data!r} should not be there.")
            self._doubtful.discard(data)
        self.kept = dict(found)
        self._doubtful.clear()
        self._going.clear()
        numbers = [int(name[-10:]) for name in found]
        self._before = self._last = max([self._last, *numbers])


class Counter:
    """What is known of a number that is only ever set to the next one."""

    def __init__(self) -> None:
        self.sent = 0
        self.seen = 0

    def next(self) -> int:
        """Give the number to be set next."""
        self.sent += 1
        return self.sent

    def saw(self, number: int) -> None:
        """Note a number that was acknowledged, read or told by a watch."""
        self.seen = max(self.seen, number)

    def compare(self, *found: int) -> None:
        """Compare with what there is after a restart, in all the places where it was set."""
        if len(set(found)) > 1:
            raise WordBroken(f"A transaction was carried out by half: {found}")
        if not self.seen <= found[0] <= self.sent:
            raise WordBroken(f"{found[0]} is not between {self.seen} and {self.sent}.")
        self.saw(found[0])
        self.sent = found[0]
