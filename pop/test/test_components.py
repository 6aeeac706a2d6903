"""Components and bundles, what they wait for, and what bundles add to them."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent
from typing import Any, cast

from twisted.logger import ILogObserver, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from pop.components import (
    HANDLER_ID,
    SERVICE_HANDLER_FACTORY,
    ComponentFactory,
    Handler,
)
from pop.components.bundle import Bundle, BundleState
from pop.components.decorators import declaring
from pop.components.errors import AlreadyWaiting, NotWaiting
from pop.components.framework import Framework
from pop.components.life import Phase
from pop.components.waiting import SERVICE_WAITING_LIST
from pop.test.frameworks import FrameworkTestCase

SAID: list[str] = []
"""What the bundles of these tests say."""


class ImportTests(SynchronousTestCase):
    """What the framework needs to be imported."""

    def test_alone(self) -> None:
        """It can be imported without a reactor, and knows nothing of ZooKeeper or the agent."""
        code = "import sys, pop.components; print(*sorted(sys.modules))"
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        loaded = set(run.stdout.split())
        self.assertIn("pop.components.container", loaded)
        foreign = {
            "twisted.internet.reactor",
            "txzookeeper",
            "pop.cluster",
            "pop.agent",
            "pop.model",
            "pop.components.remote",
        }
        self.assertEqual(set(), loaded & foreign)


class BundlesTestCase(FrameworkTestCase):
    """Has a directory for bundles."""

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(tempfile.mkdtemp(prefix="pop-bundles-"))
        self.addCleanup(shutil.rmtree, self.path)
        self.addCleanup(SAID.clear)

    def write(self, name: str, text: str) -> None:
        """Write a bundle's module."""
        (self.path / f"{name}.py").write_text(
            "from pop.components import *\n"
            "from pop.test.test_components import SAID\n" + dedent(text)
        )
        self.addCleanup(sys.modules.pop, name, None)

    def bundle(self, name: str, text: str) -> Bundle:
        """Write a bundle, install it and start it."""
        self.write(name, text)
        bundle = self.framework.install_bundle(name, str(self.path))
        self.successResultOf(bundle.start())
        return bundle

    def names(self) -> list[str]:
        """Those of all components."""
        return [name for name, _, _ in self.ipopo.get_instances()]


class BundlesTests(BundlesTestCase):
    """Components come and go with their bundles."""

    def test_started(self) -> None:
        """They are made once the activator has started the bundle, and are gone before it stops
        it."""
        bundle = self.bundle(
            "one_bundle",
            """
            @BundleActivator
            class Activator:
                def start(self, context):
                    SAID.append("start")
                def stop(self, context):
                    SAID.append("stop")

            @ComponentFactory("one")
            @Instantiate("one")
            class One:
                @Validate
                def begin(self, context):
                    SAID.append("valid")
                @Invalidate
                def end(self, context):
                    SAID.append("invalid")
            """,
        )
        self.assertEqual(["one"], self.names())
        self.successResultOf(bundle.stop())
        self.assertEqual(["start", "valid", "invalid", "stop"], SAID)
        self.assertEqual(([], []), (self.names(), self.ipopo.get_factories()))

    def test_container_last(self) -> None:
        """Bundles that have been started before components can live get theirs later."""
        framework = Framework({}, environment={})
        self.write("early_bundle", '@ComponentFactory("e")\n@Instantiate("e")\nclass E: pass\n')
        framework.install_bundle("early_bundle", str(self.path))
        framework.install_bundle("pop.components.ipopo")
        self.successResultOf(framework.start())
        context = framework.get_bundle_context()
        reference = context.get_service_reference("pelix.ipopo.core")
        assert reference is not None
        ipopo = context.get_service(reference)
        self.assertEqual([("e", "e", Phase.VALID)], ipopo.get_instances())
        self.successResultOf(framework.stop())
        self.assertEqual([], ipopo.get_instances())

    def test_two_frameworks(self) -> None:
        """One module may be a bundle of several frameworks; their components know nothing of each
        other."""
        text = '@ComponentFactory("o")\n@Instantiate("o")\n@Provides("o")\nclass O: pass\n'
        bundle = self.bundle("one_of_two", text)
        other = Framework({}, environment={})
        for name in ("pop.components.ipopo", "one_of_two"):
            other.install_bundle(name, str(self.path))
        self.successResultOf(other.start())
        self.successResultOf(bundle.stop())
        self.assertIsNone(self.context.get_service_reference("o"))
        self.assertIsNotNone(other.get_bundle_context().get_service_reference("o"))
        self.successResultOf(other.stop())

    def test_one_fails(self) -> None:
        """One component that cannot be made keeps no other from being made. (In iPOPO it does.)"""
        self.bundle(
            "torn_bundle",
            """
            @ComponentFactory("a-torn")
            @Instantiate("torn")
            class Torn:
                def __init__(self):
                    raise ValueError("torn")

            @ComponentFactory("whole")
            @Instantiate("whole")
            class Whole:
                pass
            """,
        )
        self.assertEqual(["whole"], self.names())
        self.assertEqual(["a-torn", "whole"], self.ipopo.get_factories())

    def test_imported(self) -> None:
        """A factory belongs to the bundle that defines it, not to those that import it."""
        text = '@ComponentFactory("f")\n@Instantiate("i")\nclass F: pass\n'
        first = self.bundle("defining_bundle", text)
        sys.path.insert(0, str(self.path))
        self.addCleanup(sys.path.remove, str(self.path))
        self.bundle("importing_bundle", "from defining_bundle import F\n")
        self.assertIs(first, self.ipopo.get_factory_bundle("f"))
        self.successResultOf(first.stop())
        self.assertEqual([], self.names())

    def test_forgotten(self) -> None:
        """A class that is to be instantiated, but is no factory, is told of. (iPOPO is silent.)"""
        told: list[Any] = []
        observer = cast(ILogObserver, told.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.bundle("forgetful_bundle", '@Instantiate("i")\nclass F: pass\n')
        said = [formatEvent(event) for event in told]
        expected = "forgetful_bundle.F is to be instantiated, but is no @ComponentFactory"
        self.assertIn(expected, said)

    def test_same_factory(self) -> None:
        """Of two bundles with a factory of one name the first is kept; the other is active all the
        same."""
        text = '@ComponentFactory("f")\n@Instantiate("{}")\nclass F: pass\n'
        self.bundle("first_bundle", text.format("first"))
        second = self.bundle("second_bundle", text.format("second"))
        self.assertEqual(["first"], self.names())
        self.assertIs(BundleState.ACTIVE, second.get_state())

    def test_update(self) -> None:
        """After an update those components come back that ask for it, with their properties, also
        those that nobody is shown."""
        text = (
            '@ComponentFactory("f")\n@Property("x", value=1)\n@HiddenProperty("y", value=1)\n'
            "class F:\n    version = {}\n"
        )
        bundle = self.bundle("updated_bundle", text.format(1))
        again = {"pelix.ipopo.auto_restart": True, "x": 2}
        it = self.ipopo.instantiate("f", "again", again)
        it.x, it.y = 3, 4
        self.ipopo.instantiate("f", "gone", {"x": 2})
        self.write("updated_bundle", text.format(2))
        self.successResultOf(bundle.update())
        self.assertEqual(["again"], self.names())
        it = self.ipopo.get_instance("again")
        self.assertEqual((3, 4, 2), (it.x, it.y, it.version))

    def test_update_fails(self) -> None:
        """If the new code cannot be imported, its components never stop."""
        bundle = self.bundle(
            "kept_bundle", '@ComponentFactory("k")\n@Instantiate("k")\nclass K: pass\n'
        )
        it = self.ipopo.get_instance("k")
        self.write("kept_bundle", "nonsense(\n")
        self.failureResultOf(bundle.update())
        self.assertIs(it, self.ipopo.get_instance("k"))
        self.assertEqual(Phase.VALID, self.state("k"))


class WaitingListTests(BundlesTestCase):
    """Components that wait for their factories."""

    def setUp(self) -> None:
        super().setUp()
        reference = self.context.get_service_reference(SERVICE_WAITING_LIST)
        assert reference is not None
        self.waiting = self.context.get_service(reference)

    def test_comes_and_goes(self) -> None:
        """It is made whenever its factory comes, with the properties that were last said."""
        self.waiting.add("w", "it", {"x": 1, "y": 1})
        self.assertEqual([], self.names())
        self.waiting.update("it", {"x": 2}, removed=["y"])
        bundle = self.bundle("w_bundle", '@ComponentFactory("w")\nclass W: pass\n')
        expected = {"x": 2, "instance.name": "it"}
        self.assertEqual(expected, self.ipopo.get_instance_properties("it"))
        self.waiting.update("it", {"x": 3})
        self.assertEqual(3, self.ipopo.get_instance_properties("it")["x"])
        self.successResultOf(bundle.stop())
        self.assertEqual([], self.names())
        self.successResultOf(bundle.start())
        self.assertEqual(["it"], self.names())
        self.successResultOf(self.waiting.remove("it"))
        self.assertEqual([], self.names())

    def test_refused(self) -> None:
        """A name is wanted once; one that is not wanted is no one's."""
        self.waiting.add("w", "it")
        self.assertRaises(AlreadyWaiting, self.waiting.add, "w", "it")
        self.assertRaises(NotWaiting, self.waiting.update, "other", {})
        self.assertRaises(NotWaiting, self.waiting.remove, "other")

    def test_name_taken(self) -> None:
        """A component that is there already is kept."""
        self.bundle("w_bundle", '@ComponentFactory("w")\n@Instantiate("it")\nclass W: pass\n')
        it = self.ipopo.get_instance("it")
        self.waiting.add("w", "it")
        self.assertIs(it, self.ipopo.get_instance("it"))


class Counting(Handler):
    """Lets its component be valid while it is told to."""

    def __init__(self, component: Any) -> None:
        self.component = component
        self.valid = True
        self.seen: list[str] = []

    def is_valid(self) -> bool:
        return self.valid

    def post_validate(self) -> None:
        self.seen.append("valid")

    def post_invalidate(self) -> None:
        self.seen.append("invalid")

    def stop(self) -> None:
        self.seen.append("stop")


class Counters:
    """Makes handlers of that kind."""

    def __init__(self) -> None:
        self.made: list[Counting] = []

    def get_handlers(self, component: Any, instance: Any) -> list[Handler]:
        self.made.append(Counting(component))
        return [self.made[-1]]


def counted(cls: type) -> type:
    """A decorator that such a handler serves."""
    declaring(cls).configuration("test.counting")["field"] = 1
    return cls


class HandlerTests(FrameworkTestCase):
    """Handlers that bundles contribute."""

    def setUp(self) -> None:
        super().setUp()

        @ComponentFactory("counted")
        @counted
        class Counted:
            pass

        self.it = self.make(Counted)

    def contribute(self) -> tuple[Any, Counters]:
        """Register what makes them."""
        counters = Counters()
        given = {HANDLER_ID: "test.counting"}
        return self.context.register_service(SERVICE_HANDLER_FACTORY, counters, given), counters

    def test_waiting(self) -> None:
        """Without its handler a component waits; with it, it is valid; and it waits again when
        that goes, unless there is another."""
        expected = [("a", "counted", {"test.counting"})]
        self.assertEqual(expected, self.ipopo.get_waiting_components())
        self.assertEqual([], self.ipopo.get_instances())
        first, counters = self.contribute()
        second, others = self.contribute()
        self.assertEqual(Phase.VALID, self.state())
        self.assertEqual([], others.made)
        first.unregister()
        self.assertEqual(["valid", "invalid", "stop"], counters.made[0].seen)
        self.assertEqual((Phase.VALID, 1), (self.state(), len(others.made)))
        second.unregister()
        self.assertEqual(expected, self.ipopo.get_waiting_components())
        self.assertIs(self.it, self.ipopo.get_instance("a"))

    def test_validity(self) -> None:
        """A handler has a say in whether its component is valid."""
        _, counters = self.contribute()
        [handler] = counters.made
        handler.valid = False
        handler.component.look()
        self.assertEqual(Phase.INVALID, self.state())
        handler.valid = True
        handler.component.look()
        self.assertEqual(Phase.VALID, self.state())
