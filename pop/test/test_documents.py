"""A namespace as a file: nothing is lost on the way, and what makes no sense is refused."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.documents import from_text, to_document, to_yaml
from pop.errors import BadFile
from pop.model import Contents, Machine, Service, Target, dump
from pop.test.values import json_values, texts

names = st.text(
    st.sampled_from("abz09_.ä日 -'\"{}[]:#&*!|>%@`,?~=<"), min_size=1, max_size=8
).filter(lambda name: name[0] not in "-." and name.isprintable())
finite = json_values.filter(lambda value: "Infinity" not in dump(value).decode())
objects = st.dictionaries(texts, finite, max_size=3)
extras = objects.map(lambda found: {f"x{key}": value for key, value in found.items()})
targets = st.builds(Target, st.booleans(), st.integers(0, 9), extras)
services = st.builds(
    Service,
    names,
    texts,
    objects,
    st.lists(names, unique=True, max_size=3).map(tuple),
    targets,
)
machines = st.builds(
    Machine,
    names,
    texts,
    st.lists(texts, max_size=2).map(tuple),
    st.dictionaries(texts, texts, max_size=2),
    texts,
    texts,
    extras,
)


class DocumentTests(SynchronousTestCase):
    """Any namespace as a file."""

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(services, unique_by=lambda s: s.name, max_size=3).map(tuple),
        st.lists(machines, unique_by=lambda m: m.id, max_size=3).map(tuple),
    )
    def test_round_trip(self, some: tuple[Service, ...], hosts: tuple[Machine, ...]) -> None:
        """Through YAML and through JSON, nothing is lost of any namespace."""
        before = Contents(some, hosts)
        document: Any = to_document(before)
        for text in (
            to_yaml(document),
            json.dumps(document),
        ):
            self.assertEqual(before, from_text("file", text))

    def test_any_json(self) -> None:
        """JSON is read as JSON, however it is written."""
        found = {"a": "\x7f\x85\u2028", "b": 1e22, "c": "\U0001f600", "d": "1e5", "e": "no"}
        document = {"services": {"web": {"type": "x", "settings": found}}}
        for text in (
            json.dumps(document),
            json.dumps(document, ensure_ascii=False),
            json.dumps(document, indent="\t"),
        ):
            self.assertEqual(found, from_text("file", text).services[0].settings)


class BadFileTests(SynchronousTestCase):
    """Files that make no sense."""

    bad = {  # noqa: RUF012
        "{": "line 1",
        "a: b: c": "line 1",
        "\x07": "special characters",
        "[]": "the file should be a mapping",
        "false": "the file should be a mapping",
        "0": "the file should be a mapping",
        "just text": "the file should be a mapping",
        "services: []": "services should be a mapping",
        "services: 0": "services should be a mapping",
        "machines: ''": "machines should be a mapping",
        "service: {}": '"service"',
        "services: {web: null}": 'service "web" should be a mapping',
        "services: {web: {}}": 'service "web", type should be a text',
        "services: {web: {type: 1}}": 'service "web", type should be a text',
        "services: {web: {type: x, machine: [a]}}": '"machine"',
        "services: {web: {type: x, machines: m1}}": 'service "web", machines should be a list',
        "services: {web: {type: x, machines: {}}}": 'service "web", machines should be a list',
        "services: {web: {type: x, machines: [1]}}": 'service "web", machines',
        "services: {web: {type: x, machines: [a/b]}}": "a/b",
        "services: {web: {type: x, settings: [1]}}": 'service "web", settings should be a mapping',
        "services: {web: {type: x, settings: {day: 2026-01-01}}}": 'service "web", settings',
        "services: {web: {type: x, settings: {n: .nan}}}": 'service "web", settings',
        "services: {web: {type: x, settings: {n: !!binary aGk=}}}": 'service "web", settings',
        'services: {web: {type: x, settings: {n: "\\ud800"}}}': "",
        "services: {web: {type: x, settings: {a: &a [*a]}}}": "",
        "services: {web: {type: x, target: {run: maybe}}}": 'service "web", target',
        "services: {web: {type: x, target: {generation: 1.5}}}": 'service "web", target',
        "services: {a/b: {type: x}}": "a/b",
        "services: {'': {type: x}}": "it is empty",
        "services: {.: {type: x}}": "keeps . and ..",
        "services: {1: {type: x}}": "should be a text",
        "machines: {1: {}}": "should be a text",
        "machines: {m: []}": 'machine "m"',
        "machines: {m: {labels: [a]}}": "labels",
        "machines: {m: {host: 3}}": "host",
        "machines: {-m: {}}": "-m",
        "!!python/object/apply:os.system ['true']": "python",
        "a: " + "[" * 4000: "",
    }

    def test_bad_files(self) -> None:
        """Each is refused with the file's name, and what is wrong and where."""
        for text, where in self.bad.items():
            try:
                found = from_text("the.yaml", text)
            except BadFile as error:
                said = str(error)
                self.assertIn("the.yaml", said, text[:60])
                self.assertIn(where, said, text[:60])
                self.assertNotIn("\n", said, text[:60])
            else:
                self.fail(f"{text[:60]!r} was taken for {found}")

    def test_good_files(self) -> None:
        """What is left out has defaults; JSON is fine; an empty file is an empty namespace."""
        for text in ("", "# nothing", "null", "{}", "services:\nmachines:\n"):
            self.assertEqual(Contents(), from_text("f", text), text)
        wanted = Contents((Service("web", "command"),), (Machine("m"),))
        for text in (
            "services: {web: {type: command}}\nmachines: {m: }",
            '{"services": {"web": {"type": "command"}}, "machines": {"m": {}}}',
        ):
            self.assertEqual(wanted, from_text("f", text), text)

    def test_repeated_machines(self) -> None:
        """A machine that is listed twice counts once."""
        text = "services: {web: {type: x, machines: [a, b, a]}}"
        self.assertEqual(("a", "b"), from_text("f", text).services[0].machines)
