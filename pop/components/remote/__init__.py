"""What is registered in one framework, used in another: exports, imports, and what carries calls.

As a bundle, this starts the others: L{pop.components.remote.core} knows what is exported and
imported, L{pop.components.remote.transport} carries calls, L{pop.components.remote.discovery} finds
what others export, and L{pop.components.remote.commands} shows all that at the shell. None is
imported before.
"""

from typing import Final

from pop.components.bundle import Bundle, BundleActivator
from pop.components.context import BundleContext

BUNDLES: Final = (
    "pop.components.ipopo",
    "pop.components.remote.core",
    "pop.components.remote.transport",
    "pop.components.remote.discovery",
    "pop.components.remote.commands",
)


@BundleActivator
class Activator:
    """Has the others started while this is, those that were not before."""

    def __init__(self) -> None:
        self._started: list[Bundle] = []

    async def start(self, context: BundleContext) -> None:
        """Start them in their order; if one cannot be, none is."""
        try:
            for name in BUNDLES:
                bundle = context.install_bundle(name)
                if await bundle.start():
                    self._started.append(bundle)
        except Exception:
            await self.stop(context)
            raise

    async def stop(self, context: BundleContext) -> None:
        """Stop those that this has started, the latest first."""
        while self._started:
            await self._started.pop().stop()
