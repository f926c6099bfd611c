"""From the running loop to its port: the place where its results arrive.

A port belongs to one loop and is gone with it: the loop holds it, through the reader that it
watches the port's descriptor with, and this module only knows where it is. Loaded at the first
asynchronous call, never at import.
"""

from __future__ import annotations

import os
from asyncio import get_running_loop
from threading import Event, Thread, local
from weakref import WeakKeyDictionary, ref

from ._gigachat import Port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


class _Here(local):
    """The loop that this thread used last, and its port."""

    loop: ref[AbstractEventLoop] | None = None
    port: ref[Port] | None = None


_here = _Here()
_ports: WeakKeyDictionary[AbstractEventLoop, ref[Port]] = WeakKeyDictionary()
_kept: WeakKeyDictionary[AbstractEventLoop, Port] = WeakKeyDictionary()


def port() -> tuple[AbstractEventLoop, Port]:
    """The running loop and its port."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "no asyncio loop is running here: await this inside of asyncio (or uvloop); from trio and from"
            " plain threads use the blocking twin, whose name ends in _sync"
        ) from None
    here = _here
    if here.loop is not None and here.loop() is loop and here.port is not None:
        known = here.port()
        if known is not None:
            return loop, known
    return loop, _port_of(loop)


def _port_of(loop: AbstractEventLoop) -> Port:
    known = _ports.get(loop)
    found = known() if known is not None else None
    if found is None:
        found = Port()
        try:
            loop.add_reader(found.fileno(), found.drain)
        except NotImplementedError:
            _kept[loop] = found
            Thread(target=_watch, args=(ref(loop), found), name="gigachat-port", daemon=True).start()
        _ports[loop] = ref(found)
    _here.loop, _here.port = ref(loop), ref(found)
    return found


def _watch(loop_ref: ref[AbstractEventLoop], port: Port) -> None:
    """Watches a port for a loop that cannot watch descriptors."""
    drained = Event()

    def drain() -> None:
        drained.set()
        port.drain()

    while True:
        ready = port.wait(0.2)
        loop = loop_ref()
        if loop is None:
            return
        if loop.is_closed():
            _kept.pop(loop, None)
            return
        if ready:
            drained.clear()
            try:
                loop.call_soon_threadsafe(drain)
            except RuntimeError:
                continue  # closed meanwhile
            drained.wait(0.2)  # a loop that is busy is not asked again and again
        del loop


def _forget_all() -> None:
    """In a forked child: the parent's loops and ports are none of ours."""
    _ports.clear()
    _kept.clear()
    _here.loop = _here.port = None


os.register_at_fork(after_in_child=_forget_all)
