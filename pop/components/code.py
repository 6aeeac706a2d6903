"""The code of bundles: modules that are imported, and imported anew beside what runs."""

import importlib
import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec, module_from_spec
from types import ModuleType

from pop.components.errors import BundleException, NotImported

_IMPORTING = (__file__, importlib.__file__)
"""Code that is always under way when a module is imported, and tells nobody anything."""
_OURS = os.path.join(os.path.dirname(__file__), "")
"""Code that is called by the authors of bundles, who are at fault."""


@contextmanager
def searching(path: str | None) -> Iterator[None]:
    """Let imports look into a directory first, for now."""
    if path is None:
        yield
        return
    sys.path.insert(0, path)
    try:
        yield
    finally:
        if path in sys.path:
            sys.path.remove(path)


def load(name: str, path: str | None = None) -> ModuleType:
    """Import a module, as it is known already or else from a directory or the usual ones.

    @raise NotImported: with the reason, whatever it is.
    """
    importlib.invalidate_caches()
    try:
        with searching(path):
            return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise _imported_not(name, error) from error


def load_beside(running: ModuleType, path: str | None = None) -> ModuleType:
    """Import a module anew; the one that runs is not touched, and if this fails, stays the one
    that is known.

    The source is read whatever compiled code lies beside it: its time stamp may be that of another
    edit in the same second.
    @raise NotImported: with the reason, whatever it is.
    """
    name = running.__name__
    importlib.invalidate_caches()
    known = sys.modules.pop(name, None)
    try:
        with searching(path):
            spec = find_spec(name)
            if spec is None or spec.loader is None:
                raise ModuleNotFoundError(f"there is no module {name} any more")
            return _execute(spec)
    except (Exception, SystemExit) as error:
        forget(name)
        if known is not None:
            publish(known)
        raise _imported_not(name, error) from error


def _execute(spec: ModuleSpec) -> ModuleType:
    module = module_from_spec(spec)
    publish(module)
    assert spec.loader is not None
    if type(spec.loader) is SourceFileLoader and spec.origin:
        linecache.checkcache(spec.origin)
        code = spec.loader.source_to_code(spec.loader.get_data(spec.origin), spec.origin)
        exec(code, vars(module))
    else:
        spec.loader.exec_module(module)
    return module


def publish(module: ModuleType) -> None:
    """Make a module the one that its name stands for."""
    parent, _, child = module.__name__.rpartition(".")
    sys.modules[module.__name__] = module
    if parent in sys.modules:
        setattr(sys.modules[parent], child, module)


def forget(name: str) -> None:
    """Have a module imported anew when it is asked for the next time."""
    sys.modules.pop(name, None)


def version_of(module: ModuleType) -> str:
    """What a module says of its version, or else the package that it is in; or C{0.0.0}."""
    if version := getattr(module, "__version__", None):
        return str(version)
    if info := getattr(module, "__version_info__", None):
        return ".".join(map(str, info))
    package = sys.modules.get(module.__name__.rpartition(".")[0])
    return version_of(package) if package else "0.0.0"


def reason_of(error: BaseException) -> str:
    """What to tell of an error in code that is not ours: its kind, its words, its place; of one
    that is a sentence for people already, that."""
    if isinstance(error, BundleException):
        return str(error).rstrip(".")
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error}"
    words, place = str(error).rstrip("."), place_of(error)
    return f"{type(error).__name__}: {words}{place}" if words else f"{type(error).__name__}{place}"


def place_of(error: BaseException) -> str:
    """Where it was raised, in brackets: the last line that is not pop's, if there is one, as that
    is where it can be mended."""
    place, theirs, trace = "", "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<") and file not in _IMPORTING:
            place = f" ({file}, line {trace.tb_lineno})"
            theirs = theirs if file.startswith(_OURS) else place
        trace = trace.tb_next
    return theirs or place


def _imported_not(name: str, error: BaseException) -> NotImported:
    """Where it can be mended is said even if it is a sentence."""
    sentence = isinstance(error, BundleException) and not isinstance(error, NotImported)
    return NotImported(bundle=name, reason=reason_of(error) + (place_of(error) if sentence else ""))
