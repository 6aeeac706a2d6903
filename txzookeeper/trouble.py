"""What can go wrong around the server's files and options: each docstring is what is read.

An operator can cause all of these, and mend them.
"""

from __future__ import annotations

from inspect import cleandoc


class Trouble(Exception):
    """Something that an operator can cause, and mend.

    A subclass's docstring is its message, with the constructor's fields filled in.
    """

    def __init__(self, **fields: object) -> None:
        super().__init__(fields)
        self.fields = fields

    def __str__(self) -> str:
        text = cleandoc(type(self).__doc__ or "").replace("\n", " ").format(**self.fields)
        return "".join(map(_printable, text))


def _printable(character: str) -> str:
    """What was typed is repeated, but does not get at the terminal."""
    return character if character.isprintable() else ascii(character)[1:-1]


class BadDirectory(Trouble):
    """The data directory {directory} cannot be used: {reason}."""


class DirectoryInUse(Trouble):
    """The data directory {directory} is in use by another server{holder}."""


class NotOurs(Trouble):
    """The data directory {directory} has the data of an Apache ZooKeeper in it, which only that one
    can read. Give this server a directory of its own."""


class Foreign(Trouble):
    """{file} is no file of this server. It was left as it is."""


class Newer(Trouble):
    """{file} was written by a newer version (its format is {found}, this one knows {known}). It was
    left as it is."""


class Damaged(Trouble):
    """{file} is damaged ({reason}), and was left as it is. Move it away, and start from an export
    with --import, or from nothing."""


class StoreFailed(Trouble):
    """{file} cannot be read or written: {reason}."""


class HasData(Trouble):
    """The data directory {directory} has data in it already. Import into a new one."""


class NoData(Trouble):
    """There are no data in {directory}."""


class BadArchive(Trouble):
    """{file} cannot be imported: {reason}."""


class CannotExport(Trouble):
    """{file} cannot be written: {reason}."""


class BadEndpoint(Trouble):
    """It is not possible to listen on {endpoint}: {reason}."""
