"""Random stories of configurations and of those who are told of them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pop.components import configuration
from pop.components.configuration.admin import (
    SERVICE_CONFIGADMIN_MANAGED,
    SERVICE_CONFIGADMIN_MANAGED_FACTORY,
)
from pop.components.framework import Framework
from pop.test.configured import admin_of

PIDS = st.sampled_from("aaabc")
WHO = st.integers(0, 3)
UPDATE = st.tuples(st.just("update"), PIDS, st.integers(0, 1))
JOIN = st.tuples(st.just("join"), PIDS, st.booleans(), st.sampled_from([True, True, False]))
END = st.tuples(st.just("end"), WHO)
DEEDS = st.one_of(
    *(UPDATE, UPDATE, UPDATE, JOIN, JOIN, END),
    st.tuples(st.just("delete"), PIDS),
    st.tuples(st.just("leave"), WHO),
    st.tuples(st.just("move"), WHO, PIDS),
)
FAMILY = "f"
"""The factory that the configuration "c" is of."""


class Somebody:
    """Is told of configurations, may take his time, and sees to it that he is told well."""

    def __init__(self, case: SynchronousTestCase, slow: bool) -> None:
        self.case = case
        self.slow = slow
        self.busy: Deferred[None] | None = None
        self.knows: dict[str, Any] = {}
        self.registration: Any = None

    def updated(self, *told: Any) -> Any:
        """For the administration, with a PID for a factory."""
        properties = told[-1]
        pid = told[0] if len(told) > 1 else (properties or {}).get("service.pid")
        value = None if properties is None else properties["x"]
        if pid is None:  # the one that he has is gone
            [pid] = self.knows
        return self.note(pid, value)

    def deleted(self, pid: str) -> Any:
        """For the administration."""
        return self.note(pid, None)

    def note(self, pid: str, value: int | None) -> Any:
        """He is told one thing at a time, and nothing that he knows."""
        self.case.assertIs(None, self.busy)
        self.case.assertNotEqual(self.knows.get(pid), value)
        if value is None:
            del self.knows[pid]
        else:
            self.knows[pid] = value
        if not self.slow:
            return None
        self.busy = Deferred()
        return self.busy

    def end(self) -> bool:
        """Do what he is busy with no more; whether he was."""
        busy, self.busy = self.busy, None
        if busy is not None:
            busy.callback(None)
        return busy is not None


class Story:
    """One framework, and what happens in it."""

    def __init__(self, case: SynchronousTestCase) -> None:
        self.case = case
        self.framework = Framework({configuration.NO_FOLDER: True}, environment={})
        case.successResultOf(self.framework.start())
        case.successResultOf(self.framework.install_bundle(configuration.__name__).start())
        self.context = self.framework.get_bundle_context()
        self.admin = admin_of(self.framework)
        self.is_so: dict[str, int] = {}
        self.people: list[Somebody] = []
        self.waiting: list[Deferred[Any]] = []

    def update(self, pid: str, x: int) -> None:
        """Change a configuration; C{c} is a factory's."""
        if pid == "c":
            said = {"x": x, "service.factoryPid": FAMILY}
            self.waiting.append(self.admin.accept(pid, said, None))
        else:
            self.waiting.append(self.admin.get_configuration(pid).update({"x": x}))
        self.is_so[pid] = x

    def delete(self, pid: str) -> None:
        """Delete one, if it is there."""
        if (found := self.admin.find(pid)) is not None:
            self.waiting.append(found.delete())
        self.is_so.pop(pid, None)

    def join(self, pid: str, factory: bool, slow: bool) -> None:
        """Somebody is registered."""
        somebody = Somebody(self.case, slow)
        name = SERVICE_CONFIGADMIN_MANAGED_FACTORY if factory else SERVICE_CONFIGADMIN_MANAGED
        said = {"service.pid": FAMILY if factory and pid == "c" else pid}
        somebody.registration = self.context.register_service(name, somebody, said)
        self.people.append(somebody)

    def leave(self, who: int) -> None:
        """Somebody is registered no more; he ends what he is busy with."""
        if self.people:
            somebody = self.people.pop(who % len(self.people))
            somebody.registration.unregister()
            somebody.end()

    def move(self, who: int, pid: str) -> None:
        """Somebody is registered for another configuration."""
        if self.people:
            self.people[who % len(self.people)].registration.set_properties({"service.pid": pid})

    def end(self, who: int) -> None:
        """Somebody ends what he is busy with."""
        if self.people:
            self.people[who % len(self.people)].end()

    def finish(self) -> None:
        """All end what they are busy with; then they know what is so, and nobody waits any more."""
        while any([somebody.end() for somebody in self.people]):
            pass
        for somebody in self.people:
            reference = somebody.registration.get_reference()
            pid = reference.get_property("service.pid")
            one = SERVICE_CONFIGADMIN_MANAGED in reference.get_property("objectClass")
            concerns = {pid} - {"c"} if one else {"c"} if pid == FAMILY else set()
            wanted = {name: x for name, x in self.is_so.items() if name in concerns}
            self.case.assertEqual(wanted, somebody.knows)
        for each in self.waiting:
            self.case.successResultOf(each)
        self.case.successResultOf(self.framework.stop())


class StoriesTests(SynchronousTestCase):
    """Whatever happens, and however long anybody takes."""

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(st.lists(DEEDS, min_size=20, max_size=40))
    def test_told_well(self, deeds: list[tuple[Any, ...]]) -> None:
        """Nobody is told two things at a time or the same twice, all know in the end what is so,
        and whoever has changed something need not wait for ever."""
        story = Story(self)
        for deed, *arguments in deeds:
            getattr(story, deed)(*arguments)
        story.finish()
        self.assertEqual([], self.flushLoggedErrors())
