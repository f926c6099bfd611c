"""``UsageData``: what a router's usage callback is told after each attempt."""

from __future__ import annotations

from ._typing import datetime


class UsageData:
    """One attempt: who, how many tokens as the service counted them, how long, how it ended."""

    __slots__ = {
        "provider_name": "The name of the provider that was asked.",
        "model": "The model that answered, or that the provider is configured with.",
        "prompt_tokens": "Tokens of the prompt.",
        "completion_tokens": "Tokens of the answer.",
        "total_tokens": "Both, as the service counts them.",
        "cost": "By the price that ``Router.set_price`` was told; 0 without one.",
        "latency_ms": "How long the attempt took, in milliseconds.",
        "success": "Whether it was answered.",
        "streaming": "Whether it was a stream.",
        "error_type": "The name of the exception's class, when it failed.",
        "timestamp": "When it ended, in UTC.",
    }
    __match_args__ = (
        "provider_name",
        "model",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cost",
        "latency_ms",
        "success",
        "streaming",
        "error_type",
        "timestamp",
    )
    provider_name: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost: float
    latency_ms: float
    success: bool
    streaming: bool
    error_type: str | None
    timestamp: datetime.datetime

    def __init__(
        self,
        provider_name: str,
        model: str,
        prompt_tokens: int,
        completion_tokens: int,
        total_tokens: int,
        cost: float,
        latency_ms: float,
        success: bool,
        streaming: bool,
        error_type: str | None = None,
        timestamp: datetime.datetime | None = None,
    ) -> None:
        if timestamp is None:
            timestamp = datetime.datetime.now(datetime.timezone.utc)
        self.provider_name = provider_name
        self.model = model
        self.prompt_tokens = prompt_tokens
        self.completion_tokens = completion_tokens
        self.total_tokens = total_tokens
        self.cost = cost
        self.latency_ms = latency_ms
        self.success = success
        self.streaming = streaming
        self.error_type = error_type
        self.timestamp = timestamp

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UsageData):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"UsageData({shown})"
