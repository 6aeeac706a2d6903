"""Whatever happens in whichever order, one framework ends up with what the other exports."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pop.test.callers import CallCase

NAMES = st.sampled_from(["a", "b", "c"])
WHICH = st.integers(0, 9)
BUNDLES = st.sampled_from(["core", "transport", "discovery"])
DEEDS = st.one_of(
    st.tuples(st.just("register"), NAMES),
    st.tuples(st.just("unregister"), WHICH),
    st.tuples(st.just("rename"), WHICH, NAMES),
    st.tuples(st.just("hide"), WHICH, st.booleans()),
    st.tuples(st.just("change"), WHICH, st.integers(0, 3)),
    st.tuples(st.just("cut")),
    st.tuples(
        st.just("restart"), st.sampled_from(["core", "transport", "discovery"]), st.booleans()
    ),
    st.tuples(st.just("settle")),
    st.tuples(st.just("wait"), st.integers(1, 5)),
)


class WaysTests(CallCase):
    """Random things that happen to two frameworks."""

    def runTest(self) -> None:
        """For the frameworks that each way needs anew."""

    def do(self, deed: tuple[Any, ...]) -> None:
        """One thing that happens."""
        what, *how = deed
        if what == "register":
            given = {"service.exported.interfaces": "*", "endpoint.name": how[0], "n": 0}
            context = self.server.get_bundle_context()
            self.registrations.append(context.register_service("spec", self.echo, given))
        elif what == "settle":
            self.network.settle()
        elif what == "wait":
            self.network.pass_(how[0])
        elif what == "cut":
            self.network.cut()
        elif what == "restart":
            self.restart(*how)
        elif self.registrations:
            self.touch(what, how[0] % len(self.registrations), *how[1:])

    def touch(self, what: str, which: int, *how: Any) -> None:
        """Something happens to a registration."""
        if what == "unregister":
            self.registrations.pop(which).unregister()
        else:
            name = {
                "rename": "endpoint.name",
                "hide": "pelix.remote.export.none",
                "change": "n",
            }[what]
            self.registrations[which].set_properties({name: how[0]})

    def restart(self, name: str, there: bool) -> None:
        """A bundle of one of the two stops, and starts again."""
        framework = self.server if there else self.client
        bundle = framework.get_bundle_by_name(f"pop.components.remote.{name}")
        assert bundle is not None
        stopping = bundle.stop()
        self.network.settle()
        self.successResultOf(stopping)
        self.successResultOf(bundle.start())

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(st.lists(NAMES, min_size=2, max_size=4), st.lists(DEEDS, min_size=5, max_size=30))
    def test_same(self, names: list[str], deeds: list[tuple[Any, ...]]) -> None:
        """Each name that something is to be exported under is taken by one of those that want it,
        and that one is there in the other framework as it is here."""
        case = WaysTests()
        case.setUp()
        try:
            case.registrations = []
            for deed in (*(("register", name) for name in names), *deeds):
                case.do(deed)
            case.network.pass_(15)
            case.check()
        finally:
            case.doCleanups()

    registrations: list[Any]

    def check(self) -> None:
        """That it is so."""
        wanted = {
            reference.id: (reference.get_property("endpoint.name"), reference.get_property("n"))
            for reference in (each.get_reference() for each in self.registrations)
            if not reference.get_property("pelix.remote.export.none")
        }
        found = {
            reference.get_property("endpoint.service.id"): (
                reference.get_property("endpoint.name"),
                reference.get_property("n"),
            )
            for reference in self.client.get_bundle_context().get_all_service_references("spec")
        }
        self.assertEqual(found, {id: said for id, said in wanted.items() if id in found})
        names = sorted(name for name, _ in found.values())
        self.assertEqual(sorted({name for name, _ in wanted.values()}), names)
