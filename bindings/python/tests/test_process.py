"""Exits with calls in flight, forks, Ctrl-C: in processes of their own."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

EXIT_RUNS = int(os.environ.get("GIGACHAT_EXIT_RUNS", "12"))

HEAD = """
import asyncio, os, signal, sys, threading, time, warnings
from orchestrator.providers import GigaChatProvider, ProviderConfig
# A shell's background job ignores it, and so would its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
provider = GigaChatProvider(ProviderConfig(name="g", api_key=os.environ["GIGACHAT_CREDENTIALS"], max_concurrency=0))
"""

EXITS = {
    "calls of the main thread": """
        async def main():
            for n in range(50): asyncio.ensure_future(provider.generate(f"count to {n}"))
            await asyncio.sleep(0.02)
        asyncio.run(main())
    """,
    "calls of a loop that is left open": """
        loop = asyncio.new_event_loop()
        for n in range(50): loop.create_task(provider.generate("x"))
        loop.call_later(0.02, loop.stop)
        loop.run_forever()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # asyncio complains of the tasks, rightly
    """,
    "calls of a daemon thread with a loop": """
        async def main():
            await asyncio.gather(*(provider.generate(f"x{n}") for n in range(100)), return_exceptions=True)
        threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
        time.sleep(0.03)
    """,
    "blocking calls of daemon threads": """
        def work():
            while True:
                try: provider.generate_sync("x")
                except Exception: pass
        for _ in range(8): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.03)
    """,
    "streams of a daemon thread": """
        def work():
            while True:
                try:
                    for piece in provider.generate_stream_sync("count to 100"): pass
                except Exception: pass
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.03)
    """,
    "a stream held by the module": """
        stream = provider.generate_stream_sync("count to 1000")
        next(stream)
    """,
}


@pytest.mark.parametrize("how", EXITS)
def test_exit_with_work_in_flight_is_clean_every_time(run_program, how):
    for _ in range(EXIT_RUNS):
        done = run_program(HEAD + textwrap.dedent(EXITS[how]))
        assert (done.returncode, done.stderr) == (0, ""), how


FORKS = {
    "a child of os.fork": """
        print(provider.generate_sync("before")[:9])
        child = os.fork()
        text = provider.generate_sync("after")[:9]
        if child == 0:
            print("child", text, flush=True)
            os._exit(0)
        print("parent", text, os.waitpid(child, 0)[1])
    """,
    "a child during an open stream": """
        stream = provider.generate_stream_sync("count to 200")
        first = next(stream)
        child = os.fork()
        if child == 0:
            try:
                next(stream)
                os._exit(2)  # the child read the parent's stream
            except Exception as error:
                print("child", type(error).__name__, provider.generate_sync("after")[:9], flush=True)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        print("parent", first + "".join(stream) == ", ".join(str(n) for n in range(1, 201)), status)
    """,
    "children of multiprocessing": """
        import multiprocessing
        def work(number): return provider.generate_sync(f"job {number}")[:9]
        if __name__ == "__main__":
            provider.generate_sync("before")
            context = multiprocessing.get_context("fork")
            with context.Pool(2) as pool:
                print(pool.map(work, range(6)))
            print("parent", provider.generate_sync("after")[:9])
    """,
    "a child with a loop of its own": """
        asyncio.run(provider.generate("before"))
        child = os.fork()
        text = asyncio.run(provider.generate("after"))[:9]
        if child == 0:
            print("child", text, flush=True)
            os._exit(0)
        print("parent", text, os.waitpid(child, 0)[1])
    """,
    "a child of a fork inside of a loop": """
        async def main():
            await provider.generate("before")
            child = os.fork()
            if child == 0:
                print("child", provider.generate_sync("after")[:9], flush=True)
                os._exit(0)
            text = await provider.generate("after")
            print("parent", text[:9], os.waitpid(child, 0)[1])
        asyncio.run(main())
    """,
}


SAID = {
    "a child of os.fork": ["child You wrote", "parent You wrote 0"],
    "a child during an open stream": ["child ProviderError You wrote", "parent True 0"],
    "children of multiprocessing": [str(["You wrote"] * 6), "parent You wrote"],
    "a child with a loop of its own": ["child You wrote", "parent You wrote 0"],
    "a child of a fork inside of a loop": ["child You wrote", "parent You wrote 0"],
}
"""The parent's last word is the child's exit status."""


@pytest.mark.parametrize("how", FORKS)
def test_parent_and_child_both_work_after_a_fork(run_program, how):
    done = run_program("import warnings; warnings.simplefilter('ignore')\n" + HEAD + textwrap.dedent(FORKS[how]))
    assert done.returncode == 0 and done.stderr == "", done.stderr
    said = done.stdout.splitlines()
    assert [said.count(line) for line in SAID[how]] == [1, 1], said


def test_parent_and_child_share_no_connection(emulator, run_program):
    done = run_program(
        HEAD
        + textwrap.dedent(
            """
            provider.generate_sync("parent")
            stream = provider.generate_stream_sync("parent count to 200")
            next(stream)
            child = os.fork()
            for _ in range(3):
                provider.generate_sync("parent" if child else "child")
            if child == 0:
                os._exit(0)
            for _ in stream: pass
            print(os.waitpid(child, 0)[1])
            """
        )
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    used = {"parent": set(), "child": set()}
    for request in emulator.requests("/chat/completions"):
        used["child" if "child" in request["body"] else "parent"].add(request["connection"])
    assert used["parent"] and used["child"] and not used["parent"] & used["child"], used


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_provider_travels_to_worker_processes(emulator, tmp_path, method):
    script = tmp_path / "work.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import multiprocessing, os
            from orchestrator.providers import GigaChatProvider, ProviderConfig

            def work(provider): return provider.generate_sync("job")[:9]

            if __name__ == "__main__":
                config = ProviderConfig(name="g", api_key=os.environ["GIGACHAT_CREDENTIALS"])
                provider = GigaChatProvider(config)
                provider.generate_sync("before")
                with multiprocessing.get_context({method!r}).Pool(2) as pool:
                    print(pool.map(work, [provider] * 4))
            """
        )
    )
    environment = {**os.environ, **emulator.variables}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.count("You wrote") == 4, done.stderr


def _interrupted(emulator, source):
    """Interrupts a program when its request is in flight; returns how it ended and when it was
    interrupted, on the clock that the program prints too."""
    environment = {**os.environ, **emulator.variables}
    process = subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(source)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    emulator.wait("in_flight", at_least=1)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err, begun


INTERRUPTS = 10

INTERRUPTED = {
    "a blocking call": 'provider.generate_sync("x")',
    "a blocking stream": 'list(provider.generate_stream_sync("x"))',
}


@pytest.mark.parametrize("what", INTERRUPTED)
def test_an_interrupt_ends_it(emulator, report_latency, what):
    emulator.fault({"type": "delay_headers", "ms": 20_000}, endpoint="generation", times=0)
    source = f"""
    try:
        {INTERRUPTED[what]}
    except KeyboardInterrupt:
        print(time.monotonic())
    """
    latencies = []
    for _ in range(INTERRUPTS):
        status, caught_at, err, begun = _interrupted(emulator, source)
        assert (status, err) == (0, ""), err
        seconds = float(caught_at) - begun
        assert seconds < 2
        latencies.append(seconds)
        emulator.wait("in_flight", at_most=0, seconds=2)
    report_latency(f"Ctrl-C in {what} to KeyboardInterrupt", latencies, aim=0.2)


STOPPED = """
import ctypes, pathlib, signal
from orchestrator import ProviderError
libc = ctypes.CDLL(None)
# The handler is libc's own: sleep(27), SIGPROF's number. It runs no Python.
libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.signal(signal.SIGPROF, ctypes.cast(libc.sleep, ctypes.c_void_p))
hurried = GigaChatProvider(ProviderConfig(
    name="h", api_key=os.environ["GIGACHAT_CREDENTIALS"], timeout=1, health_timeout=1, max_concurrency=0))
print(hurried.generate_sync("before")[:9])
stopped = 0
for task in pathlib.Path("/proc/self/task").iterdir():
    if (task / "comm").read_text() == "gigachat-io\\n":
        stopped += libc.tgkill(os.getpid(), int(task.name), signal.SIGPROF) == 0
assert stopped > 0
ways = [
    lambda: hurried.generate_sync("x"),
    lambda: hurried.chat_sync([{"role": "user", "content": "x"}]),
    lambda: hurried.list_models_sync(),
    lambda: list(hurried.generate_stream_sync("x")),
]
def ends(way):
    begun = time.monotonic()
    try:
        way()
        print("no error")
    except ProviderError as error:
        print(error.phase, "sign of life" in str(error), time.monotonic() - begun < 1 + 2)
for way in ways:
    ends(way)
    other = threading.Thread(target=ends, args=(way,))
    other.start(); other.join()
begun = time.monotonic()
print("healthy:", hurried.health_check_sync(), time.monotonic() - begun < 1 + 2)
"""


def test_a_blocking_call_ends_by_its_own_clock_when_the_io_thread_is_stopped(run_program):
    done = run_program(HEAD + STOPPED)
    assert done.stderr == "", done.stderr
    first, *others = done.stdout.splitlines()
    assert first == "You wrote"
    assert others == ["start True True"] * 8 + ["healthy: False True"]
