"""What a method raised elsewhere, raised here."""

import builtins
import sys
from functools import lru_cache

_MEANT = (StopIteration, StopAsyncIteration)
"""What ends a loop or a coroutine, and would end that of the caller."""


class RemoteError(Exception):
    """A method that was called elsewhere failed there.

    If what it raised is an exception of Python, or of a module that is known here too, this is one
    as well, so that C{except ValueError} does what it says. It has the other's words, and nothing
    else of it.

    @ivar kind: what it was, as in C{builtins.ValueError}.
    @ivar text: its words.
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


def remote_error(kind: str, text: str) -> RemoteError:
    """What was raised elsewhere.

    No module is imported for it, and no constructor called: who answers cannot have anything done
    here.
    """
    module, _, name = kind.rpartition(".")
    try:
        error = _made(_best(module, name), text)
    except Exception:  # it wants more than a text, or is not what it seems to be
        error = _made(RemoteError, text)
    error.kind, error.text = kind, text
    return error


def _best(module: str, name: str) -> type[RemoteError]:
    known = vars(builtins).get(name) if module == "builtins" else _find(module, name)
    if isinstance(known, type) and issubclass(known, Exception) and known not in _MEANT:
        return _joined(known)  # type: ignore[arg-type]  # a class can be hashed
    return RemoteError


def _made(kind: type[RemoteError], text: str) -> RemoteError:
    error = kind.__new__(kind, text)
    error.args = (text,)
    return error


def _find(module: str, name: str) -> object:
    return vars(sys.modules[module]).get(name) if module in sys.modules else None


@lru_cache(maxsize=256)
def _joined(known: type[Exception]) -> type[RemoteError]:
    if issubclass(known, RemoteError):
        return known
    try:
        return type(known.__name__, (RemoteError, known), {"__module__": known.__module__})
    except TypeError:  # it may not be inherited from
        return RemoteError
