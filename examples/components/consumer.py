"""A component that requires: the bundle C{consumer} of the guide."""

from typing import Any

from pop.components import (
    BundleContext,
    ComponentFactory,
    Instantiate,
    Invalidate,
    Requires,
    Validate,
)


@ComponentFactory("hello-consumer-factory")
@Requires("_svc", "sample.hello")
@Instantiate("hello-consumer-auto")
class HelloConsumer:
    """Says hello as soon as it can, and goodbye when it no longer can."""

    def __init__(self) -> None:
        self._svc: Any = None  # is injected

    @Validate
    def validate(self, context: BundleContext) -> None:
        """All that is required is there."""
        self._svc.hello("Consumer")

    @Invalidate
    def invalidate(self, context: BundleContext) -> None:
        """It is about to go, and still there."""
        self._svc.bye("Consumer")
