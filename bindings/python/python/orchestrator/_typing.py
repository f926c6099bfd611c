"""Names for annotations that load their module when somebody resolves them, and not before.

``typing``, ``logging`` and the like take longer to load than the whole package; annotations are texts
until ``typing.get_type_hints``, pydantic or a framework evaluates them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    import logging
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import typing_extensions as t

    from . import _options as options
else:
    # Loaded by every interpreter before any program; collections.abc is these very classes.
    from _collections_abc import Awaitable, Callable, Mapping, Sequence

    class _Itself:
        def __getitem__(self, options):
            return options

    class _Later:
        """A module that is loaded when it is asked for something."""

        def __init__(self, *names):
            self._names = names

        def __getattr__(self, name):
            from importlib import import_module

            for module in self._names:
                try:
                    found = getattr(import_module(module), name, None)
                except ImportError:
                    continue
                if found is not None:
                    return found
            if name == "Self":  # on Python 3.10 without typing_extensions
                return import_module("typing").Any
            if name == "Unpack":
                return _Itself()
            raise AttributeError(name)

    t = _Later("typing", "typing_extensions")
    logging = _Later("logging")
    datetime = _Later("datetime")
    options = _Later("orchestrator._options")

    later = _Later

__all__ = ["Awaitable", "Callable", "Mapping", "Sequence", "datetime", "logging", "options", "t"]
