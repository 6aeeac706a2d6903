"""A component that requires another, wherever that is."""

from typing import Any

from greeting import IGreeting

from pop.components import ComponentFactory, Instantiate, Invalidate, Requires, Validate


@ComponentFactory("visitor")
@Requires("greeting")
@Instantiate("visitor")
class Visitor:
    """Wants to be greeted."""

    greeting: IGreeting

    @Validate
    async def validate(self, context: Any) -> None:
        """It is there."""
        print(await self.greeting.greet("visitor"), flush=True)
        try:
            await self.greeting.greet("")
        except ValueError as error:
            print("It says:", error, flush=True)

    @Invalidate
    def invalidate(self, context: Any) -> None:
        """It goes."""
        print("Nobody is there any more", flush=True)
