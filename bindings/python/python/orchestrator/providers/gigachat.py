"""``GigaChatProvider``: GigaChat over the native core, awaited or blocking."""

from __future__ import annotations

import atexit
import os

from .._config import VARIABLES_OF_EVERY_PROVIDER, GenerationParams, ProviderConfig
from .._errors import InsecureConnectionWarning, ProviderError
from .._gigachat import Model, Response, after_fork, emit_logs
from .._gigachat import Provider as _Core
from .._params import given
from .._params import of_call as _of_call
from .._streams import BlockingChunkStream, BlockingTextStream, ChunkStream, TextStream
from .._typing import Mapping, Sequence, t
from .._typing import options as _options
from .base import BaseProvider, ChatRequest
from .operations import Operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable
    from typing import Any

    from .._gigachat import Port

__all__ = ["GigaChatProvider"]

_PACKAGE = __name__.partition(".")[0]

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)
# Before that of `logging`, which was imported earlier.
atexit.register(emit_logs)


class GigaChatProvider(Operations, BaseProvider):
    """GigaChat. Share one provider: between tasks, loops, threads and forked processes.

    It takes a ``ProviderConfig`` or its options as keywords: ``GigaChatProvider(api_key="...")``.
    With both, the keywords change a copy of the configuration.

    Every coroutine and stream has a blocking twin whose name ends in ``_sync``. ``generate``,
    ``chat`` and their streams take ``params``: a ``GenerationParams`` or a mapping, or single ones
    as keywords (``temperature``, ``max_tokens``, ``top_p``, ``stop``); and ``model``, ``timeout``,
    ``deadline``, ``extra_headers``, ``session_id`` and ``request_id`` (texts, numbers or UUIDs) for
    one call. ``timeout`` (seconds) begins with the permit; ``deadline`` (seconds) with the call,
    the wait for the permit and all attempts included, of a stream until its first content.
    Assigning to ``config`` takes effect with the next call.
    """

    # What holds when nothing else says so; a subclass may say otherwise.
    DEFAULT_BASE_URL: str = "https://api.giga.chat/v1"
    OAUTH_URL: str = "https://ngw.devices.sberbank.ru:9443/api/v2/oauth"
    DEFAULT_MODEL: str = "GigaChat"
    DEFAULT_SCOPE: str = "GIGACHAT_API_PERS"

    def __init__(
        self, config: ProviderConfig | None = None, **options: t.Unpack[_options.ProviderOptions]
    ) -> None:
        if config is None:
            config = ProviderConfig(**options)
        elif isinstance(config, ProviderConfig) and options:
            config = config.model_copy(update=options)
        elif not isinstance(config, ProviderConfig):
            raise TypeError(
                f"config: a {type(config).__name__} is not accepted; it must be a ProviderConfig, or give"
                " its options as keywords: GigaChatProvider(api_key=...)"
            )
        super().__init__(config)
        self._environment = _environment()
        self._closed = False
        self._native: _Core | None = None
        self._build(config)
        if not config.verify_ssl:
            self._warn_of_no_verification()

    # Answers to a prompt.

    async def generate(
        self,
        prompt: str,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] | None = None,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> str:
        """Answers a prompt with a text. Cancelling the task aborts the request."""
        params = given(params, temperature, max_tokens, top_p, stop)
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        core = self._core()
        loop, port = _port()
        future = loop.create_future()
        number = core.generate(port, future, prompt, params, options)
        try:
            return await future  # type: ignore[no-any-return]
        except BaseException:
            port.forget(number)
            raise

    def generate_sync(
        self,
        prompt: str,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] | None = None,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> str:
        """The same, blocking. Other threads run meanwhile; Ctrl-C interrupts it."""
        params = given(params, temperature, max_tokens, top_p, stop)
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        return self._core().generate_blocking(prompt, params, options)

    def generate_stream(
        self,
        prompt: str,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] | None = None,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> TextStream:
        """Answers a prompt in pieces of text, for ``async for``."""
        params = given(params, temperature, max_tokens, top_p, stop)
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        return TextStream(self._core(), prompt, False, params, options)

    def generate_stream_sync(
        self,
        prompt: str,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] | None = None,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> BlockingTextStream:
        """Answers a prompt in pieces of text, for ``for``."""
        params = given(params, temperature, max_tokens, top_p, stop)
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        return BlockingTextStream(self._core(), prompt, False, params, options)

    # Answers to a request.

    async def chat(
        self,
        request: ChatRequest,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] | None = None,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> Response:
        """Answers a request: a list of messages, or a dict in the wire format."""
        params = given(params, temperature, max_tokens, top_p, stop)
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        asked = _wire(request)
        answer: Response = await self._awaited(
            lambda core, port, future: core.chat(port, future, asked, True, params, options)
        )
        return answer

    def chat_sync(
        self,
        request: ChatRequest,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] | None = None,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> Response:
        """The same, blocking."""
        params = given(params, temperature, max_tokens, top_p, stop)
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        return self._core().chat_blocking(_wire(request), True, params, options)

    def chat_stream(
        self,
        request: ChatRequest,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] | None = None,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> ChunkStream:
        """Answers a request in chunks; the last one has the finish reason and the usage."""
        params = given(params, temperature, max_tokens, top_p, stop)
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        return ChunkStream(self._core(), _wire(request), True, params, options)

    def chat_stream_sync(
        self,
        request: ChatRequest,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] | None = None,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> BlockingChunkStream:
        """The same, for ``for``."""
        params = given(params, temperature, max_tokens, top_p, stop)
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        return BlockingChunkStream(self._core(), _wire(request), True, params, options)

    # What is not an answer.

    async def health_check(self) -> bool:
        """Whether the service answers now; costs no tokens, never answers from memory.

        Why it does not is a warning of the provider's logger; its record has the ``ProviderError`` as ``error``.
        """
        try:
            healthy: bool = await self._awaited(lambda core, *to: core.health(*to))
            return healthy
        except ProviderError as error:
            self._note_unhealthy(error)
            return False

    def health_check_sync(self) -> bool:
        """The same, blocking."""
        try:
            return self._core().health_blocking()
        except ProviderError as error:
            self._note_unhealthy(error)
            return False

    async def list_models(self) -> list[Model]:
        """The models that the account can use."""
        models: list[Model] = await self._awaited(lambda core, *to: core.models(*to))
        return models

    def list_models_sync(self) -> list[Model]:
        """The same, blocking."""
        return self._core().models_blocking()

    async def get_access_token(self) -> str:
        """The access token in use, refreshed if it is time. A secret."""
        token: str = await self._awaited(lambda core, *to: core.access_token(*to))
        return token

    def get_access_token_sync(self) -> str:
        """The same, blocking."""
        return self._core().access_token_blocking()

    async def close(self) -> None:
        """Lets go of the connections. Calls under way go on; new ones raise."""
        self.close_sync()

    def close_sync(self) -> None:
        """The same, from anywhere."""
        self._closed = True
        self._native = None

    async def __aenter__(self) -> t.Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close_sync()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close_sync()

    # How it works.

    def _note_unhealthy(self, error: ProviderError) -> None:
        from .._logs import escaped

        self.logger.warning("Health check failed: %s", escaped(error), extra={"error": error})

    def _core(self) -> _Core:
        """The native provider of the configuration as it is now."""
        config = self.config
        native = self._native
        if native is None or config is not self._built_of or config._revision != self._built_at:
            return self._build(config)
        return native

    def _build(self, config: ProviderConfig) -> _Core:
        if self._closed:
            raise ProviderError(f"the provider {config.name!r} was closed")
        revision = config._revision
        options = {**_own_defaults(type(self)), **self._environment, **config._named_options()}
        try:
            native = _Core(options, self._native)
        except ValueError as error:
            if config.pickle_credentials or any(config.model_dump(include=_CREDENTIALS).values()):
                raise
            raise ValueError(
                "api_key: no credential is here: a pickle with pickle_credentials=False takes it from the"
                " environment where it is loaded, and GIGACHAT_CREDENTIALS is not set there"
            ) from error
        self._native = native
        self._built_of, self._built_at = config, revision
        return native

    async def _awaited(self, start: Callable[[_Core, Port, Future[Any]], int]) -> Any:
        """Starts a call and awaits its result; whatever ends the waiting ends the call."""
        core = self._core()
        loop, port = _port()
        future = loop.create_future()
        number = start(core, port, future)
        try:
            return await future
        except BaseException:
            port.forget(number)
            raise

    def _warn_of_no_verification(self) -> None:
        import sys
        import warnings

        text = (
            f"TLS verification is off for provider {self.config.name!r}: anyone on the network can read the"
            " authorization key; leave verify_ssl on, the Russian Trusted Root CA is built in"
        )
        self.logger.warning("%s", text)
        frame, level = sys._getframe(1), 2
        while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
            frame, level = frame.f_back, level + 1
        warnings.warn(text, InsecureConnectionWarning, stacklevel=level)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _UNPICKLED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._native = None
        self._built_of, self._built_at = self.config, -1


_CREDENTIALS = ("api_key", "access_token", "user", "cert_file", "cert_pem")
_UNPICKLED = frozenset(("_native", "_built_of", "_built_at", "logger"))


_DEFAULTS = {
    "base_url": "DEFAULT_BASE_URL",
    "auth_url": "OAUTH_URL",
    "model": "DEFAULT_MODEL",
    "scope": "DEFAULT_SCOPE",
}


def _own_defaults(cls: type[GigaChatProvider]) -> dict[str, str]:
    """The defaults that a subclass has changed."""
    ours = vars(GigaChatProvider)
    found = {option: getattr(cls, name) for option, name in _DEFAULTS.items()}
    return {option: value for option, value in found.items() if value != ours[_DEFAULTS[option]]}


def _environment() -> dict[str, str]:
    """Where the environment says that the service is."""
    found = {option: os.environ.get(name) for option, name in VARIABLES_OF_EVERY_PROVIDER.items()}
    return {option: value for option, value in found.items() if value}


def _port() -> tuple[AbstractEventLoop, Port]:
    """Replaced by the bridge's own function at the first call, which loads asyncio."""
    global _port
    from .._bridge import port as _port

    return _port()


def _wire(request: ChatRequest) -> str:
    """A request as JSON in the wire format."""
    from .._wire import to_json

    return to_json(request)


NATIVE: dict[str, Callable[..., Any]] = {
    "generate": GigaChatProvider.generate,
    "generate_stream": GigaChatProvider.generate_stream,
    "chat": GigaChatProvider.chat,
    "chat_stream": GigaChatProvider.chat_stream,
    "health_check": GigaChatProvider.health_check,
}
"""What the native core does where it is neither overridden nor patched, for routers."""
