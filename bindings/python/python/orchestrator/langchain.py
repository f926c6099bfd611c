"""A router as a LangChain LLM. Needs langchain-core (``pip install libgigachat[langchain]``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

LANGCHAIN_AVAILABLE = True
"""Programs ask it; without langchain-core the class is there, and refuses to be used."""

if TYPE_CHECKING:
    from langchain_core.language_models.llms import BaseLLM
    from langchain_core.outputs import Generation, GenerationChunk, LLMResult
else:
    try:
        from langchain_core.language_models.llms import BaseLLM
        from langchain_core.outputs import Generation, GenerationChunk, LLMResult
    except ImportError:
        BaseLLM, LANGCHAIN_AVAILABLE = object, False

from collections.abc import AsyncIterator, Iterator

from .providers.base import GenerationParams
from .router import Router

__all__ = ["LANGCHAIN_AVAILABLE", "MultiLLMOrchestrator"]


class MultiLLMOrchestrator(BaseLLM):
    """``invoke``, ``ainvoke``, ``stream``, ``astream`` and ``batch``, from any thread and loop."""

    router: Any

    def __init__(self, router: Router, **kwargs: Any) -> None:
        if not LANGCHAIN_AVAILABLE:
            raise ImportError(
                "langchain-core is required for MultiLLMOrchestrator: pip install 'libgigachat[langchain]'"
            )
        if router is None:
            raise ValueError("Router cannot be None")
        if not router.providers:
            raise ValueError(
                "Router must have at least one provider registered. Use router.add_provider() to add providers."
            )
        super().__init__(**{**kwargs, "router": router})

    @property
    def _llm_type(self) -> str:
        return "multi-llm-orchestrator"

    def _map_params(self, stop: list[str] | None = None, **kwargs: Any) -> GenerationParams:
        """The parameters that were given, the rest as `GenerationParams` has it."""
        given = {name: kwargs[name] for name in _PARAMETERS if kwargs.get(name) is not None}
        if stop is not None:
            given["stop"] = stop
        return GenerationParams(**given)

    def _generate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        params = self._map_params(stop, **kwargs)
        texts = [self.router.route_sync(prompt, params) for prompt in prompts]
        return LLMResult(generations=[[Generation(text=text)] for text in texts])

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        import asyncio

        params = self._map_params(stop, **kwargs)
        texts = await asyncio.gather(*(self.router.route(prompt, params) for prompt in prompts))
        return LLMResult(generations=[[Generation(text=text)] for text in texts])

    def _call(self, prompt: str, stop: list[str] | None = None, **kwargs: Any) -> str:
        text: str = self.router.route_sync(prompt, self._map_params(stop, **kwargs))
        return text

    async def _acall(self, prompt: str, stop: list[str] | None = None, **kwargs: Any) -> str:
        text: str = await self.router.route(prompt, self._map_params(stop, **kwargs))
        return text

    def _stream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[Any]:
        """LangChain's chunks for LangChain, which gives a ``run_manager``; plain texts for a program
        that calls this itself, as the documentation of multi-llm-orchestrator shows."""
        with self.router.route_stream_sync(prompt, self._map_params(stop, **kwargs)) as stream:
            for text in stream:
                if run_manager is None:
                    yield text
                    continue
                chunk = GenerationChunk(text=text)
                run_manager.on_llm_new_token(text, chunk=chunk)
                yield chunk

    async def _astream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Likewise."""
        async with self.router.route_stream(prompt, self._map_params(stop, **kwargs)) as stream:
            async for text in stream:
                if run_manager is None:
                    yield text
                    continue
                chunk = GenerationChunk(text=text)
                await run_manager.on_llm_new_token(text, chunk=chunk)
                yield chunk


_PARAMETERS = ("temperature", "max_tokens", "top_p", "stop")
