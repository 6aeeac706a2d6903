"""Under which names things are registered, and which properties say what is exported."""

from typing import Any, Final

SERVICE_DISPATCHER: Final = "pelix.remote.dispatcher"
"""What this framework exports: L{pop.components.remote.exports.Exports}."""
SERVICE_REGISTRY: Final = "pelix.remote.registry"
"""What others export: L{pop.components.remote.imports.Imports}."""
SERVICE_REMOTE_SERVICE_ADMIN: Final = "pelix.rsa.remoteserviceadmin"
"""What exports and imports: L{pop.components.remote.admin.Admin}."""
SERVICE_EXPORT_PROVIDER: Final = "pelix.remote.provider.export"
SERVICE_IMPORT_PROVIDER: Final = "pelix.remote.provider.import"
SERVICE_EXPORT_ENDPOINT_LISTENER: Final = "pelix.remote.endpoint.export.listener"
SERVICE_IMPORT_ENDPOINT_LISTENER: Final = "pelix.remote.endpoint.import.listener"
SERVICE_RSA_EVENT_LISTENER: Final = "pelix.rsa.remoteserviceadmineventlistener"

SERVICE_LINKS: Final = "pop.remote.links"
"""Connections to others: L{pop.components.remote.link.Links}."""

PROP_EXPORTED_INTERFACES: Final = "service.exported.interfaces"
"""Which of its specifications a registration is exported under; C{*} for all."""
PROP_EXPORTED_CONFIGS: Final = "service.exported.configs"
"""By which kinds of transport; if it does not say, by all that there are."""
PROP_ENDPOINT_NAME: Final = "endpoint.name"
PROP_SYNONYMS: Final = "pelix.remote.synonyms"
"""More names for it elsewhere; C{python:/} before one means nothing, C{java:/} and others stay."""
PROP_EXPORT_NONE: Final = "pelix.remote.export.none"
"""If it is true, nothing is exported, whatever the others say."""
PROP_EXPORT_ONLY: Final = "pelix.remote.export.only"
"""Specifications; no other is exported, and what is rejected does not count."""
PROP_EXPORT_REJECT: Final = "pelix.remote.export.reject"
"""Specifications that are not exported."""

PROP_IMPORTED: Final = "service.imported"
PROP_IMPORTED_CONFIGS: Final = "service.imported.configs"
PROP_IMPORTED_INTERFACES: Final = "service.imported.interfaces"
PROP_ENDPOINT_ID: Final = "endpoint.id"
PROP_ENDPOINT_SERVICE_ID: Final = "endpoint.service.id"
PROP_ENDPOINT_FRAMEWORK_UUID: Final = "endpoint.framework.uuid"


def texts(value: Any) -> tuple[str, ...]:
    """The texts that a property holds: one, several, or none."""
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(each for each in value if isinstance(each, str))
    return ()


def addresses(value: Any) -> tuple[str, ...]:
    """The addresses that a property holds: a list of them, or a text with blanks between them."""
    return tuple(dict.fromkeys(one for text in texts(value) for one in text.split()))
