#!/usr/bin/env python3
"""Pairs the Python package with aiohttp, the official SDK and the ancestor: processor time of the
client's process, interleaved rounds, medians, and the median of the rounds' ratios to aiohttp.

`run.sh` calls it with the folder of the four environments, inside of the emulator's. Prints
tables with the goals beside the figures; decides nothing.
"""

import contextlib
import json
import os
import pathlib
import ssl
import statistics
import subprocess
import sys
import urllib.request
import uuid

HERE = pathlib.Path(__file__).parent
CLIENTS = ("ours", "aiohttp", "official-sdk", "ancestor")
ROUNDS = 5
IMPORTS = 15
TAKES_LONG = {"official-sdk": 8, "ancestor": 32}
"""By how much fewer requests such a client is given, to end in time."""

# Title, scenario, what aiohttp is measured with, how many, goal.
PAIRED = (
    # First, since idle connections cost some clients time.
    ("1 in flight", "single", "single", 800, "<= 0.50"),
    ("blocking (aiohttp: 1 in flight)", "sync", "single", 800, "<= 0.40"),
    ("64 in flight, saturated", "saturated", "saturated", 3200, "<= 0.45"),
    ("64 in flight, answers after 25-75 ms", "spread", "spread", 1600, "<= 0.55"),
    ("64 streams, 50 chunks/s each, per chunk", "paced", "paced", 100, "<= 0.50"),
)
STREAMS = (
    ("5,000 chunks at full speed, in all", "full_speed", "<= 1.5 us"),
    ("the same, delivery of what has arrived", "arrived", "<= 0.5 us"),
    ("chat_stream, with the raw events, in all", "full_speed_chunks", ""),
    ("the same, delivery of what has arrived", "arrived_chunks", ""),
)
IMPORTED = {
    "bare": "pass",
    "ours": "from orchestrator.providers import GigaChatProvider, ProviderConfig",
    "aiohttp": "import aiohttp",
    "official-sdk": "from gigachat import GigaChat",
    "ancestor": "from orchestrator.providers import GigaChatProvider, ProviderConfig",
}
PROBE = """
import sys, time
begin = time.perf_counter()
{}
took = time.perf_counter() - begin
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(took * 1e3, int(peak) / 1024)
"""


class Client:
    """A client's process, warm from the first round to the last."""

    def __init__(self, name, python, environment):
        self.name = name
        self.process = subprocess.Popen(
            [python, HERE / "measure.py", name],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def measure(self, scenario, count):
        print(scenario, count, file=self.process.stdin, flush=True)
        said = self.process.stdout.readline().strip()
        if not said:
            sys.exit(f"the client {self.name} ended in {scenario}; what it said stands above")
        return None if said == "-" else float(said)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def access_token():
    """A token for aiohttp, which knows no OAuth."""
    request = urllib.request.Request(
        os.environ["GIGACHAT_AUTH_URL"],
        data=f"scope={os.environ['GIGACHAT_SCOPE']}".encode(),
        headers={
            "Authorization": f"Basic {os.environ['GIGACHAT_CREDENTIALS']}",
            "RqUID": str(uuid.uuid4()),
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    context = ssl.create_default_context(cafile=os.environ["GIGACHAT_CA_BUNDLE_FILE"])
    https = urllib.request.HTTPSHandler(context=context)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
    return json.loads(opener.open(request, timeout=10).read())["access_token"]


@contextlib.contextmanager
def chunks_every(milliseconds):
    """While this lasts, every stream of the emulator speaks at this pace."""
    url = os.environ["GIGACHAT_EMULATOR_CONTROL"] + "/_emulator/faults"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    fault = {"endpoint": "stream", "times": 0, "action": {"type": "delay_chunks", "ms": milliseconds}}
    opener.open(urllib.request.Request(url, json.dumps(fault).encode()), timeout=10).close()
    try:
        yield
    finally:
        opener.open(urllib.request.Request(url, method="DELETE"), timeout=10).close()


def rounds(clients, scenario, of_aiohttp, count):
    """The figures of each client, one per round; the order turns with the rounds."""
    figures = {client.name: [] for client in clients}
    for number in range(ROUNDS):
        turned = clients[number % len(clients) :] + clients[: number % len(clients)]
        for client in turned:
            asked = of_aiohttp if client.name == "aiohttp" else scenario
            fewer = 1 if scenario == "paced" else TAKES_LONG.get(client.name, 1)
            figures[client.name].append(client.measure(asked, max(count // fewer, 25)))
    return figures


def median(figures):
    known = [figure for figure in figures if figure is not None]
    return statistics.median(known) if known else None


def cell(figure, width=10, digits=1):
    return f"{'-':>{width}}" if figure is None else f"{figure:{width}.{digits}f}"


def row(title, figures, of_aiohttp, goal):
    cells = "".join(cell(median(figures[name])) for name in CLIENTS)
    pairs = zip(figures["ours"], of_aiohttp, strict=True)
    ratios = sorted(mine / theirs for mine, theirs in pairs)
    spread = f"{ratios[0]:.2f}-{ratios[-1]:.2f}"
    print(f"{title:<42}{cells}{statistics.median(ratios):8.2f} {spread:>10} {goal:>9}", flush=True)


def head(title, *columns):
    names = "".join(f"{name:>10}" for name in ("ours", "aiohttp", "SDK", "ancestor"))
    print(f"\n{title:<42}{names}{''.join(columns)}")


def compare_calls(clients):
    head("processor time, us per request", f"{'ratio':>8}", f"{'spread':>11}", f"{'goal':>10}")
    for title, scenario, of_aiohttp, count, goal in PAIRED:
        with chunks_every(20) if scenario == "paced" else contextlib.nullcontext():
            figures = rounds(clients, scenario, of_aiohttp, count)
        row(title, figures, figures["aiohttp"], goal)


def compare_streams(clients):
    head("one stream, us per chunk", f"{'goal':>12}")
    for title, scenario, goal in STREAMS:
        others = scenario == "full_speed"
        asked = clients if others else clients[:1]
        figures = {client.name: [] for client in clients}
        for _ in range(ROUNDS):
            for client in asked:
                figures[client.name].append(client.measure(scenario, 5000))
        cells = "".join(cell(median(figures[name]), digits=2) for name in CLIENTS)
        print(f"{title:<42}{cells}{goal:>12}", flush=True)


def compare_imports(pythons):
    times = {name: [] for name in IMPORTED}
    peaks = {name: [] for name in IMPORTED}
    for _ in range(IMPORTS):
        for name, statement in IMPORTED.items():
            python = pythons["ours" if name == "bare" else name]
            probe = [python, "-I", "-c", PROBE.format(statement)]
            said = subprocess.run(probe, check=True, capture_output=True, text=True, timeout=60).stdout
            took, peak = map(float, said.split())
            times[name].append(took)
            peaks[name].append(peak)
    head(f"import, median of {IMPORTS}, over bare", f"{'goal':>12}")
    for title, found, goal in (("ms", times, "<= 8 ms"), ("MB at the peak", peaks, "<= 4 MB")):
        bare = median(found["bare"])
        cells = "".join(cell(median(found[name]) - bare) for name in CLIENTS)
        print(f"{title:<42}{cells}{goal:>12}", flush=True)


def main():
    environments = pathlib.Path(sys.argv[1])
    pythons = {name: environments / name / "bin/python" for name in CLIENTS}
    environment = {**os.environ, "BENCH_ACCESS_TOKEN": access_token()}
    clients = [Client(name, pythons[name], environment) for name in CLIENTS]
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"user and system time of the client's process; medians of {ROUNDS} interleaved rounds; load {load}")
    for client in clients:  # connections, tokens, code
        client.measure("single", 20)
    compare_calls(clients)
    compare_streams(clients)
    for client in clients:
        client.close()
    compare_imports(pythons)


if __name__ == "__main__":
    main()
