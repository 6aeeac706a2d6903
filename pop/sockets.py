"""Sockets that the agent holds for services, so that a restart refuses no connection."""

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterable, Mapping

from pop.errors import NotSpawned
from pop.execution import FIRST
from pop.listening import Listening, listening

_GETFD = 438
"""C{pidfd_getfd(2)}, Linux 5.6; the number is the same on all machines."""


class Sockets:
    """Listening sockets, by the service that they are for and their descriptions.

    All processes of a service on one machine share them.

    @param inherited: what L{export} gave, before this process was put in another's place.
    """

    def __init__(self, inherited: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self._held = {
            service: {text: _taken(number) for text, number in found.items()}
            for service, found in (inherited or {}).items()
        }

    def hold(self, service: str, descriptions: Iterable[str]) -> tuple[int, ...]:
        """Listen at addresses, and at no others any more; gives descriptors in the same order.

        @raise NotSpawned: one of them cannot be had.
        """
        wanted = list(descriptions)
        held = self._held.get(service, {})
        for text in [text for text in held if text not in wanted]:
            _close(held.pop(text))
        for text in wanted:
            if text not in held:
                held[text] = _listen(text)
                self._held[service] = held
        return tuple(held[text].fileno() for text in wanted)

    def recover(self, service: str, descriptions: Iterable[str], pids: Iterable[int]) -> None:
        """Get them back from processes that a predecessor has passed them to.

        Where the system does not allow that, they are made anew for the next process.
        """
        pids = list(pids)
        held = self._held.setdefault(service, {})
        for place, text in enumerate(descriptions, FIRST):
            for pid in pids:
                if text not in held and (found := _borrowed(pid, place, listening(text))):
                    held[text] = found

    def release(self, service: str) -> None:
        """Listen no more for a service that is not wanted here."""
        for held in self._held.pop(service, {}).values():
            _close(held)

    def export(self) -> dict[str, dict[str, int]]:
        """What a process that takes the place of this one is to be told; JSON.

        They stay open over C{exec} from now on.
        """
        for held in self._held.values():
            for found in held.values():
                found.set_inheritable(True)
        return {
            service: {text: found.fileno() for text, found in held.items()}
            for service, held in self._held.items()
        }


def _taken(number: int) -> socket.socket:
    found = socket.socket(fileno=number)
    found.set_inheritable(False)
    return found


def _listen(text: str) -> socket.socket:
    try:
        wish = listening(text)
        return _unix(wish) if wish.path else _tcp(wish)
    except OSError as error:
        raise NotSpawned(reason=f"cannot listen at {text}: {error.strerror}") from error
    except ValueError as error:
        raise NotSpawned(reason=f"its socket {text} makes no sense: {error}") from error


def _tcp(wish: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in wish.host else socket.AF_INET
    found = socket.socket(family)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # so that tcp and tcp6 can have the same port
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind((wish.host, wish.port))
        found.listen(wish.backlog)
    except BaseException:
        found.close()
        raise
    return found


def _unix(wish: Listening) -> socket.socket:
    found = socket.socket(socket.AF_UNIX)
    if _is_stale(wish.path):
        os.unlink(wish.path)
    try:
        found.bind(wish.path)
        os.chmod(wish.path, wish.mode)  # nobody gets in before it listens
        found.listen(wish.backlog)
    except BaseException:
        found.close()
        raise
    return found


def _is_stale(path: str) -> bool:
    """Whether there is a socket that nobody listens at."""
    if not os.path.exists(path) or not stat.S_ISSOCK(os.stat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX) as tried:
        tried.setblocking(False)
        return tried.connect_ex(path) == errno.ECONNREFUSED


def _close(held: socket.socket) -> None:
    path = held.getsockname() if held.family == socket.AF_UNIX else None
    held.close()
    if path:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _borrowed(pid: int, place: int, wish: Listening) -> socket.socket | None:
    """A copy of another process's descriptor, if it is what is looked for."""
    import ctypes  # a megabyte that most agents do without

    try:
        pidfd = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
    try:
        number = ctypes.CDLL(None).syscall(_GETFD, pidfd, place, 0)
    finally:
        os.close(pidfd)
    if number < 0:
        return None
    try:
        found = socket.socket(fileno=number)
    except OSError:
        os.close(number)
        return None
    if _listens_at(found, wish):
        return found
    found.close()
    return None


def _listens_at(found: socket.socket, wish: Listening) -> bool:
    try:
        if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return False
        name = found.getsockname()
    except OSError:
        return False
    return bool(name == wish.path if wish.path else name[:2] == (wish.host, wish.port))
