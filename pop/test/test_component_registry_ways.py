"""Thousands of ways through the life of a registry, beside one that looks at everything."""

from collections.abc import Collection
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.components.events import ServiceEvent
from pop.components.filters import And, Filter, Or
from pop.components.framework import create_framework
from pop.components.registry import ServiceRegistration
from pop.components.syntax import parse
from pop.test.naive_registry import NaiveRegistry
from pop.test.test_component_filters import Colour, filters, properties

SPECIFICATIONS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2, unique=True)
RANKING = st.fixed_dictionaries({}, optional={"service.ranking": st.integers(-1, 1)})
FEW = st.fixed_dictionaries(
    {},
    optional={
        "k": st.sampled_from([1, 2, 1.0, "1", True, [1, 2], Colour.RED]),
        "M": st.sampled_from(["x", "y"]),
    },
)
"""Few values, so that the same is looked for, and changed, again and again."""
PROPERTIES = st.builds(lambda one, other: {**one, **other}, FEW | FEW | properties, RANKING)
SIMPLE = st.sampled_from(
    ["(K=1)", "(k=2)", "(k=true)", "(k=red)", "(m=x)", "(!(k=1))", "(m=*)", "(k>=2)"]
).map(parse)
FILTER = st.one_of(
    st.none(),
    SIMPLE,
    st.tuples(SIMPLE, SIMPLE).map(And),
    st.tuples(SIMPLE, SIMPLE).map(Or),
    st.just(parse("(objectClass=a)")),
    filters,
)
FIND = st.tuples(st.just("find"), st.lists(st.sampled_from("abc"), max_size=2), FILTER)
STEP = st.one_of(
    st.tuples(st.just("register"), SPECIFICATIONS, PROPERTIES),
    st.tuples(
        st.just("change"),
        st.integers(0, 9),
        FEW | PROPERTIES,
        st.lists(st.sampled_from(["k", "M"]), max_size=1),
    ),
    st.tuples(st.just("unregister"), st.integers(0, 9)),
    st.tuples(st.just("listen"), st.lists(st.sampled_from("abc"), max_size=2), FILTER),
    st.tuples(st.just("unlisten"), st.integers(0, 9)),
    FIND,
    FIND,
)
NAMES = st.sampled_from([(), (), ("a",), ("b",)])
QUESTIONS = st.lists(st.tuples(NAMES, st.none() | SIMPLE), min_size=2, max_size=4)
"""What is asked after each step: whatever is kept for a lookup is soon wrong if it is not kept up.
Steps alone rarely look the same up before and after a change of just that value, or ranking."""
BOUNDED = settings(
    deadline=None, max_examples=100, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
"""The same ways each time, in a second or two, and a failure is not made shorter, which may take
minutes: without these bounds, hypothesis goes other ways and finds the shortest that fails."""


class Pair:
    """The registry and the naive one, told the same."""

    def __init__(self) -> None:
        self.context = create_framework().get_bundle_context()
        self.naive = NaiveRegistry()
        self.registrations: list[ServiceRegistration] = []
        self.listeners: list[tuple[str, Any]] = []
        self.told: list[tuple[str, str, int]] = []
        self.names = 0

    def do(self, step: tuple[Any, ...]) -> None:
        """One step in both."""
        getattr(self, step[0])(*step[1:])

    def register(self, names: list[str], properties: dict[str, Any]) -> None:
        """An object under some names."""
        self.registrations.append(self.context.register_service(names, object(), properties))
        assert self.naive.register(names, properties) == self.registrations[-1].reference.id

    def change(self, place: int, properties: dict[str, Any], removed: list[str]) -> None:
        """Properties."""
        if self.registrations:
            registration = self.registrations[place % len(self.registrations)]
            registration.set_properties(properties, removed)
            self.naive.change(registration.reference.id, properties, removed)

    def unregister(self, place: int) -> None:
        """Take one back."""
        if self.registrations:
            registration = self.registrations.pop(place % len(self.registrations))
            registration.unregister()
            self.naive.unregister(registration.reference.id)

    def listen(self, names: list[str], wanted: Filter | None) -> None:
        """A new listener."""
        self.names += 1
        name = f"listener {self.names}"

        def listener(event: ServiceEvent) -> None:
            self.told.append((name, event.kind.name, event.reference.id))

        self.context.add_service_listener(listener, wanted, names or None)
        self.listeners.append((name, listener))
        self.naive.listeners[name] = set(names), wanted

    def unlisten(self, place: int) -> None:
        """One less."""
        if self.listeners:
            name, listener = self.listeners.pop(place % len(self.listeners))
            assert self.context.remove_service_listener(listener)
            del self.naive.listeners[name]

    def find(self, names: Collection[str], wanted: Filter | None) -> None:
        """The same are found, in the same order."""
        found = self.context.get_all_service_references(names or None, wanted)
        expected = self.naive.find(names, wanted)
        assert [one.id for one in found] == expected, (expected, found)
        best = self.context.get_service_reference(names or None, wanted)
        assert best is (found[0] if found else None), (best, found)


class WaysTests(SynchronousTestCase):
    """The registry does what a linear scan does."""

    @BOUNDED
    @given(st.sampled_from([0, 16]), st.lists(STEP, min_size=20, max_size=50), QUESTIONS)
    def test_as_a_linear_scan(
        self, crowd: int, steps: list[tuple[Any, ...]], questions: list[Any]
    ) -> None:
        """Results and events are identical, in order, after each step, also where many are there
        from the beginning."""
        pair = Pair()
        for n in range(crowd):
            properties = {"k": n % 3, "M": "xyz"[n % 4 : n % 4 + 1], "service.ranking": n % 2}
            pair.register(["ab"[n // 8]], properties)
        for step in steps:
            pair.do(step)
            self.assertEqual(pair.naive.told, pair.told)
            for names, wanted in questions:
                pair.find(names, wanted)
