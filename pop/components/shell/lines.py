"""The words of a command line.

Words are divided by white space and may be quoted; C{#} begins a comment; C{name=value} is a named
argument, unless its C{=} is quoted or escaped. C{$name}, C{${name}} and C{$?} stand for values of
variables, but not within single quotes; a variable that is not known stays as it was written.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

VARIABLE = re.compile(r"\$(?:(\?|[A-Za-z_][\w.-]*[\w]|[A-Za-z_])|\{([^}]*)\})")
NAME = re.compile(r"[A-Za-z_.][\w.-]*")


class BadLine(Exception):
    """A line that cannot be understood."""


class Words(NamedTuple):
    """What a line says."""

    arguments: list[str]
    named: dict[str, str]


def read_line(line: str, value: Callable[[str], Any] = lambda name: None) -> Words:
    """The words of a line.

    @param value: of a variable; L{None} if there is none of that name.
    @raise BadLine: a quotation does not end, or the line ends with a backslash.
    """
    arguments: list[str] = []
    named: dict[str, str] = {}
    reader = _Reader(line, value)
    while (word := reader.word()) is not None:
        text, equals = word
        if equals and NAME.fullmatch(text[:equals]):
            named[text[:equals]] = text[equals + 1 :]
        else:
            arguments.append(text)
    return Words(arguments, named)


class _Reader:
    def __init__(self, line: str, value: Callable[[str], Any]) -> None:
        self.line = line
        self.value = value
        self.at = 0

    def word(self) -> tuple[str, int] | None:
        """The next word, and where its first bare = is, or 0; L{None} at the end."""
        while self.at < len(self.line) and self.line[self.at].isspace():
            self.at += 1
        if self.at == len(self.line) or self.line[self.at] == "#":
            return None
        text, equals = "", 0
        while self.at < len(self.line) and not self.line[self.at].isspace():
            if self.line[self.at] == "=" and not equals:
                equals = len(text)
            text += self._piece()
        return text, equals

    def _piece(self) -> str:
        character = self.line[self.at]
        if character == "'":
            return self._until("'")
        if character == '"':
            return self._quoted()
        if character == "\\":
            return self._escaped()
        if character == "$":
            return self._variable()
        self.at += 1
        return character

    def _until(self, quote: str) -> str:
        end = self.line.find(quote, self.at + 1)
        if end < 0:
            raise BadLine(f"there is no closing {quote}")
        text = self.line[self.at + 1 : end]
        self.at = end + 1
        return text

    def _quoted(self) -> str:
        self.at += 1
        text = ""
        while self.at < len(self.line):
            character = self.line[self.at]
            if character == '"':
                self.at += 1
                return text
            if character == "\\" and self.line[self.at + 1 : self.at + 2] in ('"', "\\", "$"):
                text += self._escaped()
            elif character == "$":
                text += self._variable()
            else:
                text += character
                self.at += 1
        raise BadLine('there is no closing "')

    def _escaped(self) -> str:
        if self.at + 1 == len(self.line):
            raise BadLine("nothing follows the \\ at the end")
        self.at += 2
        return self.line[self.at - 1]

    def _variable(self) -> str:
        found = VARIABLE.match(self.line, self.at)
        if found is None:
            self.at += 1
            return "$"
        self.at = found.end()
        value = self.value(found[1] or found[2])
        return found[0] if value is None else str(value)
