"""What a component requires: the decorators that declare it."""

from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from pop.components.decorators import declaring
from pop.components.hints import Hint, hint_of
from pop.components.requirement import (
    BEST,
    BROADCAST,
    MAP,
    REQUIRES,
    TEMPORAL,
    VARIABLE_FILTER,
    Requirement,
    listed,
)
from pop.components.syntax import get_ldap_filter

__all__ = [
    "Requires",
    "RequiresBest",
    "RequiresBroadcast",
    "RequiresMap",
    "RequiresVarFilter",
    "Temporal",
]

Class = TypeVar("Class", bound=type)


class _Requires:
    """What the decorators have in common: a field, and what it requires."""

    kind: ClassVar[str]

    def __init__(self, field: str, requirement: Requirement) -> None:
        if not isinstance(field, str):
            raise TypeError(f"a field is named, not {field!r}")
        if not field.isidentifier():
            raise ValueError(f"{field!r} is no name for a field")
        self.field = field
        self.requirement = requirement
        if self.kind != VARIABLE_FILTER:
            get_ldap_filter(requirement.filter)

    def __call__(self, cls: Class) -> Class:
        context = declaring(cls)
        context.forget(self.field)
        context.configuration(self.kind)[self.field] = self.completed(cls)
        return cls

    def completed(self, cls: type) -> Requirement:
        """The requirement, with what the annotation of the field says of it.

        @raise TypeError: neither a specification nor an annotation is given.
        """
        if self.requirement.specifications:
            return self.requirement
        hint = hint_of(cls, self.field)
        if hint is None:
            raise TypeError(
                f"give {cls.__qualname__}.{self.field} a specification, or annotate it with one"
            )
        return self.hinted(
            replace(self.requirement, specifications=listed(hint.specification)), hint
        )

    def hinted(self, requirement: Requirement, hint: Hint) -> Requirement:
        """With what else the annotation says."""
        return replace(
            requirement,
            aggregate=requirement.aggregate or hint.aggregate,
            optional=requirement.optional or hint.optional,
        )


def _given(specification: Any) -> tuple[Any, ...]:
    return () if specification is None else listed(specification)


class Requires(_Requires):
    """Inject the first registration that matches, or all of them as a list.

    What is bound stays bound when a better one comes. Without a specification, the annotation of
    the field says what is required: C{hello: IHello}, C{list[IHello]}, C{IHello | None}.

    @param match_any: one of the specifications is enough.
    @param immediate_rebind: replace what goes away without becoming invalid in between.
    """

    kind = REQUIRES

    def __init__(
        self,
        field: str,
        specification: Any = None,
        aggregate: bool = False,
        optional: bool = False,
        spec_filter: str | None = None,
        immediate_rebind: bool = False,
        match_any: bool = False,
    ) -> None:
        super().__init__(
            field,
            Requirement(
                _given(specification),
                aggregate=aggregate,
                optional=optional,
                filter=spec_filter,
                immediate_rebind=immediate_rebind,
                match_any=match_any,
            ),
        )


class RequiresBest(_Requires):
    """Inject the registration of the highest ranking, always: a better one replaces it."""

    kind = BEST

    def __init__(
        self,
        field: str,
        specification: Any = None,
        optional: bool = False,
        spec_filter: str | None = None,
        immediate_rebind: bool = True,
        match_any: bool = False,
    ) -> None:
        super().__init__(
            field,
            Requirement(
                _given(specification),
                optional=optional,
                filter=spec_filter,
                immediate_rebind=immediate_rebind,
                match_any=match_any,
            ),
        )


class RequiresMap(_Requires):
    """Inject a dictionary of what matches, by the value of one of its properties.

    @param allow_none: what has no such property is kept under the key L{None}.
    @param aggregate: the values are lists; else one of those with the same key, which keeps its
        place until it goes.
    """

    kind = MAP

    def __init__(
        self,
        field: str,
        specification: Any = None,
        key: str | None = None,
        allow_none: bool = False,
        aggregate: bool = False,
        optional: bool = False,
        spec_filter: str | None = None,
        match_any: bool = False,
    ) -> None:
        if not isinstance(key, str):
            raise TypeError(f"the key of a map is the name of a property, not {key!r}")
        if not key.strip():
            raise ValueError("the key of a map is the name of a property")
        super().__init__(
            field,
            Requirement(
                _given(specification),
                aggregate=aggregate,
                optional=optional,
                filter=spec_filter,
                match_any=match_any,
                key=key,
                allow_none=allow_none,
            ),
        )


class RequiresBroadcast(_Requires):
    """Inject one object that passes each call on to all that match.

    @param muffle_exceptions: what one raises does not keep the others from being called.
    @param trace_exceptions: it is logged then.
    """

    kind = BROADCAST

    def __init__(
        self,
        field: str,
        specification: Any = None,
        optional: bool = True,
        spec_filter: str | None = None,
        muffle_exceptions: bool = True,
        trace_exceptions: bool = True,
        match_any: bool = False,
    ) -> None:
        super().__init__(
            field,
            Requirement(
                _given(specification),
                aggregate=True,
                optional=optional,
                filter=spec_filter,
                match_any=match_any,
                muffle=muffle_exceptions,
                trace=trace_exceptions,
            ),
        )


class RequiresVarFilter(_Requires):
    """Like L{Requires}, with names of the component's own properties in braces in the filter.

    When such a property changes, so does what is injected.
    """

    kind = VARIABLE_FILTER

    def __init__(
        self,
        field: str,
        specification: Any = None,
        aggregate: bool = False,
        optional: bool = False,
        spec_filter: str | None = None,
        immediate_rebind: bool = False,
        match_any: bool = False,
    ) -> None:
        super().__init__(
            field,
            Requirement(
                _given(specification),
                aggregate=aggregate,
                optional=optional,
                filter=spec_filter,
                immediate_rebind=immediate_rebind,
                match_any=match_any,
            ),
        )


class Temporal(_Requires):
    """Inject an object that stands for the registration, and outlives its absence for a while.

    A call in the meantime is a L{Deferred <twisted.internet.defer.Deferred>}, made when another
    has come. If none does in time, the component becomes invalid.

    @param timeout: seconds; what is not above 0 is 10.
    """

    kind = TEMPORAL

    def __init__(
        self,
        field: str,
        specification: Any = None,
        optional: bool = False,
        spec_filter: str | None = None,
        timeout: float = 10,
        match_any: bool = False,
    ) -> None:
        super().__init__(
            field,
            Requirement(
                _given(specification),
                optional=optional,
                filter=spec_filter,
                match_any=match_any,
                timeout=timeout if timeout > 0 else 10.0,
            ),
        )
