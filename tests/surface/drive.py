"""Drives the public surface of the Python package at random: any public name, any argument.

    drive.py CALLS [SEED] [--plant crash|foreign]

Each step calls something public, of a module or of an object that an earlier step returned, with
values that programs pass by mistake or by malice: subclasses whose methods raise or change what is
being read, deep and cyclic containers, NaN, lone surrogates, huge numbers. Whatever comes of it, the
process lives, no step hangs, and what is raised is an exception of the package, one of those that
Python itself raises for wrong arguments, or the hostile value's own. Nothing leaves the machine:
every address is a port that refuses.

With --plant one of the objects kills the process, or raises what nobody may: it must fail then.

The steps run in a child; the parent tells which step it was that killed it. All is drawn from the
seed (1), so a run can be repeated; sets and hashes are fixed, too.
"""

import asyncio
import collections
import enum
import faulthandler
import gc
import importlib
import inspect
import io
import mmap
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import warnings

HANG_SECONDS = 60
"""After so long within one step the child prints its stacks and ends."""
MODULES = [
    "orchestrator", "orchestrator.batch", "orchestrator.config", "orchestrator.metrics",
    "orchestrator.providers", "orchestrator.providers.base",
    "orchestrator.providers.gigachat", "orchestrator.providers.mock", "orchestrator.router",
]
DUNDERS = [
    "__aenter__", "__aexit__", "__aiter__", "__anext__", "__bool__", "__copy__", "__contains__",
    "__deepcopy__", "__delattr__", "__enter__", "__eq__", "__exit__", "__format__", "__getattribute__",
    "__getitem__", "__hash__", "__init__", "__iter__", "__len__", "__lt__", "__next__", "__reduce_ex__",
    "__repr__", "__setattr__", "__setstate__", "__str__",
]
NOT_CALLED = {"start_metrics_server"}
"""It opens a port, which is the machine's and not the commit's."""
KEPT = 300
"""Objects that later steps use; the oldest go."""


class Hostile(Exception):
    """What hostile values raise."""


# What Python, or its standard library on the package's behalf, raises for wrong arguments. Not here,
# and so foreign: SystemError, a panic, MemoryError, AssertionError, NameError, ZeroDivisionError.
EXPECTED = (
    TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError, StopIteration,
    StopAsyncIteration, OSError, ImportError, asyncio.CancelledError, Hostile,
)
IN_WORDS = (RuntimeError, NotImplementedError)
"""Expected when they say something, as the package's own do."""


class HostileStr(str):
    def __str__(self): raise Hostile
    def __eq__(self, other): raise Hostile
    def __hash__(self): return 1
    def encode(self, *_): raise Hostile
    def __iter__(self): raise Hostile
    def __len__(self): return 1 << 40


class HostileInt(int):
    def __index__(self): raise Hostile
    def __int__(self): raise Hostile
    def __float__(self): raise Hostile
    def __lt__(self, other): raise Hostile
    def __gt__(self, other): raise Hostile


class HostileFloat(float):
    def __float__(self): raise Hostile
    def __le__(self, other): raise Hostile
    def __ge__(self, other): raise Hostile


class HostileBool:
    def __bool__(self): raise Hostile
    def __eq__(self, other): return True
    __hash__ = None


class Liar:
    """Has every attribute, is of every class it is asked for."""

    __class__ = dict

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **named): return self
    def __len__(self): return -1

    def __getitem__(self, key):
        # Whoever reads it item by item comes to an end: an endless value is the caller's own hang.
        if isinstance(key, int) and key > 50:
            raise IndexError(key)
        return key


class GrowingList(list):
    """Grows while it is read."""

    def __iter__(self):
        for at in range(20):
            self.append(at)
            yield {"role": "user", "content": "x"}


class ShrinkingDict(dict):
    """Changes while it is read."""

    def items(self):
        for key in list(self):
            self.pop(key, None)
            self[key + "x" if isinstance(key, str) else key] = 1
            yield key, 1

    def keys(self):
        self.clear()
        return ["gone"]

    def __getitem__(self, key): raise Hostile


class Endless:
    """An iterator that says it has no end, but has."""

    def __init__(self): self.left = 50
    def __iter__(self): return self
    def __length_hint__(self): return sys.maxsize

    def __next__(self):
        self.left -= 1
        if self.left < 0:
            raise StopIteration
        return {"role": "user", "content": "x"}


class Level(enum.Enum):
    ONE = "one"


def nested(depth, kind):
    value = "x"
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    return value


def cyclic_list():
    value = []
    value.append(value)
    return value


def cyclic_dict():
    value = {"role": "user"}
    value["content"] = value
    return value


class Planted:
    """What the driver has to notice."""

    def crash(self, *_, **__): os.abort()
    def foreign(self, *_, **__): raise SystemError("planted")


def values(draw):
    """One argument, made anew."""
    message = {"role": "user", "content": "x"}
    refused = "http://127.0.0.1:1"
    makers = [
        lambda: None, lambda: True, lambda: 0, lambda: 1, lambda: -1, lambda: 7, lambda: 1 << 63, lambda: -(1 << 200),
        lambda: 0.5, lambda: -0.0, lambda: float("nan"), lambda: float("inf"), lambda: 1e308, lambda: 5e-324,
        lambda: "", lambda: "x", lambda: "привет", lambda: "\ud800", lambda: "a\0b", lambda: "x" * 70000,
        lambda: "GigaChat-2", lambda: "round-robin", lambda: "user", lambda: "\u202e\x1b[31m", lambda: refused,
        lambda: b"", lambda: b"\xff\x00", lambda: bytearray(b"x"), lambda: memoryview(b"xyz"),
        lambda: [], lambda: [message], lambda: [message, None], lambda: (message,), lambda: {message["role"]},
        lambda: {}, lambda: dict(message), lambda: {1: 2, None: "\udfff"}, lambda: {"content": float("nan")},
        lambda: nested(50, "list"), lambda: nested(50, "dict"), lambda: nested(3000, "list"), lambda: nested(3000, "dict"),
        lambda: [{"role": "user", "content": nested(2000, "dict")}],
        cyclic_list, cyclic_dict, lambda: [cyclic_dict()],
        lambda: HostileStr("x"), lambda: HostileInt(3), lambda: HostileFloat(0.5), HostileBool, Liar,
        lambda: GrowingList([message]), lambda: ShrinkingDict(message), lambda: [ShrinkingDict(message)], Endless,
        lambda: collections.OrderedDict(message), lambda: collections.UserDict(message), lambda: collections.UserString("x"),
        lambda: (one for one in [message]), lambda: iter([]), lambda: range(3), lambda: slice(1), lambda: ...,
        lambda: object(), lambda: type, lambda: len, lambda: (lambda *_, **__: None), lambda: Level.ONE, lambda: 1j,
        lambda: ValueError("v"), lambda: pathlib.Path("none"), lambda: io.StringIO("x"), threading.Lock,
        lambda: asyncio.CancelledError(),
    ]
    return draw.choice(makers)()


class Driver:
    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.modules = [importlib.import_module(name) for name in MODULES]
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)
        self.kept = collections.deque(maxlen=KEPT)
        self.raised = collections.Counter()
        self.foreign = []
        self.called = set()
        self.furnish()

    def furnish(self):
        """What a program begins with; later steps make more."""
        from orchestrator import Router
        from orchestrator.providers import GenerationParams, GigaChatProvider, MockProvider, ProviderConfig

        def config(name, **more):
            return ProviderConfig(name=name, api_key="a2V5", base_url="http://127.0.0.1:1", timeout=1, max_retries=0, **more)

        self.kept.extend([config("a"), GenerationParams(), GigaChatProvider(config("b")), MockProvider(config("c"))])
        router = Router()
        router.add_provider(MockProvider(config("d")))
        self.kept.append(router)

    def argument(self, name=""):
        if self.draw.random() < 0.25 and self.kept:
            return self.draw.choice(self.kept)
        # What would go out, or last for seconds, is bounded where it is named.
        if name in ("timeout", "deadline", "queue_timeout", "connect_timeout", "idle_timeout"):
            return self.draw.choice([0.05, 1, 0, -1, float("nan"), "x", HostileFloat(1.0)])
        if name in ("max_retries", "concurrency", "retries"):
            return self.draw.choice([0, 1, -1, "x", HostileInt(1), 1 << 70])
        return values(self.draw)

    def target(self):
        """A public callable, and a name for it."""
        if self.draw.random() < 0.35:
            module = self.draw.choice(self.modules)
            name = self.draw.choice(module.__all__)
            return f"{module.__name__}.{name}", getattr(module, name)
        owner = self.draw.choice(self.kept)
        if self.draw.random() < 0.25:
            name = self.draw.choice(DUNDERS)
        else:
            names = [name for name in dir(owner) if name[:1] != "_" and name not in NOT_CALLED]
            name = self.draw.choice(names) if names else "__repr__"
        return f"{type(owner).__qualname__}.{name}", getattr(owner, name)

    def arguments(self, target):
        try:
            parameters = [p for p in inspect.signature(target).parameters.values()]
        except (TypeError, ValueError):
            parameters = []
        if parameters and self.draw.random() < 0.8:
            args, named = [], {}
            for one in parameters:
                if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
                    continue
                if one.default is not one.empty and self.draw.random() < 0.7:
                    continue
                if one.kind is one.POSITIONAL_ONLY:
                    args.append(self.argument(one.name))
                else:
                    named[one.name] = self.argument(one.name)
            return args, named
        named = {}
        if self.draw.random() < 0.1:
            named = {self.draw.choice(["x", "\ud800", "model", "self", ""]): self.argument()}
        return [self.argument() for _ in range(self.draw.randrange(4))], named

    def follow(self, result):
        """Awaits what is to be awaited, reads a little of what is to be read."""
        if inspect.isawaitable(result):
            result = self.loop.run_until_complete(asyncio.wait_for(result, 2))
        if hasattr(type(result), "__anext__") and self.draw.random() < 0.7:
            async def read():
                for _ in range(3):
                    await type(result).__anext__(result)
            self.loop.run_until_complete(asyncio.wait_for(read(), 2))
        elif type(result).__module__.startswith("orchestrator") and hasattr(type(result), "__next__"):
            for _ in range(3):
                next(result)
        if type(result).__module__.startswith("orchestrator") or callable(result):
            self.kept.append(result)
        if self.draw.random() < 0.2:
            repr(result)

    def step(self):
        name, target = self.target()
        if not callable(target):
            return
        self.called.add(name)
        args, named = self.arguments(target)
        self.follow(target(*args, **named))

    def judge(self, error, step):
        kind = type(error)
        self.raised[kind.__name__] += 1
        ours = kind.__module__.startswith("orchestrator")
        good = ours or isinstance(error, EXPECTED) or (isinstance(error, IN_WORDS) and str(error))
        if not good:
            self.foreign.append((step, error))

    def run(self, calls, progress):
        for at in range(calls):
            progress.seek(0)
            progress.write(at.to_bytes(8, "little"))
            if at % 200 == 0:
                faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
            try:
                self.step()
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - whatever comes is judged
                self.judge(error, at)
            if at % 5000 == 4999:
                self.kept.clear()
                gc.collect()
                self.furnish()
        faulthandler.cancel_dump_traceback_later()


def child(calls, seed, progress_file, plant):
    faulthandler.enable()
    warnings.simplefilter("ignore")
    import logging

    logging.disable(logging.CRITICAL)
    with open(progress_file, "r+b") as file:
        progress = mmap.mmap(file.fileno(), 8)
    driver = Driver(seed)
    if plant:
        planted = type("Planted", (), {plant: vars(Planted)[plant]})
        driver.modules.append(type("Module", (), {"__all__": ["planted"], "planted": getattr(planted(), plant)}))
        driver.modules[-1].__name__ = "planted"
    driver.run(calls, progress)
    for step, error in driver.foreign[:10]:
        import traceback

        print(f"python surface: FOREIGN at step {step}: {type(error)!r}: {str(error)[:200]!r}", flush=True)
        traceback.print_exception(type(error), error, error.__traceback__, limit=-6, file=sys.stdout)
    kinds = ", ".join(f"{name} {count}" for name, count in driver.raised.most_common(8))
    print(f"python surface: {calls} calls of {len(driver.called)} names, seed {seed}: no crash, no hang,"
          f" {len(driver.foreign)} foreign exceptions; raised: {kinds}", flush=True)
    # Not by the interpreter's end, whose order of things is not this program's subject.
    os._exit(1 if driver.foreign else 0)


def main():
    calls, seed, plant = read(sys.argv[1:])
    print(f"python surface: {calls} calls, seed {seed}", flush=True)
    nowhere = "http://127.0.0.1:1"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "PYTHONHASHSEED": "0", "GIGACHAT_BASE_URL": nowhere, "GIGACHAT_AUTH_URL": nowhere,
        "GIGACHAT_MAX_RETRIES": "0", "GIGACHAT_TIMEOUT": "1", "HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere,
    }
    with tempfile.TemporaryDirectory() as folder:
        progress = pathlib.Path(folder) / "step"
        progress.write_bytes(bytes(8))
        work = pathlib.Path(folder) / "work"
        work.mkdir()
        began = time.monotonic()
        done = subprocess.run([sys.executable, os.path.abspath(__file__), "--child", str(calls), str(seed), str(progress), plant],
                              cwd=work, env=environment, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            step = int.from_bytes(progress.read_bytes(), "little")
            print(f"python surface: FAILED, status {done.returncode}, at step {step} of seed {seed}"
                  f" after {time.monotonic() - began:.0f} s")
            return 1
    return 0


def read(words):
    """The calls, the seed and what is planted."""
    plant = ""
    if words[-2:-1] == ["--plant"] and words[-1] in ("crash", "foreign"):
        words, plant = words[:-2], words[-1]
    if len(words) not in (1, 2) or not all(word.isdigit() for word in words):
        sys.exit(__doc__)
    return int(words[0]), int(words[1]) if len(words) > 1 else 1, plant


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5])
    else:
        sys.exit(main())
