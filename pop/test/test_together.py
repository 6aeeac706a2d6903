"""Several Deferreds are waited for at once."""

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from pop.together import first, together


class TogetherTests(SynchronousTestCase):
    """All results, or the first failure."""

    def test_none(self) -> None:
        """Nothing to wait for is done at once."""
        self.assertEqual([], self.successResultOf(together([])))

    def test_in_order(self) -> None:
        """The results are in the order that was asked for, whichever comes first."""
        first, second = Deferred[int](), Deferred[int]()
        all_of_them = Deferred.fromCoroutine(together(d for d in (first, second, succeed(3))))
        second.callback(2)
        self.assertNoResult(all_of_them)
        first.callback(1)
        self.assertEqual([1, 2, 3], self.successResultOf(all_of_them))

    def test_first_failure(self) -> None:
        """The first failure is raised as itself, at once; later ones are nobody's worry."""
        first, second, third = Deferred[int](), Deferred[int](), Deferred[int]()
        all_of_them = Deferred.fromCoroutine(together([first, second, third]))
        error = KeyError("second")
        second.errback(error)
        self.assertIs(error, self.failureResultOf(all_of_them, KeyError).value)
        first.errback(ValueError("late"))
        third.callback(3)
        self.assertEqual([], self.flushLoggedErrors())

    def test_cancelled(self) -> None:
        """Who gives up waiting gives up on all of them."""
        waiting = [Deferred[int](), Deferred[int]()]
        all_of_them = Deferred.fromCoroutine(together(waiting))
        all_of_them.addErrback(lambda _: None)
        all_of_them.cancel()
        self.assertTrue(all(each.called for each in waiting))
        self.assertEqual([], self.flushLoggedErrors())


class FirstTests(SynchronousTestCase):
    """The first result is enough."""

    def test_first(self) -> None:
        """The others are forgotten."""
        waiting = [Deferred[int](), Deferred[int]()]
        one_of_them = Deferred.fromCoroutine(first(waiting))
        self.assertNoResult(one_of_them)
        waiting[1].callback(2)
        self.successResultOf(one_of_them)
        self.assertTrue(waiting[0].called)

    def test_already(self) -> None:
        """One that is there already is the first."""
        other = Deferred[int]()
        self.successResultOf(Deferred.fromCoroutine(first([other, succeed(1)])))
        self.assertTrue(other.called)
