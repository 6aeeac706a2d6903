"""The text of filters: RFC 4515, with white space where OSGi allows it, and C{<} and C{>}.

RFC 4515 writes a special character as a backslash with two hexadecimal digits of each of its bytes
in UTF-8; a backslash before any character that is no letter or digit is understood, too.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from pop.components.errors import BadFilter
from pop.components.filters import And, Equal, Filter, Like, Not, Or, Ordered, Present, combine

NAME = re.compile(r"[^\s()&|!=<>~*\\][^()&|=<>~*\\]*")
SIGN = re.compile(r"~=|<=|>=|=|<|>")
SPACE = re.compile(r"\s*")
HEX = re.compile(r"[0-9a-fA-F]{2}")
PLAIN = re.compile(r"[^\\*()\0]+")
DEEPEST = 100
"""Levels of brackets within each other."""

GivenFilter = str | Filter | None


def get_ldap_filter(given: GivenFilter) -> Filter | None:
    """A filter from its text; L{None}, which matches everything, from an empty one.

    @raise BadFilter: it cannot be read.
    """
    if given is None or isinstance(given, Filter):
        return given
    if not isinstance(given, str):
        raise BadFilter(filter=repr(given), reason="it is not a text", position=1)
    return parse(given) if given.strip() else None


def combine_filters(filters: Iterable[GivenFilter], operator: str = "&") -> Filter | None:
    """Several filters as one, in texts or not; L{None} if there are none.

    @param operator: C{&} or C{|}.
    """
    if operator not in ("&", "|"):
        raise BadFilter(filter=repr(operator), reason="filters are joined by & or |", position=1)
    read = [get_ldap_filter(each) for each in filters]
    return combine([each for each in read if each is not None], operator)


def unescape_ldap(text: str) -> str:
    """The text that an escaped one stands for.

    @raise BadFilter: a backslash stands before what it cannot.
    """
    reader = _Reader(f"{text})")
    value = "*".join(reader.pieces())
    if reader.at != len(text):
        raise reader.trouble("a bracket has to be escaped")
    return value


@lru_cache(maxsize=4096)
def parse(text: str) -> Filter:
    """The filter that a text says; texts that were read lately are not read again."""
    reader = _Reader(text)
    reader.space()
    found = reader.filter(0)
    reader.space()
    if reader.at != len(text):
        raise reader.trouble("something follows the end")
    return found


class _Reader:
    """A text, and how far it was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def trouble(self, reason: str) -> BadFilter:
        return BadFilter(filter=self.text, reason=reason, position=self.at + 1)

    def space(self) -> None:
        if found := SPACE.match(self.text, self.at):
            self.at = found.end()

    def next(self, expected: str) -> bool:
        """Go over a character if it is the next one."""
        if not self.text.startswith(expected, self.at):
            return False
        self.at += len(expected)
        return True

    def filter(self, depth: int) -> Filter:
        if depth > DEEPEST:
            raise self.trouble(f"there are more than {DEEPEST} brackets within each other")
        if not self.next("("):
            raise self.trouble("a ( is missing")
        self.space()
        found = self._inner(depth)
        if not self.next(")"):
            raise self.trouble("a ) is missing")
        return found

    def _inner(self, depth: int) -> Filter:
        if self.next("&"):
            return And(self._parts(depth))
        if self.next("|"):
            return Or(self._parts(depth))
        if self.next("!"):
            [*parts] = self._parts(depth)
            if len(parts) > 1:
                raise self.trouble("! takes one filter only")
            return Not(parts[0])
        return self._of_one()

    def _parts(self, depth: int) -> tuple[Filter, ...]:
        parts: list[Filter] = []
        self.space()
        while not parts or self.text.startswith("(", self.at):
            parts.append(self.filter(depth + 1))
            self.space()
        return tuple(parts)

    def _of_one(self) -> Filter:
        if not (found := NAME.match(self.text, self.at)):
            raise self.trouble("the name of a property is missing")
        self.at = found.end()
        name = found[0].rstrip()
        if not (found := SIGN.match(self.text, self.at)):
            raise self.trouble("a =, ~=, <, <=, > or >= is missing")
        self.at = found.end()
        return self._compared(name, found[0])

    def _compared(self, name: str, sign: str) -> Filter:
        pieces = tuple(self.pieces())
        if sign == "~=":
            return Like(name, pieces, roughly=True)
        if sign == "=" and len(pieces) == 1:
            return Equal(name, pieces[0])
        if sign == "=":
            return Like(name, pieces) if any(pieces) else Present(name)
        if len(pieces) > 1:
            raise self.trouble(f"{sign} takes no *")
        return Ordered(name, sign, pieces[0])

    def pieces(self) -> list[str]:
        """A value, up to the bracket after it; stars divide it."""
        pieces = [bytearray()]
        while not self.text.startswith((")", "("), self.at):
            if found := PLAIN.match(self.text, self.at):
                self.at = found.end()
                pieces[-1] += found[0].encode(errors="surrogatepass")
            elif self.next("*"):
                pieces.append(bytearray())
            elif self.next("\\"):
                pieces[-1] += self._escaped()
            else:
                raise self.trouble("the text ends too early")
        try:
            return [piece.decode(errors="surrogatepass") for piece in pieces]
        except UnicodeDecodeError:
            raise self.trouble("what is escaped is not UTF-8") from None

    def _escaped(self) -> bytes:
        if found := HEX.match(self.text, self.at):
            self.at = found.end()
            return bytes.fromhex(found[0])
        character = self.text[self.at : self.at + 1]
        if not character or character.isalnum():
            raise self.trouble("a \\ stands before two hexadecimal digits or a sign")
        self.at += 1
        return character.encode(errors="surrogatepass")
