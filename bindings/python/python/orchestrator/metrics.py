"""``ProviderMetrics``: what a router knows of one of its providers."""

from __future__ import annotations

from ._gigachat import Numbers
from ._typing import Callable, datetime, t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque

    HealthStatus = t.Literal["healthy", "degraded", "unhealthy"]
else:
    HealthStatus = 't.Literal["healthy", "degraded", "unhealthy"]'

__all__ = ["HealthStatus", "ProviderMetrics"]

LATENCY_WINDOW_SIZE = 100
ERROR_WINDOW_SECONDS = 60
MIN_REQUESTS_FOR_HEALTH = 5
MIN_REQUESTS_FOR_LATENCY_CHECK = 20
ERROR_RATE_THRESHOLD_DEGRADED = 0.3
ERROR_RATE_THRESHOLD_UNHEALTHY = 0.6
LATENCY_THRESHOLD_FACTOR_DEGRADED = 2.0


class _Notes:
    """What a program has noted itself, in a ``ProviderMetrics`` that no router has made."""

    def __init__(self) -> None:
        from collections import deque

        self.successes = self.failures = self.cancelled = self.in_flight = 0
        self.total_latency_ms = self.cost = 0.0
        self.prompt_tokens = self.completion_tokens = 0
        self.latencies: deque[float] = deque(maxlen=LATENCY_WINDOW_SIZE)
        self._recent: deque[tuple[float, bool]] = deque()

    def success(self, latency_ms: float, prompt_tokens: int, completion_tokens: int, cost: float) -> None:
        self.successes += 1
        self.total_latency_ms += latency_ms
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self.cost += cost
        self.latencies.append(latency_ms)
        self._note(_now(), False)

    def error(self, at: float) -> None:
        self.failures += 1
        self._note(at, True)

    def _note(self, at: float, failed: bool) -> None:
        self._recent.append((at, failed))
        self._forget_old()

    def _forget_old(self) -> None:
        oldest = _now() - ERROR_WINDOW_SECONDS
        while self._recent and self._recent[0][0] < oldest:
            self._recent.popleft()

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def rolling_avg_latency_ms(self) -> float | None:
        return sum(self.latencies) / len(self.latencies) if self.latencies else None

    @property
    def recent_error_rate(self) -> float:
        self._forget_old()
        return sum(failed for _, failed in self._recent) / max(1, len(self._recent))

    @property
    def health(self) -> str:
        rate = self.recent_error_rate
        if len(self._recent) < MIN_REQUESTS_FOR_HEALTH:
            return "healthy"
        if rate >= ERROR_RATE_THRESHOLD_UNHEALTHY:
            return "unhealthy"
        if rate >= ERROR_RATE_THRESHOLD_DEGRADED:
            return "degraded"
        rolling, average = self.rolling_avg_latency_ms, self.total_latency_ms / max(1, self.successes)
        slow = rolling is not None and rolling > LATENCY_THRESHOLD_FACTOR_DEGRADED * average > 0
        enough = self.successes + self.failures >= MIN_REQUESTS_FOR_LATENCY_CHECK
        return "degraded" if slow and enough else "healthy"


class ProviderMetrics:
    """Counts, latencies and tokens since the provider was added, health of the last minute.

    The errors of the last minute are divided by the requests of the same minute, so that a
    provider recovers after a quiet time. A router's own metrics are what the core has counted, which
    decides by it; one that a program makes counts what it is told.
    """

    def __init__(self) -> None:
        self._notes = _Notes()
        self._counted: Callable[[], Numbers | None] | None = None

    def record_success(
        self, latency_ms: float, prompt_tokens: int = 0, completion_tokens: int = 0, cost: float = 0.0
    ) -> None:
        """Notes a successful request. A router's own metrics take no notes: the core counts."""
        self._notes.success(latency_ms, prompt_tokens, completion_tokens, cost)

    def record_error(self, latency_ms: float, error_timestamp: datetime.datetime | None = None) -> None:
        """Notes a failed request; its latency does not count. A router's own metrics take no notes."""
        self._notes.error(_now() if error_timestamp is None else error_timestamp.timestamp())

    @property
    def _latency_window(self) -> deque[float]:
        return self._notes.latencies  # programs written for multi-llm-orchestrator look at it

    @property
    def _numbers(self) -> Numbers | _Notes:
        """Where the numbers come from."""
        return (self._counted() if self._counted is not None else None) or self._notes

    @property
    def total_requests(self) -> int:
        """Requests that were answered or have failed; cancelled ones and those under way are not among them."""
        numbers = self._numbers
        return numbers.successes + numbers.failures

    @property
    def successful_requests(self) -> int:
        """Requests that were answered."""
        return self._numbers.successes

    @property
    def failed_requests(self) -> int:
        """Requests that have failed."""
        return self._numbers.failures

    @property
    def cancelled_requests(self) -> int:
        """Requests whose caller went away."""
        return self._numbers.cancelled

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return self._numbers.in_flight

    @property
    def total_latency_ms(self) -> float:
        """The sum over all successes."""
        return self._numbers.total_latency_ms

    @property
    def total_prompt_tokens(self) -> int:
        """Tokens of the messages, as the service counted them."""
        return self._numbers.prompt_tokens

    @property
    def total_completion_tokens(self) -> int:
        """Tokens of the answers."""
        return self._numbers.completion_tokens

    @property
    def total_cost(self) -> float:
        """The cost of the models that have a price."""
        return self._numbers.cost

    @property
    def success_rate(self) -> float:
        """Successes per request; 0.0 before the first."""
        return self.successful_requests / max(1, self.total_requests)

    @property
    def avg_latency_ms(self) -> float:
        """The mean over all successes; 0.0 before the first."""
        numbers = self._numbers
        return numbers.total_latency_ms / max(1, numbers.successes)

    @property
    def rolling_avg_latency_ms(self) -> float | None:
        """The mean over the last successes; ``None`` before the first."""
        return self._numbers.rolling_avg_latency_ms

    @property
    def total_tokens(self) -> int:
        """Prompt and completion tokens."""
        return self._numbers.total_tokens

    @property
    def recent_error_rate(self) -> float:
        """Errors per request of the last minute."""
        return self._numbers.recent_error_rate

    @property
    def health_status(self) -> HealthStatus:
        """``healthy``, ``degraded`` or ``unhealthy``."""
        return self._numbers.health  # type: ignore[return-value]

    def __repr__(self) -> str:
        return (
            f"ProviderMetrics(total_requests={self.total_requests},"
            f" successful_requests={self.successful_requests}, failed_requests={self.failed_requests},"
            f" avg_latency_ms={self.avg_latency_ms:.1f}, health_status={self.health_status!r})"
        )


def _now() -> float:
    import time

    return time.time()
