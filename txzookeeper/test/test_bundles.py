"""Things are kept by key, one or many."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.bundles import Bundles

KEYS = st.sampled_from("abc")
DEEDS = st.lists(
    st.tuples(st.sampled_from(["add", "discard", "take", "take_all"]), KEYS, st.integers(0, 3))
)


class BundlesTests(SynchronousTestCase):
    """They are compared with a list for each key."""

    @given(DEEDS)
    def test_like_lists(self, deeds: list[tuple[str, str, int]]) -> None:
        """Whatever is done, they hold what lists would hold, in the same order."""
        bundles: Bundles[str] = Bundles()
        lists: dict[str, list[str]] = defaultdict(list)
        for deed, key, number in deeds:
            thing = f"{key}{number}"
            if deed == "add" and thing not in lists[key]:
                bundles.add(key, thing)
                lists[key].append(thing)
            elif deed == "discard":
                bundles.discard(key, thing)
                lists[key] = [each for each in lists[key] if each != thing]
            elif deed == "take":
                self.assertEqual(bundles.take(key), lists.pop(key, []))
            elif deed == "take_all":
                everything = sorted(each for things in lists.values() for each in things)
                self.assertEqual(sorted(bundles.take_all()), everything)
                lists.clear()
            held = {key for key, things in lists.items() if things}
            self.assertEqual(set(bundles), held)
            self.assertEqual([key in bundles for key in "abc"], [key in held for key in "abc"])
            self.assertEqual(len(bundles), sum(map(len, lists.values())))
