"""``Config``: the general settings of a program, from its environment."""

from __future__ import annotations

import os

from ._checked import Checked
from ._typing import t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Config"]


class Config(Checked):
    """Keys and defaults that a program keeps in one place. The package itself reads none of them."""

    gigachat_api_key: str | None
    yandexgpt_api_key: str | None
    log_level: str
    default_provider: str
    max_retries: int
    timeout_seconds: int

    _fields = {
        "gigachat_api_key": None,
        "yandexgpt_api_key": None,
        "log_level": "INFO",
        "default_provider": "auto",
        "max_retries": 3,
        "timeout_seconds": 30,
    }
    _secrets = frozenset(("gigachat_api_key", "yandexgpt_api_key"))

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            gigachat_api_key: str | None = None,
            yandexgpt_api_key: str | None = None,
            log_level: str = "INFO",
            default_provider: str = "auto",
            max_retries: int = 3,
            timeout_seconds: int = 30,
        ) -> None: ...

    @staticmethod
    def _check(name: str, value: Any) -> Any:
        if name in ("max_retries", "timeout_seconds"):
            try:
                return int(value)
            except (TypeError, ValueError):
                raise ValueError(f"{name}: {value!r} is not accepted; it must be a whole number") from None
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name}: {value!r} is not accepted; it must be a text")
        return value

    @classmethod
    def from_env(cls, env_file: str | os.PathLike[str] | None = None) -> t.Self:
        """From the environment, and from ``.env`` (or ``env_file``) for what it does not set."""
        path = os.fspath(env_file) if env_file and os.path.exists(env_file) else ".env"
        values = {**_read(path), **os.environ}
        variables = {
            "gigachat_api_key": "GIGACHAT_API_KEY",
            "yandexgpt_api_key": "YANDEXGPT_API_KEY",
            "log_level": "LOG_LEVEL",
            "default_provider": "DEFAULT_PROVIDER",
            "max_retries": "MAX_RETRIES",
            "timeout_seconds": "TIMEOUT_SECONDS",
        }
        return cls(**{field: values[name] for field, name in variables.items() if name in values})  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, t.Any]:
        """The fields as a dictionary."""
        return self.model_dump()


def _read(path: str) -> dict[str, str]:
    """The ``NAME=value`` lines of a file; nothing when there is no such file."""
    if not os.path.exists(path):
        return {}
    values = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, equals, value = line.strip().removeprefix("export ").partition("=")
            if equals and not name.startswith("#"):
                values[name.strip()] = value.strip().strip("'\"")
    return values
