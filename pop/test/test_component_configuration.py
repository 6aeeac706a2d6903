"""Configurations: what they are, and who is told of them."""

from typing import Any

from twisted.internet.defer import Deferred

from pop.components.configuration.errors import (
    BadConfiguration,
    BadPid,
    ConfigurationGone,
)
from pop.components.errors import BadFilter
from pop.test.configured import ConfigurationCase


class ManagedTests(ConfigurationCase):
    """Those who have one configuration."""

    def test_nothing_configured(self) -> None:
        """Who is managed under a PID without configuration is not called, and makes none."""
        managed, _ = self.manage()
        self.assertEqual([], managed.take())
        self.assertEqual(None, self.admin.find("a"))

    def test_told_of_what_there_is(self) -> None:
        """Who is registered is told once, of what is kept already."""
        self.update(x=1)
        self.again()
        managed, _ = self.manage()
        self.assertEqual([{"x": 1}], managed.take())

    def test_updated_and_deleted(self) -> None:
        """Each change is told once; that it is deleted, as None, and then it may come back."""
        managed, _ = self.manage()
        self.assertTrue(self.update(x=1))
        self.assertFalse(self.update(x=1))
        self.update(y=[1, {"z": None}])
        self.done(self.admin.get_configuration("a").delete())
        self.assertEqual([{"x": 1}, {"y": [1, {"z": None}]}, None], managed.take())
        self.update(x=1)
        self.assertEqual([{"x": 1}], managed.take())

    def test_one_is_not_true(self) -> None:
        """A value of another kind is another value."""
        managed, _ = self.manage()
        self.update(x=1)
        self.update(x=True)
        self.assertEqual(["1", "True"], [str(told["x"]) for told in managed.take()])

    def test_never_updated(self) -> None:
        """Of a configuration that was never updated nobody is told, and not of its end either."""
        managed, _ = self.manage()
        configuration = self.admin.get_configuration("a")
        self.assertFalse(self.done(configuration.update()))
        self.assertFalse(configuration.is_valid())
        self.assertEqual(None, configuration.get_properties())
        self.done(configuration.delete())
        self.assertEqual([], managed.take())
        self.assertFalse(self.folder.exists())

    def test_emptied(self) -> None:
        """No properties are properties, too."""
        managed, _ = self.manage()
        self.update(x=1)
        self.update()
        self.assertEqual([{"x": 1}, {}], managed.take())

    def test_copies(self) -> None:
        """Everybody has his own copy: who changes it changes nothing for others."""
        first, second = self.manage()[0], self.manage()[0]
        given = {"list": [1]}
        self.done(self.admin.get_configuration("a").update(given))
        given["list"].append(2)
        for told in (first.take(), second.take(), self.manage()[0].take()):
            self.assertEqual([{"list": [1, "spoiled"]}], [dict(each) for each in told])
        mine = self.admin.get_configuration("a").get_properties()
        assert mine is not None
        self.assertEqual([1], mine["list"])

    def test_others_harm_nobody(self) -> None:
        """Who raises does not keep others from being told, nor the configuration from changing."""

        def fail(properties: Any) -> None:
            raise ValueError("broken")

        broken, whole = self.manage()[0], self.manage()[0]
        broken.then = fail
        self.update(x=1)
        self.assertEqual([{"x": 1}], whole.take())
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        [trouble] = self.admin.get_configuration("a").troubles()
        self.assertEqual("updated of bundle pop.framework failed: ValueError: broken", trouble)
        self.update(x=2)
        self.assertEqual([{"x": 1}, {"x": 2}], broken.take())
        self.flushLoggedErrors(ValueError)

    def test_one_at_a_time(self) -> None:
        """Who takes his time is not called meanwhile, and then told only what is so by then; who
        updates waits until then, and others wait for nobody."""
        slow, quick = self.manage()[0], self.manage()[0]
        first: Deferred[None] = Deferred()
        slow.then = lambda properties: first
        waiting = [self.admin.get_configuration("a").update({"x": x}) for x in (1, 2, 3)]
        self.assertEqual([{"x": 1}], slow.take())
        self.assertEqual([{"x": 1}, {"x": 2}, {"x": 3}], quick.take())
        slow.then = None
        for each in waiting:
            self.assertNoResult(each)
        first.callback(None)
        self.assertEqual([{"x": 3}], slow.take())
        for each in waiting:
            self.assertTrue(self.done(each))

    def test_back_and_forth(self) -> None:
        """What has become again as it was told is not told again."""
        slow, _ = self.manage()
        first: Deferred[None] = Deferred()
        slow.then = lambda properties: first
        for x in (1, 2, 1):
            self.admin.get_configuration("a").update({"x": x})
        first.callback(None)
        self.assertEqual([{"x": 1}], slow.take())

    def test_update_within(self) -> None:
        """Who updates his own configuration while he is told of it is told of that when he has
        returned; if he waits for it, he does not wait for himself.

        (iPOPO lets such a one wait for a second.)
        """
        managed, _ = self.manage()
        order: list[Any] = []

        async def again(properties: Any) -> None:
            order.append(properties["x"])
            if properties["x"] < 3:
                await self.admin.get_configuration("a").update({"x": properties["x"] + 1})
            order.append(-properties["x"])

        managed.then = again
        self.update(x=1)
        self.assertEqual([1, -1, 2, -2, 3, -3], order)

    def test_too_slow(self) -> None:
        """Who never returns is cancelled and named, and then told what is so."""
        slow, _ = self.manage()
        slow.then = lambda properties: Deferred()
        first = self.admin.get_configuration("a").update({"x": 1})
        second = self.admin.get_configuration("a").update({"x": 2})
        slow.then = None
        self.clock.advance(10)
        self.assertEqual([{"x": 1}, {"x": 2}], slow.take())
        self.done(first)
        self.done(second)
        [failure] = self.flushLoggedErrors()
        self.assertIn("updated of bundle pop.framework has not ended", str(failure.value))

    def test_gone(self) -> None:
        """Who is registered no more is told nothing any more, even if he is still busy."""
        managed, registration = self.manage()
        first: Deferred[None] = Deferred()
        managed.then = lambda properties: first
        for x in (1, 2):
            self.update_later(x)
        registration.unregister()
        first.callback(None)
        self.update(x=4)
        self.assertEqual([{"x": 1}], managed.take())

    def update_later(self, x: int) -> None:
        """Update, without waiting for those who are told."""
        self.admin.get_configuration("a").update({"x": x})

    def test_another_pid(self) -> None:
        """Whose registration says another PID is told of that configuration, or that he has none;
        one that says none, or nonsense, is told nothing."""
        self.update("a", x=1)
        self.update("b", x=2)
        managed, registration = self.manage("a")
        registration.set_properties({"service.pid": "b"})
        self.update("a", x=3)
        registration.set_properties({"service.pid": "c"})
        self.assertEqual([{"x": 1}, None, {"x": 2}, None], managed.take())
        registration.set_properties({"service.pid": {"not": "a text"}})
        registration.set_properties({}, removed=["service.pid"])
        self.assertEqual([], managed.take())


class FactoryTests(ConfigurationCase):
    """Those who have any number of configurations."""

    def make(self, **properties: Any) -> str:
        """A configuration of the factory "f"; gives its PID."""
        configuration = self.admin.create_factory_configuration("f")
        self.done(configuration.update(properties))
        return configuration.get_pid()

    def test_each(self) -> None:
        """Each configuration has a PID of its own, and is told by it; kept, and told anew."""
        managed, _ = self.manage("f", factory=True)
        one, two = self.make(x=1), self.make(x=2)
        self.assertNotEqual(one, two)
        self.assertEqual([(one, {"x": 1}), (two, {"x": 2})], managed.take())
        self.assertEqual("f", self.admin.get_configuration(one).get_factory_pid())
        self.again()
        self.assertEqual(
            {one: 1, two: 2}, {pid: told["x"] for pid, told in managed.take() if told is not None}
        )
        self.done(self.admin.get_configuration(one).delete())
        self.done(self.admin.get_configuration(one).delete())
        self.assertEqual([(one, None)], managed.take())

    def test_not_for_others(self) -> None:
        """Who has one configuration is told of none that is a factory's, and the other way."""
        one = self.make(x=1)
        single, factory = self.manage(one)[0], self.manage("f", factory=True)[0]
        self.update("f", x=2)
        self.assertEqual([], single.take())
        self.assertEqual([(one, {"x": 1})], factory.take())


class ConfigurationTests(ConfigurationCase):
    """What may be asked of configurations."""

    def test_properties(self) -> None:
        """Which one it is, is among its properties, whatever was given for that."""
        self.update("a", **{"Service.PID": "z", "service.factorypid": "z", "x": 1})
        properties = self.admin.get_configuration(" a ").get_properties()
        self.assertEqual({"service.pid": "a", "x": 1}, properties)
        made = self.admin.create_factory_configuration("f")
        self.done(made.update({}))
        self.assertEqual(
            {"service.pid": made.get_pid(), "service.factoryPid": "f"}, made.get_properties()
        )

    def test_list(self) -> None:
        """Those that have properties are found, by a filter over these."""
        self.update("b", x=1)
        self.update("a", x=2)
        self.admin.get_configuration("c")
        for wanted, pids in (
            (None, "ab"),
            ("(x>=2)", "a"),
            ("(service.pid=b)", "b"),
            ("(y=1)", ""),
        ):
            found = self.admin.list_configurations(wanted)
            self.assertEqual(pids, "".join(each.get_pid() for each in found))
        self.assertRaises(BadFilter, self.admin.list_configurations, "(x=")

    def test_bad_pids(self) -> None:
        """What cannot be the name of a file, or is blank, is no PID."""
        for bad in ("", "  ", "a/b", "..\\a", "a\0", None, 5):
            self.assertRaises(BadPid, self.admin.get_configuration, bad)
            self.assertRaises(BadPid, self.admin.create_factory_configuration, bad)

    def test_bad_properties(self) -> None:
        """What JSON does not know, or what has two names that differ in case, is refused."""
        self.update(x=1)
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        odd: Any = {1: "x"}
        for bad in ({"x": object()}, {"x": float("nan")}, {"x": 1, "X": 2}, {"x": deep}, odd):
            said = self.failed(self.admin.get_configuration("a").update(bad), BadConfiguration)
            self.assertIn("The configuration a cannot be that: ", said)
        self.assertEqual([1], [each["x"] for each in map(dict, self.properties("a"))])

    def properties(self, pid: str) -> list[dict[str, Any]]:
        """Of a configuration, if it has any."""
        return [self.admin.get_configuration(pid).get_properties() or {}]

    def test_deleted(self) -> None:
        """A configuration that was deleted can do nothing any more; another may have its PID."""
        self.update(x=1)
        gone = self.admin.get_configuration("a")
        self.done(gone.delete())
        self.failed(gone.update({"x": 2}), ConfigurationGone)
        self.failed(gone.reload(), ConfigurationGone)
        self.assertRaises(ConfigurationGone, gone.get_properties)
        self.assertFalse(gone.is_valid() or gone.matches(None))
        self.done(gone.delete())
        self.update(x=3)
        self.assertFalse(gone.is_valid())
