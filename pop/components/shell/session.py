"""One person at the shell."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail

RESULT = "?"
"""The variable that holds what the last command gave, if it gave anything."""


class NoAnswer(Exception):
    """Nobody can be asked here, or who was asked is gone."""


class Session:
    """What commands know of whoever gave them: variables, and where to write to.

    @param write: takes text for the person to read.
    @param ask: asks the person for a line; L{None} if that cannot be done.
    @ivar leave: whether the person wants to go.
    @ivar subject: the person's name, if it was asked for.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        ask: Callable[[str], Deferred[str]] | None = None,
    ) -> None:
        self._write = write
        self._ask = ask
        self.variables: dict[str, Any] = {}
        self.leave = False
        self.subject: str | None = None

    def write(self, text: str) -> None:
        """Write a text as it is."""
        self._write(text)

    def write_line(self, line: str = "", *arguments: Any, **named: Any) -> None:
        """Write a line, with arguments put into it by L{str.format} if there are any."""
        self._write((line.format(*arguments, **named) if arguments or named else line) + "\n")

    def write_line_no_feed(self, line: str = "", *arguments: Any, **named: Any) -> None:
        """As L{write_line}, without going on to the next line."""
        self._write(line.format(*arguments, **named) if arguments or named else line)

    def prompt(self, question: str = "") -> Deferred[str]:
        """Ask for a line.

        @raise NoAnswer: nobody can be asked.
        """
        return fail(NoAnswer()) if self._ask is None else self._ask(question)

    def get(self, name: str) -> Any:
        """The value of a variable.

        @raise KeyError: there is none of that name.
        """
        return self.variables[name]

    def set(self, name: str, value: Any) -> None:
        """Give a variable a value."""
        self.variables[name] = value

    def unset(self, name: str) -> None:
        """Forget a variable.

        @raise KeyError: there is none of that name.
        """
        del self.variables[name]

    @property
    def last_result(self) -> Any:
        """What the last command gave that gave anything."""
        return self.variables.get(RESULT)
