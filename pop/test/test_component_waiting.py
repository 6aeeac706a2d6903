"""Components that are wanted, whether there is what makes them or not."""

from typing import Any

from twisted.logger import capturedLogs

from pop.components import ComponentFactory
from pop.components.waiting import SERVICE_WAITING_LIST, WaitingList
from pop.test.frameworks import FrameworkTestCase


@ComponentFactory("wanted")
class Wanted:
    """Is wanted."""


@ComponentFactory("other")
class Other:
    """Is not."""


class WantedTests(FrameworkTestCase):
    """The list of those that are wanted."""

    def setUp(self) -> None:
        super().setUp()
        reference = self.context.get_service_reference(SERVICE_WAITING_LIST)
        assert reference is not None
        self.list: WaitingList = self.context.get_service(reference)

    def properties(self) -> dict[str, Any]:
        """Those that the component has; none if it is not there."""
        if not self.ipopo.is_registered_instance("it"):
            return {}
        return self.ipopo.get_instance_properties("it")

    def come(self, cls: type) -> None:
        """Have a factory registered."""
        self.ipopo.register_factory(self.context, cls)

    def go(self) -> None:
        """Have the factory be gone."""
        self.successResultOf(self.ipopo.unregister_factory("wanted"))

    def test_at_once(self) -> None:
        """What can be made is made at once."""
        self.come(Wanted)
        self.list.add("wanted", "it", {"x": 1})
        self.assertEqual({"x": 1, "instance.name": "it"}, self.properties())

    def test_its_factory(self) -> None:
        """Another factory makes nothing of it."""
        with capturedLogs() as complaints:
            self.list.add("wanted", "it")
            self.come(Other)
        self.assertHeard()
        self.assertEqual([], complaints)
        self.come(Wanted)
        self.assertHeard("INSTANTIATED it", "VALIDATED it")

    def test_given_stays(self) -> None:
        """The mapping with which it is wanted stays the caller's."""
        given = {"x": 1}
        self.list.add("wanted", "it", given)
        self.list.update("it", {"x": 2})
        given["x"] = 3
        self.come(Wanted)
        self.assertEqual(2, self.properties()["x"])

    def test_removed_properties(self) -> None:
        """Of properties that are removed it has none any more, now and when it is made again."""
        self.list.add("wanted", "it", {"x": 1, "y": 1})
        self.come(Wanted)
        self.list.update("it", {"z": 2}, removed=iter(["x", "no"]))
        expected = {"y": 1, "z": 2, "instance.name": "it"}
        self.assertEqual(expected, self.properties())
        self.go()
        self.come(Wanted)
        self.assertEqual(expected, self.properties())

    def test_killed(self) -> None:
        """One that was killed is made again when its factory comes again, and not before; what it
        is to have can be changed meanwhile."""
        self.list.add("wanted", "it", {"x": 1})
        self.come(Wanted)
        self.kill("it")
        self.list.update("it", {"x": 2})
        self.assertEqual({}, self.properties())
        self.go()
        self.come(Wanted)
        self.assertEqual(2, self.properties()["x"])

    def test_no_longer(self) -> None:
        """What is wanted no more is gone, and is not made when its factory comes; its name may be
        wanted again."""
        self.list.add("wanted", "it")
        self.successResultOf(self.list.remove("it"))
        self.come(Wanted)
        self.assertHeard()
        self.list.add("wanted", "it")
        self.successResultOf(self.list.remove("it"))
        self.assertHeard("INSTANTIATED it", "VALIDATED it", "INVALIDATED it", "KILLED it")

    def test_end(self) -> None:
        """When the list is no more, what it had made stays, and it makes nothing any more."""
        self.list.add("wanted", "it")
        self.list.add("other", "that")
        self.come(Wanted)
        self.list.stop()
        self.come(Other)
        self.assertEqual(["it"], [name for name, _, _ in self.ipopo.get_instances()])
