"""``ProviderMetrics``: what a router knows of one of its providers."""

from __future__ import annotations

from ._gigachat import Planner
from ._typing import datetime, t

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


class ProviderMetrics:
    """Counts, latencies and tokens since the provider was added, health of the last minute.

    The errors of the last minute are divided by the requests of the same minute, so that a
    provider recovers after a quiet time. A router's own metrics ask the core, which decides.
    """

    def __init__(self) -> None:
        from collections import deque

        self.total_requests: int = 0
        self.successful_requests: int = 0
        self.failed_requests: int = 0
        self.total_latency_ms: float = 0.0
        self.total_prompt_tokens: int = 0
        self.total_completion_tokens: int = 0
        self.total_cost: float = 0.0
        self._latency_window: deque[float] = deque(maxlen=LATENCY_WINDOW_SIZE)
        self._recent: deque[tuple[float, bool]] = deque()
        self._core: tuple[Planner, int] | None = None

    def record_success(
        self, latency_ms: float, prompt_tokens: int = 0, completion_tokens: int = 0, cost: float = 0.0
    ) -> None:
        """Notes a successful request."""
        self.total_requests += 1
        self.successful_requests += 1
        self.total_latency_ms += latency_ms
        self.total_prompt_tokens += prompt_tokens
        self.total_completion_tokens += completion_tokens
        self.total_cost += cost
        self._latency_window.append(latency_ms)
        self._note(_now(), False)

    def record_error(self, latency_ms: float, error_timestamp: datetime.datetime | None = None) -> None:
        """Notes a failed request; its latency does not count."""
        self.total_requests += 1
        self.failed_requests += 1
        at = _now() if error_timestamp is None else error_timestamp.timestamp()
        self._note(at, True)

    def _note(self, at: float, failed: bool) -> None:
        if self._core is None:
            self._recent.append((at, failed))
            self._forget_old()

    def _forget_old(self) -> None:
        oldest = _now() - ERROR_WINDOW_SECONDS
        while self._recent and self._recent[0][0] < oldest:
            self._recent.popleft()

    @property
    def success_rate(self) -> float:
        """Successes per request; 0.0 before the first."""
        return self.successful_requests / max(1, self.total_requests)

    @property
    def avg_latency_ms(self) -> float:
        """The mean over all successes; 0.0 before the first."""
        return self.total_latency_ms / max(1, self.successful_requests)

    @property
    def rolling_avg_latency_ms(self) -> float | None:
        """The mean over the last 100 successes; ``None`` before the first."""
        window = self._latency_window
        return sum(window) / len(window) if window else None

    @property
    def total_tokens(self) -> int:
        """Prompt and completion tokens."""
        return self.total_prompt_tokens + self.total_completion_tokens

    @property
    def recent_error_rate(self) -> float:
        """Errors per request of the last minute."""
        if self._core is not None:
            known = self._core[0].member(self._core[1])
            return known[1] if known else 0.0
        self._forget_old()
        errors = sum(failed for _, failed in self._recent)
        return errors / max(1, len(self._recent))

    @property
    def health_status(self) -> HealthStatus:
        """``healthy``, ``degraded`` or ``unhealthy``."""
        if self._core is not None:
            known = self._core[0].member(self._core[1])
            return known[0] if known else "healthy"  # type: ignore[return-value]
        rate = self.recent_error_rate
        if len(self._recent) < MIN_REQUESTS_FOR_HEALTH:
            return "healthy"
        if rate >= ERROR_RATE_THRESHOLD_UNHEALTHY:
            return "unhealthy"
        if rate >= ERROR_RATE_THRESHOLD_DEGRADED:
            return "degraded"
        rolling, average = self.rolling_avg_latency_ms, self.avg_latency_ms
        slow = rolling is not None and rolling > LATENCY_THRESHOLD_FACTOR_DEGRADED * average > 0
        enough = self.total_requests >= MIN_REQUESTS_FOR_LATENCY_CHECK
        return "degraded" if slow and enough else "healthy"

    def __repr__(self) -> str:
        return (
            f"ProviderMetrics(total_requests={self.total_requests},"
            f" successful_requests={self.successful_requests}, failed_requests={self.failed_requests},"
            f" avg_latency_ms={self.avg_latency_ms:.1f}, health_status={self.health_status!r})"
        )


def _now() -> float:
    import time

    return time.time()
