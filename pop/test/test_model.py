"""Nodes to values and back."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.errors import BrokenNode
from pop.model import (
    AgentInfo,
    Machine,
    Service,
    Status,
    Target,
    dump,
    load_machines,
    load_service,
    load_settings,
    load_text,
)
from pop.test.values import json_values, texts

PATH = "/pop/machines/m1"
READERS: dict[str, Callable[[str, bytes], Any]] = {
    "target": Target.from_json,
    "machine": Machine.from_json,
    "agent": AgentInfo.from_json,
    "status": Status.from_json,
    "settings": load_settings,
}
"""All that read a JSON object."""


class Tests(SynchronousTestCase):
    """What all tests of nodes need."""

    def assertBroken(self, reason: str, read: Callable[..., Any], data: bytes) -> None:
        """Reading gives a complaint that names the node and what is wrong with it."""
        error = self.assertRaises(BrokenNode, read, PATH, data)
        self.assertEqual(
            f'The node {PATH} is broken: {reason}. Write it anew with "pop load" or any ZooKeeper'
            " client.",
            str(error),
        )


class RoundTripTests(Tests):
    """What was written is read as it was."""

    @settings(max_examples=100, deadline=None)
    @given(st.dictionaries(texts, json_values, max_size=4))
    def test_settings(self, values: dict[str, Any]) -> None:
        """Any settings that JSON can spell come back, from one line of UTF-8."""
        data = dump(values)
        self.assertNotIn(b"\n", data)
        self.assertEqual(values, load_settings(PATH, data))

    def test_equal_bytes(self) -> None:
        """Equal values are equal bytes, so that what alters nothing writes nothing new."""
        self.assertEqual(dump({"a": 1, "b": 2}), dump({"b": 2, "a": 1}))

    def test_readable(self) -> None:
        """A node is meant for people as well: letters are letters."""
        self.assertEqual('{"city": "Zürich"}'.encode(), dump({"city": "Zürich"}))

    def test_values(self) -> None:
        """Each kind of value comes back equal."""
        for value in (
            Target(run=False, generation=3),
            Machine("m1", "host", ("10.0.0.1", "::2"), {"rack": "7"}, "1.0", "3.11.7"),
            AgentInfo(42, "host", "/var/lib/pop"),
            Status("ready", "2026-01-01T00:00:00.000Z", "deployed", 2, "It needs a setting."),
            Status("ready", generation=3, assumed=True, failures=2),
            Status("ready", processes=({"name": "web", "pid": 4}, {"name": "web/2", "pid": 5})),
        ):
            with self.subTest(value=value):
                self.assertEqual(value, type(value).from_json(PATH, value.to_json()))

    def test_unknown_keys(self) -> None:
        """What a newer pop added is kept when an older one changes the node."""
        for kind in (Target, Machine, AgentInfo, Status):
            with self.subTest(kind=kind):
                known = kind.from_json(PATH, b'{"weight": [1, {"a": null}]}')
                written = json.loads(known.to_json())
                self.assertEqual([1, {"a": None}], written["weight"])
                self.assertEqual(known, kind.from_json(PATH, known.to_json()))

    def test_unknown_keys_never_win(self) -> None:
        """What is known is said by its own field only."""
        value = Target(run=False, extra={"run": True, "other": 1})
        self.assertEqual({"run": False, "generation": 0, "other": 1}, json.loads(value.to_json()))

    def test_defaults(self) -> None:
        """What a node does not say has a default."""
        self.assertEqual(Target(True, 0), Target.from_json(PATH, b"{}"))
        self.assertEqual(Machine("m1"), Machine.from_json(PATH, b"{}"))
        self.assertEqual(AgentInfo(), AgentInfo.from_json(PATH, b"{}"))
        self.assertEqual(Status(""), Status.from_json(PATH, b"{}"))

    def test_no_problem(self) -> None:
        """A status without a problem does not mention any."""
        self.assertNotIn("problem", Status("ready").to_object())

    def test_empty_nodes(self) -> None:
        """A machine, settings and a placement may be made by hand without data."""
        self.assertEqual(Machine("m1"), Machine.from_json(PATH, b""))
        self.assertEqual({}, load_settings(PATH, b""))
        self.assertEqual((), load_machines(PATH, b""))


class BrokenTests(Tests):
    """What somebody wrote that pop did not expect."""

    def test_not_json(self) -> None:
        """What is not JSON is said to be none, and where it goes wrong."""
        for name, read in READERS.items():
            with self.subTest(reader=name):
                self.assertBroken(
                    "it is not JSON (Expecting property name enclosed in double quotes: line 1"
                    " column 2 (char 1))",
                    read,
                    b"{run: true}",
                )

    def test_not_text(self) -> None:
        """Bytes that are no text are no JSON either."""
        error = self.assertRaises(BrokenNode, load_settings, PATH, b'{"a": "\xff"}')
        self.assertIn(f"The node {PATH} is broken: it is not JSON (", str(error))

    def test_too_deep(self) -> None:
        """What is nested without end is a broken node, not the end of the agent."""
        error = self.assertRaises(BrokenNode, load_settings, PATH, b"[" * 100_000)
        self.assertIn("it is not JSON", str(error))

    def test_not_a_number(self) -> None:
        """NaN and infinity are not JSON; a value unequal to itself would restart for ever."""
        for data in (b'{"a": NaN}', b'{"a": Infinity}', b'{"a": [-Infinity]}'):
            with self.subTest(data=data):
                self.assertRaises(BrokenNode, load_settings, PATH, data)

    def test_wrong_shape(self) -> None:
        """JSON of another shape is refused."""
        for data in (b"[]", b"3", b"null", b'"text"', b"true"):
            for name, read in READERS.items():
                said = "an object of settings" if name == "settings" else "an object"
                with self.subTest(reader=name, data=data):
                    self.assertBroken(f"it should hold {said}", read, data)

    def test_wrong_kinds(self) -> None:
        """A known key of the wrong kind is named, with what it should be."""
        for reader, key, value, said in (
            ("target", "run", 1, "true or false"),
            ("target", "run", None, "true or false"),
            ("target", "generation", True, "a whole number"),
            ("target", "generation", 1.5, "a whole number"),
            ("target", "generation", "1", "a whole number"),
            ("machine", "host", 1, "a text"),
            ("machine", "addresses", "10.0.0.1", "a list"),
            ("machine", "labels", [], "an object"),
            ("machine", "pop", 1, "a text"),
            ("machine", "python", 3.11, "a text"),
            ("agent", "pid", "42", "a whole number"),
            ("agent", "host", [], "a text"),
            ("agent", "state_dir", {}, "a text"),
            ("status", "phase", None, "a text"),
            ("status", "since", 1, "a text"),
            ("status", "why", 1, "a text"),
            ("status", "restarts", "2", "a whole number"),
            ("status", "problem", True, "a text"),
            ("status", "assumed", 1, "true or false"),
            ("status", "failures", "1", "a whole number"),
        ):
            with self.subTest(reader=reader, key=key):
                data = json.dumps({key: value}).encode()
                self.assertBroken(f'"{key}" should be {said}', READERS[reader], data)

    def test_wrong_labels(self) -> None:
        """Labels are texts, also when somebody wrote a number."""
        machine = Machine.from_json(PATH, b'{"labels": {"rack": 7}}')
        self.assertEqual({"rack": "7"}, machine.labels)


class PlacementTests(Tests):
    """The machines a service should run on."""

    def test_order(self) -> None:
        """They are as they were written, each once."""
        self.assertEqual(("b", "a"), load_machines(PATH, b'["b", "a", "b"]'))

    def test_wrong_shape(self) -> None:
        """Anything but a list is refused."""
        for data in (b"{}", b'"m1"', b"null"):
            self.assertBroken("it should hold a list of machine ids", load_machines, data)

    def test_wrong_items(self) -> None:
        """Anything but texts in it is refused."""
        for data in (b"[1]", b'["m1", null]', b'[["m1"]]'):
            self.assertBroken(
                "it should hold a list of machine ids, which are texts", load_machines, data
            )


class ServiceTests(Tests):
    """A service from its nodes."""

    def load(self, **data: bytes | None) -> Service:
        """Read a service of which some nodes are there."""
        names = ("type", "settings", "machines", "target")
        nodes = {name: (f"/services/web/{name}", data.get(name)) for name in names}
        return load_service("web", nodes)

    def test_whole(self) -> None:
        """Each node says its part."""
        self.assertEqual(
            Service("web", "command", {"argv": "true"}, ("m1",), Target(False, 2)),
            self.load(
                type=b"command",
                settings=b'{"argv": "true"}',
                machines=b'["m1"]',
                target=b'{"run": false, "generation": 2}',
            ),
        )

    def test_by_hand(self) -> None:
        """A type is enough, with the line end that an editor leaves."""
        self.assertEqual(Service("web", "command"), self.load(type=b"command\n"))
        self.assertEqual(
            Service("web", "command"),
            self.load(type=b"command", settings=b"", machines=b"", target=b""),
        )

    def test_no_type(self) -> None:
        """A service without a type is broken, whether the node is missing, empty or blank."""
        for data in (None, b"", b" \n"):
            with self.subTest(data=data):
                error = self.assertRaises(BrokenNode, self.load, type=data)
                self.assertIn(
                    "/services/web/type is broken: it should name the service type", str(error)
                )

    def test_each_node_is_named(self) -> None:
        """Whichever node is broken is the one that is named."""
        for name in ("settings", "machines", "target"):
            error = self.assertRaises(BrokenNode, self.load, **{"type": b"command", name: b"<xml>"})
            self.assertIn(f"The node /services/web/{name} is broken", str(error))

    def test_text(self) -> None:
        """A type that is not UTF-8 is broken."""
        self.assertBroken("it is not UTF-8", load_text, b"\xff")
