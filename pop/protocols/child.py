"""The process that hosts a Python service: C{python -m pop.protocols.child TYPE}.

It reads from its standard input the settings, and where its agent finds modules; it starts the
service, and says through C{NOTIFY_SOCKET} that it is ready and what its state node should say, or
why it cannot be.
"""

import contextlib
import os
import sys
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import deferLater, react
from twisted.logger import globalLogBeginner, textFileLogObserver

from pop.errors import PopError
from pop.program import read_hosted
from pop.protocols.notify import ready, send, status
from pop.settings import validate


async def host(reactor: Any, type_name: str, data: bytes, notify_socket: str | None) -> None:
    """Serve, or say in a sentence why not: to the log, and to the agent, which shows it."""
    try:
        await serve(reactor, type_name, data, notify_socket)
    except PopError as error:
        print(f"pop: {error}", flush=True)
        _tell(notify_socket, str(error))
        raise SystemExit(1) from error
    except Exception as error:
        _tell(notify_socket, f"{type(error).__name__}: {error}")
        raise


def _tell(notify_socket: str | None, why: str) -> None:
    if notify_socket:
        with contextlib.suppress(OSError):  # the agent is away; the log has it too
            send(notify_socket, status(why))


async def serve(reactor: Any, type_name: str, data: bytes, notify_socket: str | None) -> None:
    """Start the service and keep it up until the reactor stops."""
    values, path = read_hosted(data)
    sys.path += [entry for entry in path if entry not in sys.path]
    from pop.catalogue import load_types  # now, since it looks where the path leads

    kind = load_types().type(type_name)
    settings = validate(kind.name, kind.settings, values)
    state = await maybeDeferred(kind.start, reactor, settings)
    if notify_socket:
        send(notify_socket, ready(state))
    await Deferred()


def main() -> None:
    """Host the service type that the first argument names."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)], redirectStandardIO=False)
    data = sys.stdin.buffer.read()
    # Not for the service's own children, as sd_notify(3) recommends.
    notify_socket = os.environ.pop("NOTIFY_SOCKET", None)

    def begin(reactor: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(host(reactor, sys.argv[1], data, notify_socket))

    # Not before the reactor runs: what is ready must be ready for its stop signal too.
    react(lambda reactor: deferLater(reactor, 0, begin, reactor))


if __name__ == "__main__":
    main()
