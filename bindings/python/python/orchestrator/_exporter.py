"""The metrics server of a router: Prometheus' text format over a few lines of HTTP."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._gigachat import Router

_PATIENCE = 10.0
"""How many seconds a client may take for its request."""


class MetricsServer:
    """Answers ``GET /metrics``; one request per connection."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Listens; raises ``OSError`` when the port is taken."""
        self._server = await asyncio.start_server(self._answer, host, port, limit=16 * 1024)

    async def stop(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE)
            found = head.split(b" ", 2)[:2] in ([b"GET", b"/metrics"], [b"GET", b"/"])
            body = self._router.prometheus().encode() if found else b"see /metrics\n"
            status = b"200 OK" if found else b"404 Not Found"
            writer.write(
                b"HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body)
            )
            await asyncio.wait_for(writer.drain(), _PATIENCE)
        except (asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            writer.close()
