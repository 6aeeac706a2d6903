"""One measurement of one component framework, in a process of its own.

C{python frameworks.py pop|ipopo CASE SIZE} prints a JSON object of numbers: seconds, operations a
second, or bytes. Both are used as their documentation says, through the same names.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from calls import calls
from websites import websites

COLORS = ("red", "green", "blue")
Numbers = dict[str, float]


class Framework:
    """A framework that runs, with its components' container.

    @ivar parts: the module that has the decorators.
    """

    def __init__(self, party: str) -> None:
        if party == "pop":
            main: Any = importlib.import_module("pop.components")
            self.parts, core = main, "pop.components.ipopo"
        else:
            main = importlib.import_module("pelix.framework")
            self.parts, core = importlib.import_module("pelix.ipopo.decorators"), "pelix.ipopo.core"
        self.framework: Any = main.create_framework((core,))
        self.framework.start()
        self.context: Any = self.framework.get_bundle_context()
        reference = self.context.get_service_reference("pelix.ipopo.core")
        self.ipopo: Any = self.context.get_service(reference)

    def register(self, size: int) -> list[Any]:
        """Registrations with three properties each: one in 1,000 has a given pair of values."""
        return [
            self.context.register_service(
                "bench.spec", object(), {"k": n % 10, "color": COLORS[n % 3], "n": n}
            )
            for n in range(size)
        ]

    def consumer(self, **given: Any) -> Any:
        """A factory of components with a requirement and a property."""
        parts = self.parts

        class Consumer:
            def __init__(self) -> None:
                self.needed = None
                self.valid = 0

            @parts.Validate  # type: ignore[untyped-decorator]
            def validate(self, context: Any) -> None:
                self.valid += 1

            @parts.Invalidate  # type: ignore[untyped-decorator]
            def invalidate(self, context: Any) -> None:
                self.valid -= 1

        kind = parts.Property("prop", "prop", 1)(Consumer)
        kind = parts.Requires("needed", "bench.need", **given)(kind)
        kind = parts.ComponentFactory("consumer")(kind)
        self.ipopo.register_factory(self.context, kind)
        return kind

    def make(self, size: int) -> list[Any]:
        """Components of that factory."""
        return [self.ipopo.instantiate("consumer", f"consumer-{n}", {}) for n in range(size)]

    def offer(self, ranking: int = 0) -> Any:
        """What they need."""
        return self.context.register_service("bench.need", object(), {"service.ranking": ranking})


def seconds(call: Callable[[], Any]) -> float:
    """How long something takes."""
    gc.collect()
    began = perf_counter()
    call()
    return perf_counter() - began


def registrations(party: str, size: int) -> Numbers:
    """Register and unregister so many, and what one weighs."""
    framework = Framework(party)
    before = memory()
    made: list[Any] = []
    took = seconds(lambda: made.extend(framework.register(size)))
    weight = (memory() - before) / size
    gone = seconds(lambda: [registration.unregister() for registration in made])
    return {"register/s": size / took, "unregister/s": size / gone, "bytes each": weight}


def lookups(party: str, size: int) -> Numbers:
    """Look up by a filter of two values, which one in 30 matches."""
    framework = Framework(party)
    framework.register(size)
    find = framework.context.get_all_service_references
    wanted = "(&(k=5)(color=red))"
    found = len(find("bench.spec", wanted))
    assert found == sum(n % 10 == 5 and n % 3 == 0 for n in range(size)), found
    times = max(20, 200_000 // size)
    took = seconds(lambda: [find("bench.spec", wanted) for _ in range(times)])
    best = framework.context.get_service_reference
    first = seconds(lambda: [best("bench.spec", wanted) for _ in range(2000)])
    any_first = seconds(lambda: [best("bench.spec") for _ in range(2000)])
    return {
        "all/s": times / took,
        "best/s": 2000 / first,
        "best of any/s": 2000 / any_first,
    }


def changes(party: str, size: int) -> Numbers:
    """Change a value, one that was looked for, and the ranking of so many, and take them back.

    All were looked for by two of their properties before, as they are in a program that lives.
    """
    framework = Framework(party)
    made = framework.register(size)
    framework.context.get_all_service_references("bench.spec", "(&(k=5)(color=red))")

    def change(name: str) -> float:
        changed = [{name: n % 10 + 1} for n in range(size)]

        def each() -> None:
            for registration, properties in zip(made, changed, strict=True):
                registration.set_properties(properties)

        return size / seconds(each)

    numbers = {f"{title}/s": change(name) for title, name in CHANGED.items()}
    numbers["unregister/s"] = size / seconds(lambda: [each.unregister() for each in made])
    return numbers


CHANGED = {"value": "n", "value looked for": "k", "ranking": "service.ranking"}


def listeners(party: str, size: int) -> Numbers:
    """Register beside so many listeners that have filters only, none of which matches."""
    framework = Framework(party)

    class Listener:
        def service_changed(self, event: Any) -> None: ...

    for n in range(size):
        framework.context.add_service_listener(Listener(), f"(&(other={n})(k=5))")
    took = seconds(lambda: framework.register(1000))
    return {"register/s": 1000 / took}


def events(party: str, size: int) -> Numbers:
    """Send events of one topic, of which one of so many handlers wants to know."""
    framework = Framework(party)
    if party == "pop":
        framework.framework.install_bundle("pop.components.eventadmin").start()
    else:
        framework.framework.install_bundle("pelix.services.eventadmin").start()
        framework.ipopo.instantiate("pelix-services-eventadmin-factory", "eventadmin", {})
    told: list[str] = []

    class Handler:
        def handle_event(self, topic: str, properties: Any) -> None:
            told.append(topic)

    for n in range(size):
        topics = {"event.topics": [f"topic/{n}/*"]}
        framework.context.register_service("pelix.services.eventadmin.handler", Handler(), topics)
    admin = framework.context.get_service(
        framework.context.get_service_reference("pelix.services.eventadmin")
    )
    took = seconds(lambda: [admin.send("topic/0/news", {"n": n}) for n in range(2000)])
    assert len(told) == 2000, len(told)
    return {"send/s": 2000 / took}


def components(party: str, size: int) -> Numbers:
    """Instantiate so many components; let what they need go, come, and be replaced."""
    framework = Framework(party)
    framework.consumer()
    first = framework.offer()
    before = memory()
    made: list[Any] = []
    numbers = {"instantiate": seconds(lambda: made.extend(framework.make(size)))}
    numbers["bytes each"] = (memory() - before) / size
    check(made, 1)
    numbers["invalidate"] = seconds(first.unregister)
    check(made, 0)
    again: list[Any] = []
    numbers["revalidate"] = seconds(lambda: again.append(framework.offer()))
    check(made, 1)
    framework.offer(-1)
    numbers["switch"] = seconds(again[0].unregister)
    check(made, 1)
    numbers["kill"] = seconds(lambda: [framework.ipopo.kill(f"consumer-{n}") for n in range(size)])
    check(made, 0)
    return numbers


def immediate(party: str, size: int) -> Numbers:
    """The same where the replacement is immediate."""
    framework = Framework(party)
    framework.consumer(immediate_rebind=True)
    first = framework.offer()
    made = framework.make(size)
    framework.offer()
    numbers = {"switch": seconds(first.unregister)}
    check(made, 1)
    return numbers


def late(party: str, size: int) -> Numbers:
    """Instantiate so many, and then register what they need."""
    framework = Framework(party)
    framework.consumer()
    made: list[Any] = []
    waiting = seconds(lambda: made.extend(framework.make(size)))
    valid = seconds(framework.offer)
    check(made, 1)
    return {"instantiate": waiting, "validate": valid}


def importing(party: str, size: int) -> Numbers:
    """Import the framework in a new Python, compiled as it is wherever it runs a second time."""
    module = "pop.components" if party == "pop" else "pelix.framework, pelix.ipopo.decorators"
    code = f"from time import perf_counter as t; b = t(); import {module}; print(t() - b)"
    with TemporaryDirectory() as compiled:
        kept = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(2):
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, env=kept, capture_output=True, text=True, check=True)
    return {"import": float(done.stdout)}


def check(made: list[Any], valid: int) -> None:
    """That all of them are, or none."""
    assert all(each.valid == valid for each in made), "not all components are as they should be"


def memory() -> float:
    """What this process holds, in bytes."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096.0


CASES: dict[str, Callable[[str, int], Numbers]] = {
    "registrations": registrations,
    "lookups": lookups,
    "changes": changes,
    "listeners": listeners,
    "events": events,
    "components": components,
    "late": late,
    "immediate": immediate,
    "importing": importing,
    "calls": calls,
    "websites": websites,
}


if __name__ == "__main__":
    print(json.dumps(CASES[sys.argv[2]](sys.argv[1], int(sys.argv[3]))))
