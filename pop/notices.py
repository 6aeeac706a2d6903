"""Where an instance tells its agent of itself: a C{NOTIFY_SOCKET} of its own."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.protocol import ProcessProtocol

from pop.directories import notify_directory, own_directory, passing_mode
from pop.errors import NotSpawned
from pop.program import Launch
from pop.protocols.notify import Notice, listen


def is_heard(launch: Launch) -> bool:
    """Whether a program has anything to tell."""
    return launch.program.notifies or launch.checks.watchdog is not None


def variables(launch: Launch, path: str) -> dict[str, str]:
    """What tells a program where to tell it, and how often (sd_watchdog_enabled(3))."""
    found = {"NOTIFY_SOCKET": path}
    if launch.checks.watchdog is not None:
        found["WATCHDOG_USEC"] = str(round(launch.checks.watchdog * 1e6))
    return found


def hear(
    reactor: Any, state_dir: Path, name: str, protocol: ProcessProtocol, uid: int | None
) -> tuple[str, Callable[[], object]]:
    """Listen at the path of a slot, and have C{protocol.notified} called; gives how to end it too.

    The path is the same for a predecessor of this agent, so that what that one has started is heard
    as well. Its name is short, since a path may have 107 bytes.

    @param uid: the user that may write to it; L{None} for the agent's.
    @raise NotSpawned: that cannot be.
    """
    short = hashlib.sha256(name.encode()).hexdigest()[:16]
    sockets = notify_directory(state_dir)
    path = str(sockets / short)
    heard: Callable[[Notice], None] = protocol.notified  # type: ignore[attr-defined]
    try:
        own_directory(sockets, passing_mode())  # it may lie where others clean up
        return path, listen(reactor, path, heard, uid)
    except CannotListenError as error:
        reason = getattr(error.socketError, "strerror", None) or error.socketError
        raise NotSpawned(reason=f"cannot listen at {path}: {reason}") from error
    except OSError as error:
        raise NotSpawned(reason=f"cannot listen at {path}: {error.strerror}") from error
