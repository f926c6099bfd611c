"""What ``ProviderConfig`` takes, as a type: type checkers and editors know each keyword by it.

Loaded by who resolves the annotations, never by an import of the package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Literal, TypedDict, Union
from uuid import UUID

__all__ = ["CallOptions", "Id", "ProviderOptions", "Scope"]

# from api/gigachat.json: scopes
Scope = Literal["GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP"]
# end of scopes
Id = Union[str, int, UUID]
"""What a session or a request is called."""

_Path = Union[str, "PathLike[str]"]


class ProviderOptions(TypedDict, total=False):
    """The keywords of ``ProviderConfig`` and ``GigaChatProvider``."""

    # from api/gigachat.json: keywords
    name: str
    api_key: str | None
    scope: Scope | None
    access_token: str | None
    user: str | None
    password: str | None
    model: str | None
    api_version: int | None
    use_api_v2: bool
    result_role: str | None
    session_id: str | None
    profanity_check: bool | None
    flags: str | None
    base_url: str | None
    auth_url: str | None
    timeout: float
    connect_timeout: float | None
    queue_timeout: float | None
    idle_timeout: float | None
    stream_timeout: float | None
    health_timeout: float | None
    max_retries: int
    retry_broken_connections: bool
    wait_on_rate_limit: bool
    max_concurrency: int | None
    max_connections_per_host: int | None
    shared_permits: _Path | None
    verify_ssl: bool
    ca_bundle_file: _Path | None
    ca_bundle_pem: str | None
    cert_file: _Path | None
    cert_pem: str | None
    key_file: _Path | None
    key_pem: str | None
    key_file_password: str | None
    russian_root_hosts: Iterable[str] | None
    proxy: str | None
    proxy_from_environment: bool
    user_agent: str | None
    extra_headers: Mapping[str, str] | None
    allow_insecure_http: bool
    max_body_bytes: int | None
    max_event_bytes: int | None
    read_ahead_bytes: int | None
    log_content: bool
    folder_id: str | None
    pickle_credentials: bool
    # The official SDK's words.
    credentials: str | None
    max_connections: int | None
    verify_ssl_certs: bool
    # end of keywords


class CallOptions(TypedDict, total=False):
    """The keywords of one call."""

    temperature: float | None
    max_tokens: int | None
    top_p: float | None
    stop: Sequence[str] | None
    model: str | None
    timeout: float | None
    deadline: float | None
    extra_headers: Mapping[str, str] | None
    session_id: Id | None
    request_id: Id | None
