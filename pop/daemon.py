"""What twistd loads for C{twistd pop}: the agent, and nothing that it has no use for.

Twisted takes OpenSSL in wherever it is installed, which is a quarter of the agent's memory and a
fifth of its start; an agent that watches over a hundred services is to weigh no more than they do.
The agent's own connections are not encrypted, so Twisted is loaded as if there were no OpenSSL.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Options", "makeService"]


@contextmanager
def aside(package: str) -> Iterator[None]:
    """Import as if a package were not installed; nothing happens if it was imported before.

    Nor does anything where the reactor is there already: then this process is not an agent's own,
    and others in it may need the package. Afterwards it can be imported as ever.
    """
    if package in sys.modules or "twisted.internet.reactor" in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # so the import system is told
    try:
        yield
    finally:
        del sys.modules[package]


with aside("OpenSSL"):
    import twisted.internet.endpoints
    import twisted.internet.posixbase  # noqa: F401  # both look for it

    from pop.tap import Options, makeService
