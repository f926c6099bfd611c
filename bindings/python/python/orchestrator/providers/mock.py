"""``MockProvider``: answers and errors on demand, without a service."""

from __future__ import annotations

from .._typing import t
from .base import (
    AuthenticationError,
    BaseProvider,
    GenerationParams,
    InvalidRequestError,
    ProviderConfig,
    ProviderError,
    RateLimitError,
    TimeoutError,
)

__all__ = ["MockProvider"]

_ERRORS: dict[str, tuple[type[ProviderError], str]] = {
    "mock-timeout": (TimeoutError, "Mock timeout simulation"),
    "mock-ratelimit": (RateLimitError, "Mock rate limit simulation"),
    "mock-auth-error": (AuthenticationError, "Mock authentication failure"),
    "mock-invalid-request": (InvalidRequestError, "Mock invalid request"),
}


class MockProvider(BaseProvider):
    """Answers ``Mock response to: <prompt>``; ``config.model`` chooses another behaviour.

    ``mock-normal`` (the default), ``mock-timeout``, ``mock-ratelimit``, ``mock-auth-error``,
    ``mock-invalid-request``; with ``unhealthy`` in the name ``health_check`` says no.
    ``max_tokens`` counts characters.
    """

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(config)
        self.logger.info("MockProvider initialized in mode: %s", config.model or "mock-normal")

    async def generate(self, prompt: str, params: GenerationParams | None = None) -> str:
        """Answers with the prompt after a tenth of a second, or fails as ``config.model`` says."""
        import asyncio

        self._fail_if_asked_to()
        await asyncio.sleep(0.1)
        text = f"Mock response to: {prompt}"
        return text[: params.max_tokens] if params and params.max_tokens else text

    async def health_check(self) -> bool:
        """Yes, unless ``config.model`` says ``unhealthy``."""
        return "unhealthy" not in (self.config.model or "").lower()

    async def generate_stream(
        self, prompt: str, params: GenerationParams | None = None
    ) -> t.AsyncIterator[str]:
        """The same answer word by word."""
        import asyncio

        self._fail_if_asked_to()
        text = await self.generate(prompt, params)
        words = text.split()
        for index, word in enumerate(words):
            last = index == len(words) - 1
            yield word if last and not text.endswith(" ") else word + " "
            await asyncio.sleep(0.05)

    def _fail_if_asked_to(self) -> None:
        error = _ERRORS.get((self.config.model or "").lower())
        if error is not None:
            kind, text = error
            raise kind(text)
