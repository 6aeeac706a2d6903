"""What all errors have in common that operators can cause; they are declared in L{pop.errors}."""

from collections.abc import Iterable
from inspect import cleandoc


class PopError(Exception):
    """Something an operator can cause, and mend.

    A subclass's docstring is its message, with the constructor's fields filled in; so what
    happened, where, and what to do next are declared in one place and nowhere else.

    @ivar sentence: what to say instead, of an error that was raised elsewhere.
    """

    sentence: str | None = None

    def __init__(self, **fields: object) -> None:
        super().__init__(fields)
        self.fields = fields

    def __str__(self) -> str:
        text = self.sentence
        if text is None:
            text = cleandoc(type(self).__doc__ or "").replace("\n", " ").format(**self.fields)
        return "".join(map(_printable, text))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The part of a sentence that tells of the nearest name there is; nothing, if none is near."""
    from difflib import get_close_matches  # which is of no use before somebody errs

    near = get_close_matches(name, list(known), 1)
    return f' (did you mean "{near[0]}"?)' if near else ""


def _printable(character: str) -> str:
    """What was typed is repeated, but does not get at the terminal."""
    return character if character.isprintable() else ascii(character)[1:-1]
