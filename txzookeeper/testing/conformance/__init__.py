"""What every ZooKeeper keeps to, whichever it is: one suite for the memory server and a real one.

A promise is an async function of a `World`, with its promise as the docstring; each becomes a
test of the class that `client_tests` makes. Where the two differ, the memory server is wrong.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from txzookeeper.testing.conformance import (
    access,
    departures,
    managed,
    nodes,
    questions,
    queues,
    recipes,
    sessions,
    standing,
    subtrees,
    transactions,
    watchers,
    watches,
)
from txzookeeper.testing.world import World

MODULES = (
    nodes,
    questions,
    departures,
    access,
    transactions,
    watches,
    standing,
    sessions,
    managed,
    queues,
    watchers,
    subtrees,
    recipes,
)

Promise = Callable[[World], Any]


def client_tests(fixture: Callable[[], World]) -> type[TestCase]:
    """Make the tests of a world; give the class a name by inheriting from it."""

    class ClientTests(TestCase):
        timeout = 30

    for name, promise in _promises():
        setattr(ClientTests, f"test_{name}", _test(fixture, promise))
    return ClientTests


def _promises() -> Iterator[tuple[str, Promise]]:
    for module in MODULES:
        for name, promise in _public(module):
            yield f"{module.__name__.rpartition('.')[2]}_{name}", promise


def _public(module: ModuleType) -> list[tuple[str, Promise]]:
    return [
        (name, promise)
        for name, promise in inspect.getmembers(module, inspect.iscoroutinefunction)
        if promise.__module__ == module.__name__ and not name.startswith("_")
    ]


def _test(fixture: Callable[[], World], promise: Promise) -> Callable[[TestCase], Deferred[None]]:
    def test(case: TestCase) -> Deferred[None]:
        return fixture().run(promise)

    test.__doc__ = promise.__doc__
    return test
