"""``Router``: several providers as one, with fallback, health and metrics.

A folder, since Python prefers it to a file of the same name: when multi-llm-orchestrator is
installed over this package, its ``__init__.py`` imports this router, which then says so.
"""

from __future__ import annotations

import sys

if not hasattr(sys.modules["orchestrator"], "_LIBGIGACHAT"):
    raise ImportError(
        "multi-llm-orchestrator was installed over libgigachat, in the same folder, or uninstalled after that:"
        " pip uninstall both, then install one",
        name=__name__,
    )

from .._config import ProviderConfig
from .._errors import ProviderError
from .._gigachat import Member, Model, Response
from .._gigachat import Router as _Core
from .._params import asked_with
from .._route import WAYS, Question, Route, Seat
from .._typing import Awaitable, Callable, Mapping, Sequence, logging, t
from .._typing import options as _options
from .._usage import UsageData
from ..metrics import ProviderMetrics
from ..providers.base import BaseProvider, ChatRequest, GenerationParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import orchestrator._routed as _routed

    from .._exporter import MetricsServer
    from .._gigachat import Provider
else:
    from .._typing import later

    _routed = later("orchestrator._routed")

UsageCallback = Callable[[UsageData], Awaitable[None]]

__all__ = ["LLMRouter", "Router", "UsageCallback", "UsageData"]


VALID_STRATEGIES = ["round-robin", "random", "first-available", "best-available"]


class Router(BaseProvider):
    """Routes requests to providers: native ones, a program's own, and other routers, mixed. It is a
    provider itself.

    ``strategy`` is ``round-robin``, ``random``, ``first-available`` or ``best-available``.
    Another provider is asked when one fails, never for errors that are the caller's (400, 413,
    422) and never after the first chunk of a stream. ``usage_callback`` is awaited with a
    ``UsageData`` after each attempt; what it raises is logged.

    ``deadline`` (seconds) bounds a request with all its attempts and waits, a stream until its first
    content; a request may bring its own. ``name`` is the router's in an outer router and in metrics.
    A member that fails is not asked for ``cooldown`` seconds (1), twice as long each time, up to
    ``longest_cooldown`` (60): at once after 401, 402, 403, 429, else after ``failures_to_cool`` (3) in
    a row; afterwards it takes ``ramp`` seconds (10) to its full share. When all cool, a request waits
    for them up to ``max_cooldown_wait`` (30). ``member_retries`` lets members repeat requests
    themselves before the next one is asked; without ``fallback_after_read_timeout`` an answer that did
    not come in time, and may be billed, is not asked for elsewhere. ``seed`` makes random choices
    repeatable.

    ``route`` and its kin answer a prompt with text (``generate`` is another name for them), ``chat``
    and its kin a request; they take what the same methods of ``GigaChatProvider`` take. A member of
    the program's own is given those options that its method has parameters for; ``timeout`` and
    ``deadline`` hold for it in any case. Blocking calls run such members on one private loop.
    """

    _native: t.Mapping[str, t.Any]

    def __init__(
        self,
        strategy: t.Literal[
            "round-robin", "random", "first-available", "best-available"
        ] = "round-robin",
        usage_callback: UsageCallback | None = None,
        callback_url: str | None = None,
        tenant_id: str | None = None,
        platform_key_id: str | None = None,
        *,
        deadline: float | None = None,
        name: str = "router",
        member_retries: bool = False,
        fallback_after_read_timeout: bool = True,
        max_cooldown_wait: float = 30.0,
        cooldown: float = 1.0,
        longest_cooldown: float = 60.0,
        ramp: float = 10.0,
        failures_to_cool: int = 3,
        seed: int | None = None,
    ) -> None:
        if strategy not in VALID_STRATEGIES:
            raise ValueError(f"Invalid strategy: {strategy}. Must be one of {VALID_STRATEGIES}")
        if callback_url is not None:
            raise ValueError(
                "callback_url: this router opens no connections of its own; give a usage_callback that posts"
            )
        settings: dict[str, Any] = {
            "name": name,
            "strategy": strategy,
            "deadline": deadline,
            "member_retries": member_retries,
            "fallback_after_read_timeout": fallback_after_read_timeout,
            "max_cooldown_wait": max_cooldown_wait,
            "cooldown": cooldown,
            "longest_cooldown": longest_cooldown,
            "ramp": ramp,
            "failures_to_cool": failures_to_cool,
            "seed": seed,
        }
        self._settings = {option: value for option, value in settings.items() if value is not None}
        self._route = Route(self, _Core(self._settings))
        self._prices: dict[str, tuple[float, float]] = {}
        self.config: ProviderConfig = ProviderConfig(name=name)
        self.providers: list[BaseProvider] = []
        self.metrics: dict[str, ProviderMetrics] = {}
        self.usage_callback = usage_callback
        self.tenant_id = tenant_id
        self.platform_key_id = platform_key_id
        self._server: MetricsServer | None = None
        self.logger.info("Router initialized with strategy: %s", strategy)

    @property
    def logger(self) -> logging.Logger:  # type: ignore[override]
        """``orchestrator.router``."""
        from .._logs import logger_of

        return logger_of("router")

    @property
    def strategy(self) -> str:
        """The strategy that this router was made with."""
        return self._settings["strategy"]  # type: ignore[no-any-return]

    # Copies, also in other processes: the same members, prices and settings, metrics of their own.

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name not in _OWN_TO_EACH}
        weights = {name: seat.weight for name, seat in self._route.seats.items()}
        return {**state, "providers": list(self.providers), "_prices": dict(self._prices), "_weights": weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        weights = state.pop("_weights")
        vars(self).update(state)
        self._route = Route(self, _Core(self._settings))
        self.metrics, self._server = {}, None
        for model, price in self._prices.items():
            self._route.core.set_price(model, *price)
        for provider in self.providers:
            self._join(provider, weights[provider.config.name])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(strategy={self.strategy!r}, providers={list(self._route.seats)!r})"

    # Members.

    def add_provider(self, provider: BaseProvider, *, weight: int = 1) -> None:
        """Adds a provider, which may be a router; its name must be new here. Possible while requests run.

        ``weight`` (1 to 1000) is how many requests it gets compared with the others. At most 16
        routers lie in each other, and none in itself.
        """
        name = provider.config.name
        if name in self._route.seats:
            raise ValueError(f"Provider with name '{name}' already exists")
        self._join(provider, weight)
        self.providers.append(provider)
        self.logger.info("Added provider: %s", name)

    def remove_provider(self, name: str) -> None:
        """Removes the provider of this name; requests that it is answering go on."""
        if name not in self._route.seats:
            raise ValueError(f"There is no provider with name '{name}'")
        self._leave(name)
        self.providers[:] = [provider for provider in self.providers if provider.config.name != name]

    async def update_providers(
        self, new_providers: Sequence[BaseProvider], preserve_metrics: bool = False
    ) -> None:
        """Replaces all providers; running requests go on with those that they have.

        With ``preserve_metrics`` a provider whose name was there keeps what is known of it, and its
        weight; the others have weight 1.
        """
        if not new_providers:
            raise ValueError("new_providers cannot be empty")
        names = [provider.config.name for provider in new_providers]
        duplicates = {name for name in names if names.count(name) > 1}
        if duplicates:
            raise ValueError(f"Duplicate provider names in new_providers: {duplicates}")
        seats = self._route.seats
        replacing = {provider.config.name: provider for provider in new_providers}
        for name, seat in list(seats.items()):
            new = replacing.get(name)
            # How routers lie in each other is known by their places.
            is_router = isinstance(new, Router) or isinstance(seat.provider, Router)
            if not preserve_metrics or new is None or (is_router and new is not seat.provider):
                self._leave(name)
        for provider in new_providers:
            kept = seats.get(provider.config.name)
            if kept is None:
                self._join(provider, 1)
            else:
                kept.provider = provider
        self.providers[:] = new_providers
        self.logger.info(
            "providers_updated",
            extra={
                "provider_count": len(names),
                "provider_names": names,
                "metrics_preserved": preserve_metrics,
            },
        )

    def _join(self, provider: BaseProvider, weight: int) -> None:
        name = provider.config.name
        inner = provider._route.core if isinstance(provider, Router) else None
        seat = Seat(provider, Member(name) if inner is None else inner.as_member(name), weight)
        seat.number = self._route.core.add(seat.member, weight)
        self._route.seats[name] = seat
        metrics = ProviderMetrics()
        metrics._counted = lambda: self._route.core.member(seat.number)
        self.metrics[name] = metrics

    def _leave(self, name: str) -> None:
        seat = self._route.seats.pop(name)
        self._route.core.remove(seat.number)
        del self.metrics[name]

    def get_metrics(self) -> dict[str, ProviderMetrics]:
        """What is known of each provider, by its name."""
        return dict(self.metrics)

    def metrics_json(self) -> str:
        """All that is known of the members, as JSON; times are in milliseconds."""
        return self._route.core.metrics_json()

    def prometheus(self) -> str:
        """The same in Prometheus' text format."""
        return self._route.core.prometheus()

    def set_price(self, model: str, prompt_per_1000: float, completion_per_1000: float) -> None:
        """What 1000 tokens of a model cost; without it ``UsageData.cost`` is 0."""
        self._route.core.set_price(model, prompt_per_1000, completion_per_1000)
        self._prices[model] = (prompt_per_1000, completion_per_1000)

    # Answers to a prompt.

    async def generate(
        self,
        prompt: str,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        **options: t.Unpack[_options.CallOptions],
    ) -> str:
        """Answers a prompt by whichever provider the strategy chooses."""
        question = self._question("generate", prompt, params, options)
        answer: str = await self._awaited(
            question,
            lambda core, port, future: core.generate(port, future, prompt, question.params, question.options),
        )
        return answer

    def generate_sync(
        self,
        prompt: str,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        **options: t.Unpack[_options.CallOptions],
    ) -> str:
        """The same, blocking."""
        question = self._question("generate", prompt, params, options)
        answer: str = self._joined(
            question,
            lambda core: core.generate_blocking(prompt, question.params, question.options),
            lambda: self.generate(prompt, params, **options),
        )
        return answer

    def generate_stream(
        self,
        prompt: str,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        **options: t.Unpack[_options.CallOptions],
    ) -> _routed.RoutedStream:
        """Answers a prompt in pieces of text, for ``async for``."""
        from .._routed import stream_of

        stream: _routed.RoutedStream = stream_of(
            self._route, self._question("generate", prompt, params, options), prompt
        )
        return stream

    def generate_stream_sync(
        self,
        prompt: str,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        **options: t.Unpack[_options.CallOptions],
    ) -> _routed.BlockingRoutedStream:
        """The same, for ``for``."""
        from .._routed import blocking_stream_of

        stream: _routed.BlockingRoutedStream = blocking_stream_of(
            self._route, self._question("generate", prompt, params, options), prompt
        )
        return stream

    route = generate
    route_sync = generate_sync
    route_stream = generate_stream
    route_stream_sync = generate_stream_sync

    # Answers to a request.

    async def chat(
        self,
        request: ChatRequest,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        **options: t.Unpack[_options.CallOptions],
    ) -> Response:
        """Answers a request: a list of messages, or a dict in the wire format."""
        question = self._question("chat", request, params, options)
        asked = _wire(request)
        answer: Response = await self._awaited(
            question,
            lambda core, port, future: core.chat(
                port, future, asked, True, question.params, question.options
            ),
        )
        return answer

    def chat_sync(
        self,
        request: ChatRequest,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        **options: t.Unpack[_options.CallOptions],
    ) -> Response:
        """The same, blocking."""
        question = self._question("chat", request, params, options)
        asked = _wire(request)
        answer: Response = self._joined(
            question,
            lambda core: core.chat_blocking(asked, True, question.params, question.options),
            lambda: self.chat(request, params, **options),
        )
        return answer

    def chat_stream(
        self,
        request: ChatRequest,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        **options: t.Unpack[_options.CallOptions],
    ) -> _routed.RoutedChunkStream:
        """Answers a request in chunks; the last one has the finish reason and the usage."""
        from .._routed import stream_of

        stream: _routed.RoutedChunkStream = stream_of(
            self._route, self._question("chat", request, params, options), _wire(request)
        )
        return stream

    def chat_stream_sync(
        self,
        request: ChatRequest,
        params: GenerationParams | Mapping[str, t.Any] | None = None,
        **options: t.Unpack[_options.CallOptions],
    ) -> _routed.BlockingRoutedChunkStream:
        """The same, for ``for``."""
        from .._routed import blocking_stream_of

        stream: _routed.BlockingRoutedChunkStream = blocking_stream_of(
            self._route, self._question("chat", request, params, options), _wire(request)
        )
        return stream

    # What is not an answer.

    async def health_check(self) -> bool:
        """Whether any member can serve now; all are asked at the same time."""
        try:
            healthy: bool = await self._awaited(Question("health_check", None), lambda core, *to: core.health(*to))
            return healthy
        except ProviderError as error:
            return self._unhealthy(error)

    def health_check_sync(self) -> bool:
        """The same, blocking."""
        try:
            healthy: bool = self._joined(
                Question("health_check", None), lambda core: core.health_blocking(), self.health_check
            )
            return healthy
        except ProviderError as error:
            return self._unhealthy(error)

    async def list_models(self) -> list[Model]:
        """The models of the first member that says them."""
        models: list[Model] = await self._awaited(Question("list_models", None), lambda core, *to: core.models(*to))
        return models

    def list_models_sync(self) -> list[Model]:
        """The same, blocking."""
        models: list[Model] = self._joined(
            Question("list_models", None), lambda core: core.models_blocking(), self.list_models
        )
        return models

    # How it works.

    def _question(
        self, way: str, asked: object, params: GenerationParams | Mapping[str, t.Any] | None, options: Any
    ) -> Question:
        self._check_members()
        return Question(way, asked, *asked_with(params, **options))

    async def _awaited(self, question: Question, start: Callable[..., int]) -> Any:
        from .._members import Call

        self._check_members()
        return await Call(self._route, question).answer(start)

    def _joined(
        self, question: Question, ask: Callable[[Provider], Any], awaited: Callable[[], t.Any]
    ) -> Any:
        self._check_members()
        if not self._route.has_own(question):
            return self._route.ask_blocking(question, ask)
        from .._own_loop import run

        return run(awaited())

    def _unhealthy(self, error: ProviderError) -> bool:
        from .._logs import escaped

        self.logger.warning("Health check failed: %s", escaped(error), extra={"error": error})
        return False

    def _check_members(self) -> None:
        if not self._route.seats:
            raise ProviderError("No providers registered")

    # Prometheus.

    async def start_metrics_server(self, port: int = 9090, host: str = "127.0.0.1") -> None:
        """Serves the metrics at ``http://host:port/metrics``, on this loop, until it is stopped."""
        from .._exporter import MetricsServer

        if self._server is not None:
            raise RuntimeError("Metrics server is already running. Call stop_metrics_server() first.")
        server = MetricsServer(self._route.core)
        await server.start(host, port)
        self._server = server
        self.logger.info("Metrics server started at http://%s:%d/metrics", host, port)

    async def stop_metrics_server(self) -> None:
        """Stops it; does nothing when it does not run."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop()
        self.logger.info("Metrics server stopped")


Router._native = {way: getattr(Router, way) for way in WAYS}

_OWN_TO_EACH = frozenset(("_route", "metrics", "_server"))

LLMRouter = Router


def _wire(request: ChatRequest) -> str:
    """A request as JSON in the wire format."""
    from .._wire import to_json

    return to_json(request)
