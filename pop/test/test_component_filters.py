"""Filters: their text, and what they match."""

from decimal import Decimal
from enum import Enum
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.components.errors import BadFilter
from pop.components.filters import And, Equal, Filter, Like, Not, Or, Ordered, Present, escape_ldap
from pop.components.interests import ANY, triggers
from pop.components.properties import Properties
from pop.components.syntax import combine_filters, get_ldap_filter, unescape_ldap
from pop.components.values import OPAQUE, keys_of_value
from pop.test.naive_registry import matches


class Colour(Enum):
    """Neither a text nor a number."""

    RED = "red"

    def __str__(self) -> str:
        return "red"


names = st.sampled_from(["k", "K", "l", "Long.name", "m"])
texts = st.sampled_from(
    [
        "",
        "1",
        "1.0",
        "10",
        "2",
        "-3",
        "true",
        "True",
        "a",
        "b",
        "ab",
        "a b",
        "A",
        "*",
        "(",
        "\\",
        "ü",
    ]
) | st.text(max_size=4)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-20, 20)
    | st.sampled_from([0.5, 1.0, 10.0, -3.0, 1e300])
    | texts
    | st.sampled_from([b"bytes", Colour.RED]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=3,
)
flat = values.filter(
    lambda value: not isinstance(value, list) or not any(isinstance(item, list) for item in value)
)
filters: st.SearchStrategy[Filter] = st.recursive(
    st.builds(Equal, names, texts)
    | st.builds(Present, names)
    | st.builds(Ordered, names, st.sampled_from(["<", "<=", ">", ">="]), texts)
    | st.builds(Like, names, st.lists(texts, min_size=2, max_size=4).map(tuple).filter(any))
    | st.builds(Like, names, st.lists(texts, min_size=1, max_size=3).map(tuple), st.just(True)),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
properties = st.dictionaries(st.sampled_from(["k", "L", "long.NAME", "m"]), flat, max_size=4)


def match(text: str, **properties: Any) -> bool:
    """Whether a filter's text matches properties."""
    wanted = get_ldap_filter(text)
    assert wanted is not None
    return wanted.matches(properties)


class MatchTests(SynchronousTestCase):
    """What matches."""

    def test_numbers(self) -> None:
        """Numbers are compared as numbers, however they are written. (In iPOPO 1 is never 1.0.)"""
        self.assertTrue(match("(a=1)", a=1.0))
        self.assertTrue(match("(a=1.0)", a=1))
        self.assertTrue(match("(a>=2)", a=10))
        self.assertFalse(match("(a>=x)", a=10))
        self.assertFalse(match("(a=1)", a=True))

    def test_numbers_in_texts(self) -> None:
        """A text that says a number is put in order as that, but equals itself only. (For iPOPO 10
        is less than 2 then.)"""
        self.assertTrue(match("(a>=2)", a="10"))
        self.assertFalse(match("(a=1)", a="1.0"))
        self.assertTrue(match("(a>=b)", a="c"))

    def test_truth(self) -> None:
        """Truth values are equal to true and false, in any case, and in no order. (In iPOPO C{True}
        is not true.)"""
        self.assertTrue(match("(a=true)", a=True))
        self.assertTrue(match("(a=FALSE)", a=False))
        self.assertTrue(match("(a=t*)", a=True))
        self.assertFalse(match("(a>=0)", a=True))

    def test_names(self) -> None:
        """Names are compared without regard to case. (In iPOPO case matters.)"""
        self.assertTrue(match("(KEY=v)", Key="v"))

    def test_several(self) -> None:
        """Of several values any may match, of every operator. (In iPOPO of some operators only.)"""
        for several in ([1, 3], (1, 3), {1, 3}, frozenset({1, 3})):
            for text in ("(a=3)", "(a>=2)", "(a~=3)", "(a=3*)", "(a=*)"):
                self.assertTrue(match(text, a=several), text)

    def test_present(self) -> None:
        """A property has to have a value that is not empty; 0 and False are values."""
        value: Any
        for value in (0, False, " ", [0]):
            self.assertTrue(match("(a=*)", a=value))
        for value in (None, "", [], [None], [""]):
            self.assertFalse(match("(a=*)", a=value))
        self.assertFalse(match("(a=*)"))

    def test_wildcards(self) -> None:
        """A star stands for anything, also nothing; one that is escaped for itself."""
        self.assertTrue(match("(a=x*y)", a="xy"))
        self.assertTrue(match("(a=*b*)", a="abc"))
        self.assertFalse(match("(a=ab*ba)", a="aba"))
        self.assertTrue(match("(a=\\*)", a="*"))
        self.assertTrue(match("(a=\\2a)", a="*"))
        self.assertFalse(match("(a=\\*)", a="x"))

    def test_roughly(self) -> None:
        """Neither case nor white space matter."""
        self.assertTrue(match("(a~=hello WORLD)", a="Hello, World".replace(",", "")))
        self.assertTrue(match("(a~=H*d)", a="hello world"))

    def test_not(self) -> None:
        """What is not there is not equal to anything."""
        self.assertTrue(match("(!(a=1))"))

    def test_others(self) -> None:
        """Anything else is compared by its text; other numbers are put in order as such."""
        self.assertTrue(match("(a=red)", a=Colour.RED))
        self.assertTrue(match("(a>=2)", a=Decimal("10")))
        self.assertFalse(match("(a>=x)", a=Decimal("10")))

    @settings(deadline=None, max_examples=500)
    @given(filters, properties)
    def test_as_documented(self, wanted: Filter, given: dict[str, Any]) -> None:
        """Every filter matches as a plain reading of the documentation does."""
        self.assertEqual(matches(wanted, given), wanted.matches(given))

    @settings(deadline=None, max_examples=500)
    @given(filters, properties)
    def test_triggers(self, wanted: Filter, given: dict[str, Any]) -> None:
        """What matches has one of the properties by which listeners with that filter are found."""
        known = triggers(wanted)
        if known is not None and wanted.matches(given):
            folded = Properties(given).folded
            keys = {name: [*keys_of_value(value), ANY] for name, value in folded.items()}
            self.assertTrue(any(key in keys.get(name, ()) for name, key in known))


class SyntaxTests(SynchronousTestCase):
    """What can be read."""

    @settings(deadline=None, max_examples=500)
    @given(filters)
    def test_round_trip(self, wanted: Filter) -> None:
        """The text of a filter reads as that filter."""
        self.assertEqual(wanted, get_ldap_filter(str(wanted)))

    @settings(deadline=None)
    @given(st.text())
    @example("=1")
    def test_escape(self, text: str) -> None:
        """Whatever is escaped stands for itself."""
        self.assertEqual(text, unescape_ldap(escape_ldap(text)))
        self.assertEqual(Equal("a", text), get_ldap_filter(f"(a={escape_ldap(text)})"))
        for order in ("<", "<=", ">", ">="):
            found = get_ldap_filter(f"(a{order}{escape_ldap(text)})")
            self.assertEqual(Ordered("a", order, text), found)

    @settings(deadline=None)
    @given(st.text(alphabet="()&|!=<>~*\\ a1ü", max_size=20))
    def test_garbage(self, text: str) -> None:
        """Any text is a filter or is refused; and a filter's own text says the same."""
        try:
            wanted = get_ldap_filter(text)
        except BadFilter:
            return
        if wanted is not None:
            self.assertEqual(wanted, get_ldap_filter(str(wanted)))

    def test_space(self) -> None:
        """White space may be between the parts; in a value it counts."""
        wanted = get_ldap_filter(" ( & ( a = b ) ( ! (c=d) ) ) ")
        self.assertEqual(And((Equal("a", " b "), Not(Equal("c", "d")))), wanted)

    def test_utf8(self) -> None:
        """RFC 4515 escapes the bytes of UTF-8."""
        self.assertEqual(Equal("a", "Lučić"), get_ldap_filter("(a=Lu\\c4\\8di\\c4\\87)"))

    def test_none(self) -> None:
        """No text is no filter, which matches everything."""
        for empty in (None, "", " "):
            self.assertIs(None, get_ldap_filter(empty))

    def test_refused(self) -> None:
        """What is no filter is refused, and the place is told."""
        for text, reason, position in (
            ("a=1", "a ( is missing", 1),
            ("(a=1", "the text ends too early", 5),
            ("(a=1))", "something follows the end", 6),
            ("(&)", "a ( is missing", 3),
            ("(!(a=1)(b=2))", "! takes one filter only", 13),
            ("(=1)", "the name of a property is missing", 2),
            ("(a)", "a =, ~=, <, <=, > or >= is missing", 3),
            ("(a>=1*)", ">= takes no *", 7),
            ("(a=\\x)", "a \\ stands before two hexadecimal digits or a sign", 5),
            ("(a=\\ff)", "what is escaped is not UTF-8", 7),
            ("(" * 3, "the name of a property is missing", 2),
            ("(!" * 200, "there are more than 100 brackets within each other", 203),
        ):
            error = self.assertRaises(BadFilter, get_ldap_filter, text)
            fields = error.fields
            self.assertEqual((text, reason, position), (text, fields["reason"], fields["position"]))
        self.assertRaises(BadFilter, get_ldap_filter, 5)
        self.assertRaises(BadFilter, unescape_ldap, "a(b")

    def test_combine(self) -> None:
        """Filters are joined, whether read or not; one alone stays itself, and none is none."""
        self.assertEqual("(&(a=1)(b=2))", str(combine_filters(["(a=1)", None, Equal("b", "2")])))
        self.assertEqual("(|(a=1)(b=2))", str(combine_filters(["(a=1)", "(b=2)"], "|")))
        self.assertEqual("(a=1)", str(combine_filters(["(a=1)"])))
        self.assertIs(None, combine_filters([]))
        self.assertRaises(BadFilter, combine_filters, ["(a=1)"], "!")

    def test_opaque(self) -> None:
        """What is neither text nor number nor truth is looked at each time."""
        self.assertEqual([OPAQUE], keys_of_value(Colour.RED))
