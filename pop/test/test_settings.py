"""Settings: what fields take, from JSON and from the command line, and how they refuse the rest."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface
from zope.interface.verify import verifyObject
from zope.schema import (
    URI,
    Bool,
    Choice,
    Dict,
    Float,
    FrozenSet,
    Int,
    List,
    Object,
    Password,
    Set,
    Text,
    TextLine,
    Tuple,
)

from pop.errors import BadSetting, MissingSetting, NoSuchSetting
from pop.interfaces import ISettings, ISettingsObject
from pop.settings import Settings, check, fields, find, kind, parse, repeats, validate


class IEvery(ISettings):
    """A field of each kind that types use."""

    line = TextLine(title="One line", min_length=2, max_length=4, required=False)
    text = Text(title="A text", required=False)
    password = Password(title="A secret", required=False)
    uri = URI(title="A URI", required=False)
    whole = Int(title="A whole number", min=1, max=10, required=False)
    positive = Int(title="A positive number", min=1, required=False)
    small = Int(title="A small number", max=10, required=False)
    number = Float(title="A number", min=0.5, required=False)
    flag = Bool(title="A flag", required=False)
    colour = Choice(title="A colour", values=("red", "green"), required=False)
    names = List(title="Names", value_type=TextLine(), required=False)
    ports = Tuple(title="Ports", value_type=Int(min=1, max=65535), required=False)
    weights = List(title="Weights", value_type=Float(), required=False)
    labels = Set(title="Labels", value_type=TextLine(), required=False)
    tags = FrozenSet(title="Tags", value_type=Choice(values=("a", "b")), required=False)
    limits = Dict(title="Limits", key_type=TextLine(), value_type=Int(), required=False)
    some = List(title="Some", value_type=TextLine(), min_length=1, max_length=2, required=False)
    thing = Object(title="A thing", schema=Interface, required=False)


KNOWN = fields(IEvery)


class INeedy(ISettings):
    """A type that needs something."""

    plugin = TextLine(title="Name of the plugin")
    port = Int(title="Port", default=80)
    options = Dict(key_type=TextLine(), value_type=Text(), default={})


_SOME = (
    *("plugin", "port", "options"),
    *("environment", "directory", "sockets", "processes", "restart", "stop_signal"),
    *("grace_period", "on_disconnect"),
)


class ValidateTests(SynchronousTestCase):
    """What a settings node becomes."""

    def test_defaults(self) -> None:
        """What is not given has its default."""
        settings = validate("needy", INeedy, {"plugin": "web"})
        self.assertEqual(
            {
                "plugin": "web",
                "port": 80,
                "options": {},
                "environment": {},
                "directory": None,
                "sockets": [],
                "processes": 1,
                "restart": "always",
                "stop_signal": "TERM",
                "grace_period": 10.0,
                "on_disconnect": "continue",
            },
            {name: value for name, value in settings.as_json().items() if name in _SOME},
        )

    def test_promise(self) -> None:
        """Settings are what service types are promised."""
        self.assertTrue(verifyObject(ISettingsObject, validate("every", IEvery, {})))

    def test_attributes(self) -> None:
        """Each field is an attribute, and a mistake in a type's own code is explained."""
        settings = validate("needy", INeedy, {"plugin": "web"})
        self.assertEqual("web", settings.plugin)
        error = self.assertRaises(AttributeError, getattr, settings, "prot")
        self.assertEqual("the service type's settings have no field 'prot'", str(error))

    def test_equality(self) -> None:
        """Settings are compared by their values."""
        one, other = (validate("needy", INeedy, {"plugin": "web"}) for _ in range(2))
        self.assertEqual(one, other)
        self.assertNotEqual(one, validate("needy", INeedy, {"plugin": "db"}))
        self.assertNotEqual(one, one.as_json())

    def test_defaults_are_not_shared(self) -> None:
        """A type that changes the settings it was given changes no other service's."""
        validate("needy", INeedy, {"plugin": "web"}).options["A"] = "1"
        self.assertEqual({}, validate("needy", INeedy, {"plugin": "web"}).options)

    def test_null(self) -> None:
        """Null stands for the default."""
        self.assertEqual(80, validate("needy", INeedy, {"plugin": "web", "port": None}).port)

    def test_missing(self) -> None:
        """What is required and has no default must be given."""
        for values in ({}, {"plugin": None}):
            error = self.assertRaises(MissingSetting, validate, "needy", INeedy, values)
            self.assertEqual(
                'The service type "needy" needs the setting "plugin": Name of the plugin.',
                str(error),
            )

    def test_unknown(self) -> None:
        """A setting that there is not is refused, with the nearest that there is."""
        error = self.assertRaises(NoSuchSetting, validate, "needy", INeedy, {"plugn": "web"})
        self.assertEqual(
            'The service type "needy" has no setting "plugn" (did you mean "plugin"?). "pop types'
            ' needy" lists its settings.',
            str(error),
        )

    def test_unlike_any(self) -> None:
        """Where none is near, none is suggested."""
        error = self.assertRaises(NoSuchSetting, find, "needy", INeedy, "xyz")
        self.assertNotIn("did you mean", str(error))

    def test_order(self) -> None:
        """A type's own settings come first, as they were written, then the common ones."""
        self.assertEqual(["plugin", "port", "options", "environment"], list(fields(INeedy))[:4])


class JsonTests(SynchronousTestCase):
    """Values as JSON has them."""

    def test_taken(self) -> None:
        """Each kind of field takes what JSON can say of it."""
        for name, value, taken in (
            ("line", "abc", "abc"),
            ("text", "a\nb", "a\nb"),
            ("password", "s3cret", "s3cret"),
            ("uri", "http://a.example/b", "http://a.example/b"),
            ("whole", 10, 10),
            ("number", 1, 1.0),
            ("number", 0.5, 0.5),
            ("flag", False, False),
            ("colour", "red", "red"),
            ("names", ["a", "b"], ["a", "b"]),
            ("names", [], []),
            ("ports", [80, 443], (80, 443)),
            ("weights", [0.5, 1.5], [0.5, 1.5]),
            ("labels", ["a", "b"], {"a", "b"}),
            ("tags", ["a"], frozenset("a")),
            ("limits", {"a": 1}, {"a": 1}),
        ):
            with self.subTest(name=name):
                found = check("every", name, KNOWN[name], value)
                self.assertEqual((type(taken), taken), (type(found), found))

    def test_whole_numbers_in_a_list(self) -> None:
        """A whole number passes for a number in a list too: JSON has only one sort."""
        self.assertEqual([1.0], check("every", "weights", KNOWN["weights"], [1]))

    def test_as_json(self) -> None:
        """What was taken can be written as JSON, and is taken again."""
        values = {"ports": [80], "labels": ["b", "a"], "tags": ["b"], "names": ["x"]}
        settings = validate("every", IEvery, values)
        written = settings.as_json()
        self.assertEqual(
            ([80], ["a", "b"], ["b"]), (written["ports"], written["labels"], written["tags"])
        )
        self.assertEqual(settings, validate("every", IEvery, written))

    def test_refused(self) -> None:
        """Each kind of field refuses the rest, and says what it would take."""
        for name, value, reason in (
            ("line", 5, "it should be a text"),
            ("line", "a\nb", "it should be one line"),
            ("line", "a\rb", "it should be one line"),
            ("line", "a", "its length should be from 2 to 4"),
            ("line", "abcde", "its length should be from 2 to 4"),
            ("text", ["a"], "it should be a text"),
            ("uri", "not a uri", "it is not a URI"),
            ("whole", 0, "it should be from 1 to 10"),
            ("whole", 11, "it should be from 1 to 10"),
            ("positive", 0, "it should be at least 1"),
            ("small", 11, "it should be at most 10"),
            ("whole", "5", "it should be a whole number"),
            ("whole", 5.0, "it should be a whole number"),
            ("whole", True, "it should be a whole number"),
            ("number", "x", "it should be a number"),
            ("number", True, "it should be a number"),
            ("number", 0, "it should be at least 0.5"),
            ("flag", 1, "it should be true or false"),
            ("flag", "yes", "it should be true or false"),
            ("colour", "blue", "it should be one of red, green"),
            ("colour", ["red"], "it should be one of red, green"),
            ("names", "abc", "it should be a list"),
            ("names", {"a": 1}, "it should be a list"),
            ("names", [1], "each should be a text"),
            ("ports", ["80"], "each should be a whole number"),
            ("labels", [["a"]], "each should be a text"),
            ("some", [], "its length should be from 1 to 2"),
            ("limits", ["a"], "it should be a mapping from texts to whole numbers"),
            ("limits", {"a": "b"}, "each should be a whole number"),
            ("limits", {1: 1}, "each should be a text"),
            ("names", [None], "each should not be null"),
            ("whole", 10**400, "it should be from 1 to 10"),
            ("number", 10**400, "it should be a number"),
        ):
            with self.subTest(name=name, value=value):
                error = self.assertRaises(BadSetting, check, "every", name, KNOWN[name], value)
                self.assertEqual(
                    f'The setting "{name}" of type "every" cannot be {value!r}: {reason}.',
                    str(error),
                )

    def test_out_of_range_in_a_list(self) -> None:
        """A number that is out of range within a list is not said to be no number."""
        error = self.assertRaises(BadSetting, check, "every", "ports", KNOWN["ports"], [0])
        self.assertIn("each should be from 1 to 65535", str(error))

    def test_not_one_of_in_a_list(self) -> None:
        """The choices within a list are named."""
        error = self.assertRaises(BadSetting, check, "every", "tags", KNOWN["tags"], ["c"])
        self.assertIn("each should be one of a, b", str(error))

    def test_not_finite(self) -> None:
        """A number that is none is not taken, whatever its range."""
        for value in (float("nan"), float("inf")):
            self.assertRaises(BadSetting, check, "every", "number", KNOWN["number"], value)

    def test_secrets(self) -> None:
        """A secret that is refused is not shown."""
        error = self.assertRaises(BadSetting, check, "every", "password", KNOWN["password"], 12345)
        self.assertNotIn("12345", str(error))


class CommandLineTests(SynchronousTestCase):
    """Values as they are typed."""

    def test_read(self) -> None:
        """Each kind of field has a spelling."""
        for name, texts, value in (
            ("line", ["abc"], "abc"),
            ("line", ["ab", "cd"], "cd"),
            ("text", [""], ""),
            ("password", ["a=b"], "a=b"),
            ("uri", ["http://a.example"], "http://a.example"),
            ("whole", ["7"], 7),
            ("number", ["1"], 1.0),
            ("number", ["1.5"], 1.5),
            ("flag", ["true"], True),
            ("flag", ["Yes"], True),
            ("flag", ["off"], False),
            ("colour", ["green"], "green"),
            ("names", ["a", "b"], ["a", "b"]),
            ("ports", ["80", "443"], (80, 443)),
            ("weights", ["1", "1.5"], [1.0, 1.5]),
            ("labels", ["a"], {"a"}),
            ("limits", ["a=1", "b=2"], {"a": 1, "b": 2}),
            ("environment", ["A=b=c", "B="], {"A": "b=c", "B": ""}),
        ):
            with self.subTest(name=name):
                found = parse("every", name, KNOWN[name], texts)
                self.assertEqual((type(value), value), (type(found), found))

    def test_refused(self) -> None:
        """What is typed wrong is refused with a sentence about it."""
        for name, texts, reason in (
            ("whole", ["x"], "it should be a whole number"),
            ("whole", ["1.5"], "it should be a whole number"),
            ("whole", ["11"], "it should be from 1 to 10"),
            ("whole", [""], "it should be a whole number"),
            ("number", ["x"], "it should be a number"),
            ("number", ["0"], "it should be at least 0.5"),
            ("flag", ["maybe"], "it is neither true nor false"),
            ("colour", ["blue"], "it should be one of red, green"),
            ("ports", ["x", "80"], "each should be a whole number"),
            ("ports", ["0"], "each should be from 1 to 65535"),
            ("tags", ["c"], "each should be one of a, b"),
            ("limits", ["a=x"], "each should be a whole number"),
            ("number", ["nan"], "it should be a number"),
            ("environment", ["A=b", "B"], "it is not of the form KEY=VALUE"),
            ("line", ["a"], "its length should be from 2 to 4"),
            ("uri", ["x"], "it is not a URI"),
            ("thing", ["x"], "it cannot be given on the command line"),
        ):
            with self.subTest(name=name):
                error = self.assertRaises(BadSetting, parse, "every", name, KNOWN[name], texts)
                self.assertTrue(str(error).endswith(f": {reason}."), f"{name}: {error}")

    def test_culprit(self) -> None:
        """Of several, the one that is wrong is shown."""
        error = self.assertRaises(BadSetting, parse, "every", "ports", KNOWN["ports"], ["x", "80"])
        self.assertIn("cannot be 'x': ", str(error))

    def test_empty_key(self) -> None:
        """A variable needs a name."""
        field = KNOWN["environment"]
        error = self.assertRaises(BadSetting, parse, "every", "environment", field, ["=b"])
        self.assertIn('"environment"', str(error))

    def test_kinds(self) -> None:
        """The help says in a word what each takes."""
        for name, word in (
            ("line", "TEXT"),
            ("uri", "TEXT"),
            ("whole", "INTEGER"),
            ("number", "NUMBER"),
            ("flag", "true|false"),
            ("colour", "red|green"),
            ("names", "TEXT"),
            ("ports", "INTEGER"),
            ("tags", "a|b"),
            ("limits", "KEY=VALUE"),
        ):
            self.assertEqual(word, kind(KNOWN[name]), name)

    def test_repeats(self) -> None:
        """Only what holds several may be given several times."""
        several = {name for name, field in KNOWN.items() if repeats(field)}
        self.assertEqual(
            {
                *("names", "ports", "weights", "labels", "tags", "limits", "some"),
                *("environment", "groups", "sockets"),
            },
            several,
        )


class CommonTests(SynchronousTestCase):
    """The settings of every service."""

    def refusal(self, **values: Any) -> str:
        """The sentence by which they are refused."""
        return str(self.assertRaises(BadSetting, validate, "echo", ISettings, values))

    def test_taken(self) -> None:
        """What an operator would write is taken."""
        settings = validate(
            "echo",
            ISettings,
            {
                "environment": {"A": "line\nline", "B": ""},
                "directory": "/srv",
                "user": "www",
                "stop_signal": "INT",
                "grace_period": 0,
            },
        )
        self.assertIsInstance(settings, Settings)
        self.assertEqual(0.0, settings.grace_period)

    def test_signal(self) -> None:
        """The signals are listed to whoever names another."""
        self.assertIn(
            "cannot be 'SIGTERM': it should be one of TERM, INT, QUIT",
            self.refusal(stop_signal="SIGTERM"),
        )

    def test_grace_period(self) -> None:
        """A grace period is neither negative nor longer than a day."""
        for value in (-1, 86401):
            self.assertIn("it should be from 0.0 to 86400.0", self.refusal(grace_period=value))

    def test_environment(self) -> None:
        """A variable is a text."""
        self.assertIn("each should be a text", self.refusal(environment={"A": 1}))
        for value in (["A=1"], "A=1"):
            self.assertIn(
                "it should be a mapping from texts to texts", self.refusal(environment=value)
            )

    def test_impossible_variables(self) -> None:
        """A name or value that no process could be given is refused here, and not at each start."""
        for value in ({"A=B": "1"}, {"A\0": "1"}, {"A": "\0"}, {"": "1"}):
            self.assertIn('"environment"', self.refusal(environment=value))

    def test_relative_directory(self) -> None:
        """A directory is absolute: where the agent was started is no place to start from."""
        self.assertIn("absolute", self.refusal(directory="srv"))
