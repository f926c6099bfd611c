"""The library's log records on Python's loggers, emitted by whichever thread fetches results."""

from __future__ import annotations

import logging

_OWN = logging.getLogger("orchestrator.providers")

# A library says nothing by itself: without this, records of a program that never set up logging
# are printed on standard error.
logging.getLogger("orchestrator").addHandler(logging.NullHandler())


def logger_of(name: str) -> logging.Logger:
    """The package's logger of that name."""
    return logging.getLogger(f"orchestrator.{name}")


def escaped(error: object) -> str:
    """An error's text on one line: the service's words are in it, and control characters forge lines."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in str(error))


def emit(records: list[tuple[int, str, str]], dropped: int) -> None:
    """Emits what the core collected: level, the part of it that speaks, text with its fields."""
    for level, target, message in records:
        logger = _logger_of(message)
        if logger.isEnabledFor(level):
            logger.log(level, "%s", message, extra={"part": target})
    if dropped:
        _OWN.warning("%d log records were dropped: they were not fetched in time", dropped)


def _logger_of(message: str) -> logging.Logger:
    """The logger of the provider that the record names, if it names one."""
    _, found, rest = message.partition(" provider=")
    return logging.getLogger(f"{_OWN.name}.{rest.split(' ', 1)[0]}") if found else _OWN
