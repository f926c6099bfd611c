#!/usr/bin/env python3
"""10,000 prompts by each way of `many.py`: seconds, and processor time per row of all its processes.

Inside of the emulator's, like `compare.py`. The processor time is the difference between a large and a
small job, so that imports and the start of clusters are not in it; every descendant counts, since this
process inherits those whose parents are gone. On a busy machine the start of an engine varies by more than
its rows take. Ways whose packages are not installed are left out.
"""

import ctypes
import os
import pathlib
import signal
import subprocess
import sys

from compare import HERE, access_token

COUNT = int(os.environ.get("MANY_COUNT", "10000"))
FEW = 200
ENVIRONMENTS = {"aiohttp": "aiohttp", "official-sdk": "official-sdk", "dask": "engines", "ray": "engines", "spark": "engines"}
FEWER = {"official-sdk": 8}
"""By how much fewer rows such a client is given, to end in time."""
BOUND = 600
PR_SET_CHILD_SUBREAPER = 36


def answered(python, way, count, environment):
    """Seconds of the job, and seconds of processor time of all that ran for it."""
    output, into = os.pipe()
    process = subprocess.Popen(
        [python, HERE / "many.py", way, str(count)],
        env=environment,
        stdout=into,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(into)
    signal.alarm(BOUND)
    status, used = reap(process.pid)
    process.returncode = status
    # What outlives it (servers of the engines) is ended, and counted too.
    for pid in children():
        os.kill(pid, signal.SIGKILL)
        used += reap(pid)[1]
    signal.alarm(0)
    os.set_blocking(output, False)
    with open(output, "rb") as said:
        lines = (said.read() or b"").decode().splitlines()
    if status:
        return None
    return float(next(line for line in reversed(lines) if line.replace(".", "", 1).isdigit())), used


def reap(pid):
    """Waits for one child; others that end meanwhile are counted with it."""
    used = 0.0
    while True:
        ended, status, usage = os.wait4(-1, 0)
        used += usage.ru_utime + usage.ru_stime
        if ended == pid:
            return os.waitstatus_to_exitcode(status), used


def children():
    found = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    while found:
        yield int(found[0])
        found = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    environments = pathlib.Path(sys.argv[1])
    environment = {**os.environ, "BENCH_ACCESS_TOKEN": access_token()}
    print(f"\n{f'{COUNT} prompts, 64 in flight':<32}{'seconds':>10}{'rows/s':>10}{'CPU us/row':>12}{'CPU s of the start':>20}")
    for way in ("gather", "threads", "batch", "aiohttp", "official-sdk", "dask", "ray", "spark"):
        python = environments / ENVIRONMENTS.get(way, "ours") / "bin/python"
        if not python.exists():
            print(f"{way:<32}not installed; ENGINES=1 installs it", flush=True)
            continue
        count = COUNT // FEWER.get(way, 1)
        few = answered(python, way, FEW, environment)
        many = answered(python, way, count, environment)
        if few is None or many is None:
            print(f"{way:<32}failed", flush=True)
            continue
        per_row = (many[1] - few[1]) / (count - FEW) * 1e6
        note = "" if count == COUNT else f"   ({count} rows)"
        print(f"{way:<32}{many[0]:>10.1f}{count / many[0]:>10.0f}{per_row:>12.0f}{few[1]:>20.1f}{note}", flush=True)


if __name__ == "__main__":
    main()
