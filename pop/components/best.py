"""A requirement that is met by the best that matches, always."""

from pop.components.dependency import SimpleDependency
from pop.components.properties import Properties
from pop.components.reference import ServiceReference

__all__ = ["BestDependency"]


class BestDependency(SimpleDependency):
    """The highest ranking. Of two that rank the same, the older."""

    __slots__ = ()

    def arrived(self, reference: ServiceReference) -> None:
        """A better one replaces the one that is bound."""
        self._compare()

    def modified(self, reference: ServiceReference, previous: Properties | None) -> None:
        """With another ranking another may be the best."""
        if reference is self.reference:
            self.updates.append(previous)
            self.touched()
        self._compare()

    def left(self, reference: ServiceReference) -> None:
        """The one that is bound, or the one that was to replace it."""
        if reference is self.reference or self.gone:
            self._compare()

    def refresh(self) -> None:
        """Whether the one that is bound still is the best."""
        self._compare()
        self.touched()

    def _compare(self) -> None:
        gone = self.reference is not None and self.best() is not self.reference
        if gone or gone is not self.gone or self.reference is None:
            self.gone = gone
            self.touched()
