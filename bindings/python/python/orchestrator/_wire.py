"""A chat request as programs write it -> JSON in the wire format.

The core reads the JSON and decides what is right; here is what Python has other words for: pairs,
parts of a content, answers in a history, other libraries' models, and OpenAI's ``tools``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ._errors import InvalidRequestError
from ._gigachat import Response
from ._params import checked_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ROLES = {"human": "user", "ai": "assistant"}
"""LangChain's words for roles."""


def to_json(request: Any) -> str:
    """A list of messages, a dict in the wire format, or a prompt."""
    if isinstance(request, str):
        request = [{"role": "user", "content": checked_text("prompt", request)}]
    if isinstance(request, (list, tuple)):
        request = {"messages": request}
    elif not isinstance(request, Mapping):
        request = _dumped(request)
        if request is None:
            raise InvalidRequestError(
                "request: not accepted; it must be a text, a list of messages, or a dict in the wire format"
            )
    try:
        text = json.dumps(_in_wire_format(request), ensure_ascii=False, allow_nan=False, default=_model)
    except RecursionError:
        raise InvalidRequestError("request: it is nested too deep") from None
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"request: not usable as JSON: {error}") from None
    return checked_text("request", text)


def prompt_of(request: Any) -> str | None:
    """The prompt, if the request is one message of the user with a text and nothing else."""
    if isinstance(request, str):
        return request
    wire = json.loads(to_json(request))
    messages = wire.pop("messages", None)
    message = messages[0] if isinstance(messages, list) and len(messages) == 1 else {}
    is_prompt = message.keys() == {"role", "content"} and message["role"] == "user" and not wire
    content = message["content"] if is_prompt else None
    return content if isinstance(content, str) else None


def _in_wire_format(request: Any) -> dict[str, Any]:
    found = dict(request)
    messages = found.get("messages")
    if isinstance(messages, (list, tuple)):
        found["messages"] = [_message(f"messages[{at}]", message) for at, message in enumerate(messages)]
    if _is_of_openai(found.get("tools")) and "functions" not in found:
        found["functions"] = [_function(f"tools[{at}]", tool) for at, tool in enumerate(found.pop("tools"))]
        choice = found.pop("tool_choice", None)
        if choice is not None:
            found["function_call"] = choice["function"] if isinstance(choice, Mapping) else choice
    return found


def _is_of_openai(tools: Any) -> bool:
    """Whether tools are in OpenAI's form; those of chat v2 have no ``type``."""
    if not isinstance(tools, (list, tuple)):
        return tools is not None
    return any(isinstance(tool, Mapping) and "type" in tool for tool in tools)


def _is_of_v2(parts: Any) -> bool:
    """Whether parts of a content are those of chat v2: OpenAI's say their ``type``."""
    return any(isinstance(part, Mapping) and "type" not in part for part in parts)


def _message(place: str, message: Any) -> Any:
    if isinstance(message, Response):
        return _answer(message)
    if isinstance(message, (list, tuple)):
        if len(message) != 2 or not isinstance(message[0], str):
            raise InvalidRequestError(f"{place}: a pair must be a role and a text")
        message = {"role": _ROLES.get(message[0], message[0]), "content": message[1]}
    elif not isinstance(message, Mapping):
        dumped = _dumped(message)
        if dumped is None:
            raise InvalidRequestError(
                f"{place}: a {type(message).__name__} is not accepted; it must be a dict with role and content, a"
                " pair of both, or an answer"
            )
        message = dumped
    content = message.get("content")
    if type(content) is str:
        checked_text(f"{place}.content", content)
    elif isinstance(content, (list, tuple)) and not _is_of_v2(content):
        message = {**message, "content": _text_of_parts(f"{place}.content", content)}
    elif content is not None and not isinstance(content, (list, tuple)):
        raise InvalidRequestError(
            f"{place}.content: a {type(content).__name__} is not accepted; it must be a text, or a list of text parts"
        )
    return message


def _text_of_parts(place: str, parts: Any) -> str:
    """Parts of a content in OpenAI's form; the service has texts only, and ids of files."""
    texts = []
    for at, part in enumerate(parts):
        if isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str):
            texts.append(checked_text(f"{place}[{at}]", part["text"]))
            continue
        if isinstance(part, str):
            texts.append(checked_text(f"{place}[{at}]", part))
            continue
        kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
        raise InvalidRequestError(
            f"{place}[{at}]: a part of the kind {kind!r} is not accepted; it must be a text part. Images and other"
            " files are uploaded, and their ids stand in the message's attachments"
        )
    return "".join(texts)


def _answer(response: Response) -> dict[str, Any]:
    """An answer as the message of a history that it is."""
    message: dict[str, Any] = {"role": "assistant", "content": response.text}
    call = response.function_call
    if call is not None and response.api_version == 2:
        parts: list[dict[str, Any]] = [{"text": response.text}] if response.text else []
        for one in response.function_calls:
            named = {"name": one.name, "arguments": one.arguments}
            parts.append({"function_call": named if one.id is None else {"id": one.id, **named}})
        message["content"] = parts
        if call.state_id is not None:
            message["tools_state_id"] = call.state_id
    elif call is not None:
        message["function_call"] = {"name": call.name, "arguments": call.arguments}
        if call.state_id is not None:
            message["functions_state_id"] = call.state_id
    return message


def _function(place: str, tool: Any) -> Any:
    """A tool in OpenAI's form; this service knows functions."""
    if isinstance(tool, Mapping) and tool.get("type") == "function" and isinstance(tool.get("function"), Mapping):
        return tool["function"]
    raise InvalidRequestError(
        f"{place}: not accepted; it must be a tool of the type 'function'. The service's own name is functions"
    )


def _dumped(value: Any) -> dict[str, Any] | None:
    """A model, such as the official SDK's, as its fields."""
    dump = getattr(value, "model_dump", None)
    found = dump(exclude_none=True, by_alias=True) if dump is not None else None
    return found if isinstance(found, dict) else None


def _model(value: Any) -> Any:
    """What is no plain value: models inside."""
    dumped = _dumped(value)
    if dumped is None:
        raise TypeError(f"a {type(value).__name__} is neither a plain value nor a model")
    return dumped
