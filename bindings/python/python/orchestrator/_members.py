"""Members of a router that are written in Python, asked by the core's driver.

The driver decides whom to ask, when and for how long; it tells the loop of the call (see ``Port``), and
the member's coroutine runs there, in a task with the caller's context. What the member raises is kept
with its call and raised again, itself, if it is what ends the call.

Loaded at the first routed call that has a loop, never at import.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from contextvars import Context, copy_context
from inspect import Parameter, signature
from itertools import count
from weakref import WeakValueDictionary

from ._bridge import port as running
from ._errors import ProviderError, known_of, kind_of
from ._gigachat import Caller, Chunk, Job, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from ._gigachat import Port
    from ._route import Attempt, Question, Route
    from .providers.base import BaseProvider

_calls: WeakValueDictionary[int, Call] = WeakValueDictionary()
_jobs: WeakValueDictionary[int, Call] = WeakValueDictionary()
_tasks: dict[int, asyncio.Task[None]] = {}
"""Tasks that answer, by the number of their job; a loop alone holds on to none."""
_cancelled: set[int] = set()
"""Those whose task was cancelled: a second cancel would disturb its cleaning up."""
_telling: set[asyncio.Task[None]] = set()
_numbers = count(1)


class Call:
    """One routed call on a loop: who made it, in which context, and what its members have raised."""

    def __init__(self, route: Route, question: Question) -> None:
        self.route = route
        self.question = question
        self.closed = False
        self.raised: dict[int, BaseException] = {}
        self.caller: Caller | None = None
        self._jobs: set[int] = set()
        self._untold: deque[tuple[Route, dict[str, Any]]] = deque()
        self._tells: asyncio.Task[None] | None = None

    loop: asyncio.AbstractEventLoop
    port: Port
    context: Context
    members: dict[int, BaseProvider]
    routes: dict[int, Route]

    def begin(self) -> Caller:
        """For the native half, when the call begins: on the loop, in the caller's context."""
        self.loop, self.port = running()
        self.context = copy_context()
        number = next(_numbers)
        _calls[number] = self
        self.members, self.routes = {}, {}
        self.route.look_around(self.question, self.members, self.routes)
        self.caller = Caller(self.port, number, self.route.core.id, self.question.is_chat)
        return self.caller

    @property
    def answering(self) -> str | None:
        """The member that was asked last."""
        return self.caller.answering if self.caller is not None else None

    async def answer(self, start: Callable[[Any, Port, Any], int]) -> Any:
        """Starts the call and awaits its result; whatever ends the waiting ends the call."""
        loop, port = running()
        future = loop.create_future()
        number = start(self.route.core.provider(self), port, future)
        try:
            result = await future
        except BaseException as error:
            port.forget(number)
            await self.end()
            if isinstance(error, Exception):
                await self.told()
            self.raised.clear()  # an error that holds its own traceback would hold itself
            raise
        if self._tells is not None:
            await self.told()
        self.raised.clear()
        return result

    async def end(self) -> None:
        """Has the members that are being asked end, and waits until they have cleaned up."""
        self.closed = True
        mine = asyncio.current_task()
        running = [(number, _tasks[number]) for number in self._jobs if number in _tasks]
        waited = [(number, task) for number, task in running if task is not mine]
        for number, _ in waited:
            forget(number)
        if waited:
            await asyncio.wait([task for _, task in waited])

    async def settled(self) -> None:
        """When the call has ended: waits until all is told of it."""
        if self.caller is None:
            return  # closed before it began
        self.port.drain()
        await self.told()
        self.raised.clear()

    async def told(self) -> None:
        """Waits for the usage callbacks that are under way."""
        while self._tells is not None and self._tells is not asyncio.current_task():
            await asyncio.wait([self._tells])

    def attempt_ended(self, attempt: Attempt) -> None:
        """One attempt of this call has ended: it is logged, and the router's callback is told."""
        route = self.routes.get(attempt[0])
        if route is None:
            return
        failure = attempt[6]
        raised = None if failure is None or failure[2] is None else self.raised.get(failure[2])
        usage = route.record(attempt, raised)
        if route.router.usage_callback is None:
            return
        self._untold.append((route, usage))
        if self._tells is None:
            task = self._tells = self.context.run(self.loop.create_task, self._tell_all())
            _telling.add(task)
            task.add_done_callback(_telling.discard)

    async def _tell_all(self) -> None:
        try:
            while self._untold:
                route, usage = self._untold.popleft()
                await route.tell(usage)
        finally:
            self._tells = None

    # What members are asked.

    def ask(self, number: int, job: Job) -> None:
        """Has a member asked, in a task of the loop and in the caller's context."""
        task = self.context.run(self.loop.create_task, self._asked(number, job))
        self._jobs.add(job.number)
        _jobs[job.number] = self
        _tasks[job.number] = task
        task.add_done_callback(lambda _: _ended(job.number))

    async def _asked(self, number: int, job: Job) -> None:
        try:
            await self.told()  # of the attempts before: what is told of one may end the call
            if self.closed or job.is_cancelled():
                raise asyncio.CancelledError
            member = self.members.get(number) or self.route.member(number)
            if member is None:
                job.fail("not_found", "this member was removed before it could be asked", known_of(None))
            elif job.wanted == "health":
                await self._check(member, job)
            elif job.wanted == "answer":
                await self._answer(member, job)
            else:
                await self._say(member, job)
        except BaseException as error:
            # Cancelled and the like end the call as they are; the driver asks nobody else then.
            kind = kind_of(error) if isinstance(error, Exception) else "cancelled"
            self.raised[job.number] = error
            job.fail(kind, str(error), known_of(error))
            del error

    async def _check(self, member: BaseProvider, job: Job) -> None:
        if await member.health_check():
            job.finish()
        else:
            job.fail("server", f"{member.config.name} says that it is not healthy", known_of(None))

    async def _answer(self, member: BaseProvider, job: Job) -> None:
        result = await self._method(member, "")
        if isinstance(result, Response):
            job.respond(result)
        elif isinstance(result, str):
            job.finish(result, member.config.model or "")
        else:
            raise TypeError(
                f"{type(member).__name__}.{self.question.way} returned a {type(result).__name__};"
                f" it must be a {'Response' if self.question.is_chat else 'str'}"
            )

    async def _say(self, member: BaseProvider, job: Job) -> None:
        stream = self._method(member, "_stream").__aiter__()
        reason = usage = None
        ended = False
        try:
            async for piece in stream:
                if isinstance(piece, Chunk):
                    job.push_chunk(piece)
                    reason, usage = piece.finish_reason or reason, piece.usage or usage
                else:
                    job.push(piece)
                await self._read(job)
            ended = True
        finally:
            if not ended and hasattr(stream, "aclose"):
                await stream.aclose()
        usage = usage or getattr(stream, "usage", None)
        reason = reason or getattr(stream, "finish_reason", None) or "stop"
        model = getattr(stream, "model", None) or member.config.model or ""
        job.end(reason, usage, model)

    async def _read(self, job: Job) -> None:
        """Waits until what was said is read: a generator goes on when its reader does."""
        future = self.loop.create_future()
        number = job.when_read(self.port, future)
        if number is None:
            return
        try:
            await future
        finally:
            self.port.forget(number)

    def _method(self, member: BaseProvider, form: str) -> Any:
        """Calls the member's method with what the program has given, as far as it takes it."""
        question = self.question
        method = getattr(member, question.way + form)
        if question.options is None:
            return method(question.asked, question.params)
        return method(question.asked, question.params, **_accepted(method, question.options))


def _accepted(method: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """The options of a call that are set and that the member's method has a parameter for."""
    known = signature(method).parameters
    takes_all = any(one.kind is Parameter.VAR_KEYWORD for one in known.values())
    return {
        name: value for name, value in options.items() if value is not None and (takes_all or name in known)
    }


# What the native half calls, on the loop's thread.


def begin(call: int, member: int, job: Job) -> None:
    """A member is to answer."""
    known = _calls.get(call)
    if known is None or known.closed:
        job.fail("cancelled", "the call has ended", known_of(None))
    else:
        known.ask(member, job)


def forget(job: int) -> None:
    """Nobody waits for a member's answer any more."""
    task = _tasks.get(job)
    if task is not None and job not in _cancelled:
        _cancelled.add(job)
        task.cancel()


def _ended(job: int) -> None:
    _tasks.pop(job, None)
    _cancelled.discard(job)


def attempt_ended(call: int, attempt: Attempt) -> None:
    """An attempt of a call has ended."""
    known = _calls.get(call)
    if known is not None:
        known.attempt_ended(attempt)


def raised(job: int, retry_after: float | None, attempts: list[dict[str, Any]]) -> BaseException | None:
    """What a member has raised; a rate limit says when the first member may be asked again."""
    call = _jobs.get(job)
    error = call.raised.get(job) if call is not None else None
    if isinstance(error, ProviderError):
        if kind_of(error) == "rate_limit" and error.retry_after is None and retry_after is not None:
            error.retry_after = retry_after
        error.route_attempts = attempts
    return error


def _forget_all() -> None:
    """In a forked child: the parent's calls and tasks are none of ours."""
    _calls.clear()
    _jobs.clear()
    _tasks.clear()
    _cancelled.clear()
    _telling.clear()


os.register_at_fork(after_in_child=_forget_all)
