"""What an administrator and an agent ask of each other over AMP, and how errors get across.

An AMP value has at most 65,535 bytes. What may be longer is JSON that is spread over several keys
of its box; what has no end comes in pieces, each of which is a command of its own (L{Piece}), and
the answer to the command that began it is the end.
"""

import json
from typing import Any, Final

from twisted.protocols.amp import Argument, Boolean, Command, Integer, String, Unicode

from pop.errors import PopError, told

LONGEST: Final = 60_000
"""Bytes of one piece, or of one part of a longer value."""
_SENTENCE: Final = 10_000
"""Characters of an error's sentence that get across."""


class Json(Argument):
    """A value of any length, in as many parts as it takes: C{name}, C{name.1}, C{name.2} ..."""

    def toBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
        """Write it; the length of its parts is nothing that the other side need know."""
        data = json.dumps(objects.pop(name.decode()), separators=(",", ":")).encode()
        strings[name] = data[:LONGEST]
        for number, start in enumerate(range(LONGEST, len(data), LONGEST), 1):
            strings[_part(name, number)] = data[start : start + LONGEST]

    def fromBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
        """Read it."""
        parts = [strings.pop(name)]
        while part := strings.pop(_part(name, len(parts)), None):
            parts.append(part)
        objects[name.decode()] = json.loads(b"".join(parts))


def _part(name: bytes, number: int) -> bytes:
    return b"%s.%d" % (name, number)


class Refused(Exception):
    """A L{PopError} on its way: its name, a blank, and its sentence."""

    @classmethod
    def of(cls, error: PopError) -> "Refused":
        """Send it."""
        return cls(f"{type(error).__name__} {str(error)[:_SENTENCE]}")

    def error(self) -> PopError:
        """What it was."""
        name, _, sentence = str(self).partition(" ")
        return told(name, sentence)


class _Command(Command):
    errors = {Refused: b"REFUSED"}  # noqa: RUF012  # so Twisted wants it


class Hello(_Command):
    """Who are you? To be asked at once: who says nothing is not waited for."""

    arguments = [(b"version", Unicode())]  # noqa: RUF012
    response = [(b"machine", Unicode()), (b"version", Unicode())]  # noqa: RUF012


class Info(_Command):
    """See L{pop.interfaces.IAdministration.info}."""

    response = [(b"result", Json())]  # noqa: RUF012


class Instances(_Command):
    """See L{pop.interfaces.IAdministration.instances}."""

    arguments = [(b"service", Unicode())]  # noqa: RUF012
    response = [(b"result", Json())]  # noqa: RUF012


class Signal(_Command):
    """See L{pop.interfaces.IAdministration.signal}."""

    arguments = [  # noqa: RUF012
        (b"service", Unicode()),
        (b"name", Unicode()),
        (b"slot", Unicode()),
    ]
    response = [(b"result", Integer())]  # noqa: RUF012


class Restart(_Command):
    """See L{pop.interfaces.IAdministration.restart}."""

    arguments = [(b"service", Unicode()), (b"slot", Unicode())]  # noqa: RUF012
    response = [(b"result", Integer())]  # noqa: RUF012


class Why(_Command):
    """See L{pop.interfaces.IAdministration.why}."""

    arguments = [(b"service", Unicode())]  # noqa: RUF012
    response = [(b"result", Json())]  # noqa: RUF012


class Logs(_Command):
    """See L{pop.interfaces.IAdministration.logs}.

    C{stream} is the asker's number for the pieces.
    """

    arguments = [  # noqa: RUF012
        (b"stream", Integer()),
        (b"service", Unicode()),
        (b"lines", Integer()),
        (b"follow", Boolean()),
    ]
    response = [(b"result", Json())]  # noqa: RUF012


class Run(_Command):
    """See L{pop.interfaces.IAdministration.run}; C{stream} is as in L{Logs}."""

    arguments = [  # noqa: RUF012
        (b"stream", Integer()),
        (b"service", Unicode()),
        (b"task", Unicode()),
        (b"arguments", Json()),
    ]
    response = [(b"result", Json())]  # noqa: RUF012


class Cancel(_Command):
    """The asker does not want a stream any more; what it began is to end."""

    arguments = [(b"stream", Integer())]  # noqa: RUF012


class Piece(_Command):
    """Some bytes of a stream, from the agent to whoever began it; answered when they are taken."""

    arguments = [  # noqa: RUF012
        (b"stream", Integer()),
        (b"source", Unicode()),
        (b"data", String()),
    ]
