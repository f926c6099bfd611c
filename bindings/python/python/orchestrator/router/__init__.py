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

from .._driver import Attempt, native, next_attempt, next_attempt_blocking
from .._errors import ProviderError
from .._gigachat import Planner
from .._params import given
from .._typing import Awaitable, Callable, Mapping, Sequence, logging, t
from .._usage import UsageData
from ..metrics import ProviderMetrics
from ..providers.base import BaseProvider, GenerationParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import orchestrator._routed as _routed

    from .._exporter import MetricsServer
else:
    from .._typing import routed as _routed

UsageCallback = Callable[[UsageData], Awaitable[None]]

__all__ = ["LLMRouter", "Router", "UsageCallback", "UsageData"]


VALID_STRATEGIES = ["round-robin", "random", "first-available", "best-available"]


class Router:
    """Routes requests to providers: native ones and a program's own, mixed.

    ``strategy`` is ``round-robin``, ``random``, ``first-available`` or ``best-available``.
    Another provider is asked when one fails, never for errors that are the caller's (400, 413,
    422) and never after the first chunk of a stream. ``usage_callback`` is awaited with a
    ``UsageData`` after each attempt; what it raises is logged. ``deadline`` (seconds) bounds a
    request with all its attempts and waits, a stream until its first content; a request may
    bring its own.
    """

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
    ) -> None:
        if strategy not in VALID_STRATEGIES:
            raise ValueError(f"Invalid strategy: {strategy}. Must be one of {VALID_STRATEGIES}")
        if callback_url is not None:
            raise ValueError(
                "callback_url: this router opens no connections of its own; give a usage_callback that posts"
            )
        self._planner = Planner(strategy, deadline)
        self._strategy = strategy
        self._deadline = deadline
        self._prices: dict[str, tuple[float, float]] = {}
        self._members: dict[int, BaseProvider] = {}
        self._numbers: dict[str, int] = {}
        self.providers: list[BaseProvider] = []
        self.metrics: dict[str, ProviderMetrics] = {}
        self.usage_callback = usage_callback
        self.tenant_id = tenant_id
        self.platform_key_id = platform_key_id
        self._server: MetricsServer | None = None
        self.logger.info("Router initialized with strategy: %s", strategy)

    @property
    def logger(self) -> logging.Logger:
        """``orchestrator.router``."""
        from .._logs import logger_of

        return logger_of("router")

    @property
    def strategy(self) -> str:
        """The strategy that this router was made with."""
        return self._strategy

    # Copies, also in other processes: the same members, prices and settings, metrics of their own.

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name not in _OWN_TO_EACH}
        return {**state, "providers": list(self.providers), "_prices": dict(self._prices)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._planner = Planner(self._strategy, self._deadline)
        self._members, self._numbers, self.metrics, self._server = {}, {}, {}, None
        for model, price in self._prices.items():
            self._planner.set_price(model, *price)
        for provider in self.providers:
            self._join(provider)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(strategy={self._strategy!r}, providers={list(self._numbers)!r})"

    # Members.

    def add_provider(self, provider: BaseProvider) -> None:
        """Adds a provider; its name must be new here. Possible while requests run."""
        name = provider.config.name
        if name in self._numbers:
            raise ValueError(f"Provider with name '{name}' already exists")
        self._join(provider)
        self.providers.append(provider)
        self.logger.info("Added provider: %s", name)

    async def update_providers(
        self, new_providers: Sequence[BaseProvider], preserve_metrics: bool = False
    ) -> None:
        """Replaces all providers; running requests go on with those that they have.

        With ``preserve_metrics`` a provider whose name was there keeps what is known of it.
        """
        if not new_providers:
            raise ValueError("new_providers cannot be empty")
        names = [provider.config.name for provider in new_providers]
        duplicates = {name for name in names if names.count(name) > 1}
        if duplicates:
            raise ValueError(f"Duplicate provider names in new_providers: {duplicates}")
        for name, number in list(self._numbers.items()):
            if not preserve_metrics or name not in names:
                self._planner.remove(number)
                del self._numbers[name], self.metrics[name], self._members[number]
        for provider in new_providers:
            kept = self._numbers.get(provider.config.name)
            if kept is None:
                self._join(provider)
            else:
                self._members[kept] = provider
        self.providers[:] = new_providers
        self.logger.info(
            "providers_updated",
            extra={
                "provider_count": len(names),
                "provider_names": names,
                "metrics_preserved": preserve_metrics,
            },
        )

    def _join(self, provider: BaseProvider) -> None:
        name = provider.config.name
        number = self._planner.add(name)
        metrics = ProviderMetrics()
        metrics._core = (self._planner, number)
        self._members[number] = provider
        self._numbers[name] = number
        self.metrics[name] = metrics

    def get_metrics(self) -> dict[str, ProviderMetrics]:
        """What is known of each provider, by its name."""
        return dict(self.metrics)

    def set_price(self, model: str, prompt_per_1000: float, completion_per_1000: float) -> None:
        """What 1000 tokens of a model cost; without it ``UsageData.cost`` is 0."""
        self._planner.set_price(model, prompt_per_1000, completion_per_1000)
        self._prices[model] = (prompt_per_1000, completion_per_1000)

    # Requests.

    async def route(
        self, prompt: str, params: GenerationParams | Mapping[str, t.Any] | None = None, *, deadline: float | None = None
    ) -> str:
        """Answers a prompt by whichever provider the strategy chooses."""
        self._check_members()
        params = given(params)
        plan, last = self._planner.plan(deadline), None
        while True:
            attempt = await next_attempt(self, plan, last, False)
            try:
                text, usage = await self._ask(attempt, prompt, params)
            except Exception as error:
                last = error
                await self._tell(attempt.failed(error))
                continue
            await self._tell(usage)
            return text

    def route_sync(
        self, prompt: str, params: GenerationParams | Mapping[str, t.Any] | None = None, *, deadline: float | None = None
    ) -> str:
        """The same, blocking. Providers written in Python run on one private loop."""
        self._check_members()
        params = given(params)
        plan, last = self._planner.plan(deadline), None
        while True:
            attempt = next_attempt_blocking(self, plan, last, False)
            try:
                if native(attempt.member, False):
                    response = attempt.core().chat_blocking(prompt, False, params, None)
                    text = response.text
                    usage = attempt.answered(response.model, response.usage, response.attempts)
                else:
                    from .._own_loop import run

                    text, usage = run(self._ask(attempt, prompt, params))
            except Exception as error:
                last = error
                self._tell_blocking(attempt.failed(error))
                continue
            self._tell_blocking(usage)
            return text

    def route_stream(
        self, prompt: str, params: GenerationParams | Mapping[str, t.Any] | None = None, *, deadline: float | None = None
    ) -> _routed.RoutedStream:
        """Answers a prompt in pieces of text, for ``async for``."""
        from .._routed import RoutedStream

        return RoutedStream(self, prompt, given(params), deadline)

    def route_stream_sync(
        self, prompt: str, params: GenerationParams | Mapping[str, t.Any] | None = None, *, deadline: float | None = None
    ) -> _routed.BlockingRoutedStream:
        """The same, for ``for``."""
        from .._routed import BlockingRoutedStream

        return BlockingRoutedStream(self, prompt, given(params), deadline)

    async def _ask(
        self, attempt: Attempt, prompt: str, params: GenerationParams | None
    ) -> tuple[str, dict[str, Any]]:
        if not native(attempt.member, False):
            text = await attempt.limited(attempt.member.generate(prompt, params))
            return text, attempt.answered(None, None)
        from .._bridge import port as running

        core = attempt.core()
        loop, port = running()
        future = loop.create_future()
        number = core.chat(port, future, prompt, False, params, None)
        try:
            response = await future
        except BaseException:
            port.forget(number)
            raise
        return response.text, attempt.answered(response.model, response.usage, response.attempts)

    def _check_members(self) -> None:
        if not self._numbers:
            raise ProviderError("No providers registered")

    # What is told of requests.

    def _record(self, name: str, usage: dict[str, Any]) -> dict[str, Any]:
        """Counts and logs an attempt that has ended."""
        metrics = self.metrics.get(name)
        if metrics is not None:
            if usage["success"]:
                metrics.record_success(
                    usage["latency_ms"], usage["prompt_tokens"], usage["completion_tokens"], usage["cost"]
                )
            else:
                metrics.record_error(usage["latency_ms"])
        logger = self.logger
        level, event = (20, "llm_request_completed") if usage["success"] else (30, "llm_request_failed")
        if logger.isEnabledFor(level):
            extra = {"provider": name, **{key: usage[key] for key in _LOGGED}}
            if usage["success"]:
                extra.update({key: usage[key] for key in _COUNTED}, cost_rub=round(usage["cost"], 2))
            else:
                extra["error_type"] = usage["error_type"]
            logger.log(level, event, extra=extra)
        return usage

    async def _tell(self, usage: dict[str, Any]) -> None:
        """Awaits the usage callback; an error in it disturbs no request."""
        if self.usage_callback is None:
            return
        try:
            await self.usage_callback(UsageData(**usage))
        except Exception as error:
            from .._logs import escaped

            self.logger.warning("Usage callback failed: %s", escaped(error))

    def _tell_blocking(self, usage: dict[str, Any]) -> None:
        if self.usage_callback is not None:
            from .._own_loop import run

            run(self._tell(usage))

    # Prometheus.

    async def start_metrics_server(self, port: int = 9090, host: str = "127.0.0.1") -> None:
        """Serves the metrics at ``http://host:port/metrics``, on this loop, until it is stopped."""
        from .._exporter import MetricsServer

        if self._server is not None:
            raise RuntimeError("Metrics server is already running. Call stop_metrics_server() first.")
        server = MetricsServer(self._planner)
        await server.start(host, port)
        self._server = server
        self.logger.info("Metrics server started at http://%s:%d/metrics", host, port)

    async def stop_metrics_server(self) -> None:
        """Stops it; does nothing when it does not run."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop()
        self.logger.info("Metrics server stopped")


_OWN_TO_EACH = frozenset(("_planner", "_members", "_numbers", "metrics", "_server"))
_LOGGED = ("model", "latency_ms", "streaming", "success")
_COUNTED = ("prompt_tokens", "completion_tokens", "total_tokens")

LLMRouter = Router
