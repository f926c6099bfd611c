"""Packages that only some calls need: imported when they are called for, with an error that says what to install."""

from __future__ import annotations

import importlib
from typing import Any


def needs(module: str, what: str) -> Any:
    """The module; an ``ImportError`` says that ``what`` needs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = module.partition(".")[0]
        raise ImportError(f"batch.{what} needs {name}: pip install {name} ({error})", name=name) from None
