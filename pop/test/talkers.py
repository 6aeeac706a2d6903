"""Components for tests, which note what they are called with."""

from typing import Any

from pop.components import (
    Bind,
    BindField,
    ComponentFactory,
    Invalidate,
    PostRegistration,
    PostUnregistration,
    Provides,
    Requires,
    Unbind,
    UnbindField,
    Update,
    UpdateField,
    Validate,
)


class Talker:
    """Notes what it is called with."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def take(self) -> list[str]:
        """What was noted since the last time."""
        said, self.said = self.said, []
        return said


@ComponentFactory("talker")
@Provides("talk")
@Requires("thing", "spec")
class Talk(Talker):
    """Has all callbacks."""

    thing: Any

    @Bind
    def bind(self, thing: Any, reference: Any) -> None:
        self.said.append("bind")

    @BindField("thing")
    def bind_field(self, field: str, thing: Any, reference: Any) -> None:
        self.said.append(f"bind {field}")

    @Update
    def update(self, thing: Any, reference: Any, old: dict[str, Any]) -> None:
        self.said.append(f"update from {old.get('a')}")

    @UpdateField("thing")
    def update_field(self, field: str, thing: Any, reference: Any, old: Any) -> None:
        self.said.append(f"update {field}")

    @Unbind
    def unbind(self, thing: Any, reference: Any) -> None:
        self.said.append(f"unbind {self.thing}")

    @UnbindField("thing")
    def unbind_field(self, field: str, thing: Any, reference: Any) -> None:
        self.said.append(f"unbind {field}")

    @Validate
    def validate(self, context: Any) -> None:
        found = context.get_service_reference("talk")
        self.said.append(f"validate {self.thing} {found}")

    @Invalidate
    def invalidate(self, context: Any) -> None:
        found = context.get_service_reference("talk")
        self.said.append(f"invalidate {self.thing} {found}")

    @PostRegistration
    def registered(self, reference: Any) -> None:
        self.said.append("registered")

    @PostUnregistration
    def unregistered(self, reference: Any) -> None:
        self.said.append("unregistered")
