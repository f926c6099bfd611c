"""The library's log records on Python's loggers, emitted by whichever thread fetches results."""

from __future__ import annotations

import logging

_OWN = logging.getLogger("orchestrator.providers")


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
