"""Slots: the places of one service's processes on one machine.

A service with C{processes=3} has three of them, each with a life, a log and a note of its own. The
first is called as the service is, so that most services have nothing to do with any of this.
"""

from collections.abc import Iterable


def slot(service: str, index: int) -> str:
    """The name of a service's process, counted from 1: C{web}, C{web/2}, C{web/3}."""
    return service if index == 1 else f"{service}/{index}"


def slots(service: str, processes: int) -> Iterable[str]:
    """The names of all of them, in order."""
    return (slot(service, index) for index in range(1, processes + 1))


def service_of(name: str) -> str:
    """The service that a slot belongs to; no service's name has a slash in it."""
    return name.partition("/")[0]


def index_of(name: str) -> int:
    """Which of its service's processes a slot is, from 1."""
    return int(name.partition("/")[2] or 1)


def filename(name: str, ending: str) -> str:
    """A file of a slot's own: C{web.log}, C{web.log.2}; no service's file has such a name."""
    index = index_of(name)
    return f"{service_of(name)}{ending}" + (f".{index}" if index > 1 else "")
