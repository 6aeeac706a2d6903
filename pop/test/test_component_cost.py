"""What a lookup or an event costs: what it concerns, not what there is."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.components.framework import create_framework


def calls(deed: Callable[[], Any]) -> int:
    """How many functions are called."""
    counted = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        deed()
    finally:
        sys.setprofile(before)
    return counted


class CostTests(SynchronousTestCase):
    """Much is registered, or listened to, that does not matter. (iPOPO looks at all of it.)"""

    def setUp(self) -> None:
        self.context = create_framework().get_bundle_context()

    def assertCheap(self, more: Callable[[int], None], deed: Callable[[], Any]) -> None:
        """It takes as many calls with much as with little around it."""
        more(10)
        few = calls(deed)
        more(1000)
        self.assertLess(calls(deed), few + 50)

    def register(self, number: int) -> None:
        """So many that do not match."""
        for value in range(number):
            given = {"k": f"other {value}", "colour": "blue"}
            self.context.register_service("spec", object(), given)

    def test_lookup(self) -> None:
        """What is found by the values of properties, all of it or the best, is found without a look
        at the others."""
        self.context.register_service("spec", object(), {"k": 5, "colour": "red"})
        for find in (self.context.get_all_service_references, self.context.get_service_reference):
            for filter in ("(&(k=5)(colour=red))", "(|(k=5)(k=6))", "(&(k=5)(!(colour=x)))"):
                self.assertTrue(find("spec", filter))
                self.assertCheap(self.register, lambda: find("spec", filter))  # noqa: B023

    def test_best(self) -> None:
        """So is the best of all."""
        self.assertCheap(self.register, lambda: self.context.get_service_reference("spec"))

    def test_event(self) -> None:
        """An event concerns those who asked for it by name, or by a value, and nobody else's filter
        is looked at."""

        def listen(number: int) -> None:
            for value in range(number):
                for specification in (None, "spec"):
                    listener: Any = lambda event: self.fail(event)  # noqa: E731
                    self.context.add_service_listener(listener, f"(k={value})", specification)
                listener = lambda event: self.fail(event)  # noqa: E731
                self.context.add_service_listener(listener, "(&(j=*)(l>=3))", f"spec-{value}")

        registration = self.context.register_service("spec", object(), {"k": "mine"})
        values = iter(["ours", "theirs"])
        self.assertCheap(listen, lambda: registration.set_properties({"k": next(values)}))
        self.assertCheap(listen, lambda: self.context.register_service("spec", object()))
