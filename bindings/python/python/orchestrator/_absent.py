"""What multi-llm-orchestrator has and this package does not, with what to use instead."""

from __future__ import annotations

_OTHER_SERVICE = "this package serves GigaChat; subclass orchestrator.providers.base.BaseProvider for {}"

_INSTEAD = {
    "orchestrator.providers.YandexGPTProvider": _OTHER_SERVICE.format("YandexGPT"),
    "orchestrator.providers.OllamaProvider": _OTHER_SERVICE.format("Ollama"),
    "orchestrator.providers.yandexgpt": _OTHER_SERVICE.format("YandexGPT"),
    "orchestrator.providers.ollama": _OTHER_SERVICE.format("Ollama"),
    "orchestrator.validators": "await GigaChatProvider(config).get_access_token(), whose exception says what is wrong"
    " with a key",
    "orchestrator.retrieval": "use a vector store's own package, such as langchain-community with faiss",
    "orchestrator.pricing": "prices change; tell Router.set_price() those of your contract, and UsageData.cost has the costs",
    "orchestrator.tokenization": "the service counts tokens: see Response.usage and TextStream.usage",
    "orchestrator.prometheus_exporter": "use Router.start_metrics_server()",
}


def explain(name: str) -> ImportError | None:
    """The error for a name that was not taken over; ``None`` for one that never was."""
    instead = _INSTEAD.get(name)
    if instead is None:
        return None
    return ImportError(f"{name} is not part of libgigachat: {instead}", name=name)


def refuse(name: str) -> ImportError:
    """The error of a module that was not taken over."""
    return explain(name) or ImportError(f"{name} is not part of libgigachat", name=name)
