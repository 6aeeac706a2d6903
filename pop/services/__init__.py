"""Service types: what pop knows how to run.

Any directory ``pop/services`` without an ``__init__.py`` on ``sys.path`` contributes its modules,
so a type is installed by dropping one file (see L{twisted.plugin.pluginPackagePaths}).
"""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
