"""The Python side of the fault matrix: reads one command a line from stdin, performs it through
the installed package, answers with one line of JSON. test_matrix.py sets the faults up and judges.

A command is a verb and ``name=value`` fields, separated by tabs; README.md lists them. Nothing is
decided here, so that the same table judges every language.
"""

import asyncio
import importlib
import json
import logging
import sys
import time

from orchestrator.providers.base import ProviderConfig, ProviderError
from orchestrator.providers.gigachat import GigaChatProvider

NAMES = {"authorization_key": "api_key", "token_url": "auth_url"}
TEXTS = ("base_url", "token_url", "authorization_key", "access_token", "ca_bundle_file")


class LastLogged(logging.Handler):
    """A health check says yes or no; why is in the log: the record has the exception itself."""

    error = None

    def emit(self, record):
        self.error = getattr(record, "error", self.error)


def option(field):
    name, _, value = field.partition("=")
    if name in TEXTS:
        return NAMES.get(name, name), value
    if name in ("retry_broken_connections", "wait_on_rate_limit"):
        return name, value == "1"
    if name.endswith("_ms"):
        return name.removesuffix("_ms"), int(value) / 1000
    return name, int(value)


def failed(error, delivered=None):
    if not isinstance(error, ProviderError):
        return {"result": "error", "class": "OSError", "message": str(error)}
    return {
        "result": "error",
        "class": type(error).__name__,
        "phase": error.phase,
        "message": str(error),
        "http": error.status_code or 0,
        "code": error.code or 0,
        "retry_after_ms": -1 if error.retry_after is None else round(error.retry_after * 1000),
        "retryable": int(error.retryable),
        "attempts": error.attempts,
        "request_id": int(bool(error.request_id)),
        "text": delivered,
        "partial": getattr(error, "partial_text", None),
    }


class Driver:
    def __init__(self, loop):
        self.loop = loop
        self.provider = None
        self.timeout = None
        self.logged = LastLogged()

    def open(self, *fields):
        options = dict(map(option, fields))
        # A configuration takes whole seconds and more, a call any time.
        self.timeout = options.pop("timeout", None)
        self.provider = GigaChatProvider(ProviderConfig(name="matrix", proxy_from_environment=False, **options))
        self.provider.logger.addHandler(self.logged)
        self.provider.logger.propagate = False
        return {"result": "ok"}

    def call(self, prompt):
        """Awaited, as most Python programs do; streams are read blocking."""
        request = [{"role": "user", "content": prompt}]
        try:
            answer = self.loop.run_until_complete(self.provider.chat(request, timeout=self.timeout))
        except (ProviderError, OSError) as error:
            return failed(error)
        return {
            "result": "ok",
            "text": answer.text,
            "attempts": answer.attempts,
            "request_id": int(bool(answer.request_id)),
        }

    def stream(self, prompt):
        delivered = ""
        try:
            with self.provider.generate_stream_sync(prompt, timeout=self.timeout) as stream:
                for text in stream:
                    delivered += text
                request_id = stream.request_id
        except (ProviderError, OSError) as error:
            return failed(error, delivered)
        return {"result": "ok", "text": delivered, "request_id": int(bool(request_id))}

    def cancel_call(self, after_ms, prompt):
        request = [{"role": "user", "content": prompt}]
        return self.cancelled(after_ms, self.provider.chat(request, timeout=self.timeout), [])

    def cancel_stream(self, after_ms, prompt):
        delivered = []

        async def read():
            async for text in self.provider.generate_stream(prompt, timeout=self.timeout):
                delivered.append(text)

        return self.cancelled(after_ms, read(), delivered)

    def cancelled(self, after_ms, work, delivered):
        async def cancel():
            task = asyncio.ensure_future(work)
            await asyncio.wait([task], timeout=int(after_ms) / 1000)
            begun = time.monotonic()
            task.cancel()
            await asyncio.wait([task])
            return task, round((time.monotonic() - begun) * 1000)

        task, took = self.loop.run_until_complete(cancel())
        if task.cancelled():
            outcome = {"result": "error", "kind": "cancelled", "text": "".join(delivered)}
        elif task.exception() is not None:
            outcome = failed(task.exception(), "".join(delivered))
        else:
            outcome = {"result": "ok"}
        return {**outcome, "cancelled_within_ms": took}

    def health(self):
        self.logged.error = None
        try:
            healthy = self.loop.run_until_complete(self.provider.health_check())
        except OSError as error:
            return failed(error)
        return {"result": "ok"} if healthy else failed(self.logged.error)

    def many(self, count, prompt):
        async def all_of_them():
            calls = (self.provider.generate(prompt, timeout=self.timeout) for _ in range(int(count)))
            return await asyncio.gather(*calls, return_exceptions=True)

        answers = self.loop.run_until_complete(all_of_them())
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        return {
            "result": "error" if errors else "ok",
            "kind": type(errors[0]).__name__ if errors else "",
            "message": str(errors[0]) if errors else "",
            "answered": len(answers) - len(errors),
        }

    def close(self):
        self.provider.logger.removeHandler(self.logged)
        self.loop.run_until_complete(self.provider.close())
        self.provider = None
        return {"result": "ok"}


def main():
    # The package loads modules when it first needs them; without descriptors Python could not.
    for module in ("_bridge", "_streams", "_wire", "_logs"):
        importlib.import_module(f"orchestrator.{module}")
    loop = asyncio.new_event_loop()
    driver = Driver(loop)
    names = ("open", "call", "stream", "cancel_call", "cancel_stream", "health", "many", "close")
    verbs = {name: getattr(driver, name) for name in names}
    for line in sys.stdin:
        verb, *fields = line.rstrip("\n").split("\t")
        print(json.dumps(verbs[verb](*fields)), flush=True)
    loop.close()


if __name__ == "__main__":
    main()
