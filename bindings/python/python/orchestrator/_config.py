"""``ProviderConfig`` and ``GenerationParams``: what a program says about a provider and a call."""

from __future__ import annotations

import os

from ._checked import Checked, read_only, restore
from ._gigachat import check_option, instead
from ._gigachat import options as core_options
from ._gigachat import variable as meaning
from ._typing import options as _options
from ._typing import t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PUBLIC_MODULE = "orchestrator.providers.base"
_MOST_TOKENS = 2**31 - 1


class ProviderConfig(Checked):
    """The options of a provider. Readable and assignable; the next call uses the new value.

    A GigaChat provider needs a credential: ``api_key`` (the authorization key), ``access_token``,
    ``user`` and ``password``, or a client certificate. Time limits are in seconds. A bad value or
    an unknown option is a ``ValueError``. The official SDK's ``credentials``, ``verify_ssl_certs``
    and ``max_connections`` are understood as ``api_key``, ``verify_ssl`` and ``max_concurrency``.

    With ``pickle_credentials=False`` no secret is in a pickle: where it is loaded, the credential
    is that of the environment there (``GIGACHAT_CREDENTIALS`` and the others of ``from_env``).
    """

    # from api/gigachat.json: annotations
    name: str
    api_key: str | None
    scope: _options.Scope | None
    access_token: str | None
    user: str | None
    password: str | None
    model: str | None
    api_version: int | None
    use_api_v2: bool
    result_role: str | None
    session_id: str | None
    profanity_check: bool | None
    flags: str | None
    base_url: str | None
    auth_url: str | None
    timeout: float
    connect_timeout: float | None
    queue_timeout: float | None
    idle_timeout: float | None
    stream_timeout: float | None
    health_timeout: float | None
    max_retries: int
    retry_broken_connections: bool
    wait_on_rate_limit: bool
    max_concurrency: int | None
    max_connections_per_host: int | None
    shared_permits: str | os.PathLike[str] | None
    verify_ssl: bool
    ca_bundle_file: str | os.PathLike[str] | None
    ca_bundle_pem: str | None
    cert_file: str | os.PathLike[str] | None
    cert_pem: str | None
    key_file: str | os.PathLike[str] | None
    key_pem: str | None
    key_file_password: str | None
    russian_root_hosts: t.Sequence[str] | None
    proxy: str | None
    proxy_from_environment: bool
    user_agent: str | None
    extra_headers: t.Mapping[str, str] | None
    allow_insecure_http: bool
    max_body_bytes: int | None
    max_event_bytes: int | None
    read_ahead_bytes: int | None
    log_content: bool
    folder_id: str | None
    pickle_credentials: bool
    # end of annotations

    _fields = {
        # from api/gigachat.json: defaults
        "name": "gigachat",
        "api_key": None,
        "scope": None,
        "access_token": None,
        "user": None,
        "password": None,
        "model": None,
        "api_version": None,
        "use_api_v2": False,
        "result_role": None,
        "session_id": None,
        "profanity_check": None,
        "flags": None,
        "base_url": None,
        "auth_url": None,
        "timeout": 30,
        "connect_timeout": None,
        "queue_timeout": None,
        "idle_timeout": None,
        "stream_timeout": None,
        "health_timeout": None,
        "max_retries": 3,
        "retry_broken_connections": True,
        "wait_on_rate_limit": True,
        "max_concurrency": None,
        "max_connections_per_host": None,
        "shared_permits": None,
        "verify_ssl": True,
        "ca_bundle_file": None,
        "ca_bundle_pem": None,
        "cert_file": None,
        "cert_pem": None,
        "key_file": None,
        "key_pem": None,
        "key_file_password": None,
        "russian_root_hosts": None,
        "proxy": None,
        "proxy_from_environment": True,
        "user_agent": None,
        "extra_headers": None,
        "allow_insecure_http": False,
        "max_body_bytes": None,
        "max_event_bytes": None,
        "read_ahead_bytes": None,
        "log_content": False,
        "folder_id": None,
        "pickle_credentials": True,
        # end of defaults
    }
    _secrets = frozenset((
        # from api/gigachat.json: secrets
        "api_key",
        "access_token",
        "password",
        "key_pem",
        "key_file_password",
        "proxy",
        "extra_headers",
        # end of secrets
    ))

    _aliases = {
        # from api/gigachat.json: other words
        "credentials": "api_key",
        "max_connections": "max_concurrency",
        "verify_ssl_certs": "verify_ssl",
        # end of other words
    }

    if TYPE_CHECKING:

        def __init__(self, **options: t.Unpack[_options.ProviderOptions]) -> None: ...

    @staticmethod
    def _check(name: str, value: Any) -> Any:
        if value is None and ProviderConfig._fields[name] is not None:
            default = ProviderConfig._fields[name]
            raise ValueError(f"{name}: None is not accepted; it must be given (default: {default!r})")
        if name == "pickle_credentials":
            return check_option("log_content", value)  # a truth value like any other
        value = check_option(name, value)
        if value is None:
            return None
        if name == "extra_headers":
            return read_only(value)
        if name == "russian_root_hosts":
            return tuple(value)
        return value

    @classmethod
    def _no_such(cls, name: str) -> str:
        why = instead(name)
        return f"{name}: no such option of {cls.__name__}; {why}" if why else super()._no_such(name)

    def __reduce__(self) -> tuple[t.Any, ...]:
        values = self.model_dump(exclude_defaults=True)
        if self.pickle_credentials:
            return restore, (type(self), values)
        kept = {name: value for name, value in values.items() if name not in self._secrets}
        return _with_credentials_of_here, (type(self), kept)

    @classmethod
    def from_env(cls, **options: t.Unpack[_options.ProviderOptions]) -> t.Self:
        """The ``GIGACHAT_*`` variables of the official SDK, changed by the options given here.

        A variable that has no option here is ignored with a warning, never silently.
        """
        given = cls._translated(options)
        values: dict[str, Any] = {}
        for variable, value in os.environ.items():
            if not variable.startswith("GIGACHAT_") or not value:
                continue
            option, warning = meaning(variable)
            if warning is not None:
                _warn(warning)
            elif option is not None and option not in given:
                try:
                    values[option] = check_option(option, value)
                except ValueError as error:
                    text = str(error).removeprefix(f"{option}: ")
                    raise ValueError(f"{variable}: {text}") from None
        return cls(**{**values, **given})

    def _named_options(self) -> dict[str, Any]:
        """What the native core is built from: the options that say something."""
        own = self.__dict__
        return {
            name: own[name]
            for name, default in self._fields.items()
            if own[name] is not None
            and (own[name] != default or name in ("name", "timeout"))
            and name != "pickle_credentials"
        }


_CREDENTIALS = ("api_key", "access_token", "user", "password", "key_file_password")


def _with_credentials_of_here(cls: type[ProviderConfig], values: dict[str, Any]) -> ProviderConfig:
    """A pickled configuration that left its secrets at home, with those of this environment."""
    found = {}
    for option, variable in core_options():
        value = os.environ.get(variable) if variable and option in _CREDENTIALS else None
        if value and option not in values:
            found[option] = value
    return cls(**{**values, **found})


VARIABLES_OF_EVERY_PROVIDER = {
    option: variable
    for option, variable in core_options()
    if variable and option in ("base_url", "auth_url", "ca_bundle_file")
}
"""Read when a provider is built and its config does not name them."""


def _warn(text: str) -> None:
    """At the line that called ``from_env``."""
    import warnings

    warnings.warn(text, UserWarning, stacklevel=3)


class GenerationParams(Checked):
    """Parameters of one generation. An object sends all of its own; without one, none are sent."""

    temperature: float
    max_tokens: int
    top_p: float
    stop: list[str] | None

    _fields = {"temperature": 0.7, "max_tokens": 1000, "top_p": 1.0, "stop": None}

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            temperature: float = 0.7,
            max_tokens: int = 1000,
            top_p: float = 1.0,
            stop: t.Sequence[str] | None = None,
        ) -> None: ...

    @staticmethod
    def _check(name: str, value: Any) -> Any:
        if name == "stop":
            return _stops(value)
        low, high = _RANGES[name]
        number = _number(name, value)
        if not low <= number <= high:
            raise ValueError(f"{name}: {value!r} is not accepted; it must be from {low} to {high}")
        if name == "max_tokens":
            if number != int(number):
                raise ValueError(f"{name}: {value!r} is not accepted; it must be a whole number")
            return int(number)
        return number


_RANGES = {"temperature": (0.0, 2.0), "max_tokens": (1, _MOST_TOKENS), "top_p": (0.0, 1.0)}


def _number(name: str, value: Any) -> float:
    if not isinstance(value, (bool, type(None))):
        try:
            return float(value)
        except (TypeError, ValueError):
            pass
    raise ValueError(f"{name}: {value!r} is not accepted; it must be a number")


def _stops(value: Any) -> list[str] | None:
    if value is None:
        return None
    if isinstance(value, str) or not all(isinstance(stop, str) and stop for stop in value):
        raise ValueError(f"stop: {value!r} is not accepted; it must be a list of texts that are not empty")
    return list(value)


for _class in (ProviderConfig, GenerationParams):
    _class.__module__ = _PUBLIC_MODULE
del _class
