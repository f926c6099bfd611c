#!/usr/bin/env python3
"""Pairs the library with libcurl: client CPU per request, alternating runs, medians and ratios.

The server is the emulator in a process of its own; both clients use HTTP/1.1 over TLS with
keep-alive, the same body, and get the same answer of about 650 bytes. The library parses it,
libcurl does not. Prints a table; decides nothing.
"""

import json
import os
import pathlib
import ssl
import statistics
import subprocess
import sys
import urllib.request
import uuid

ROUNDS = 7
PROMPT = "write 230 tokens"


def access_token(environment):
    """A token for libcurl, which knows no OAuth."""
    request = urllib.request.Request(
        environment["GIGACHAT_AUTH_URL"],
        data=f"scope={environment['GIGACHAT_SCOPE']}".encode(),
        headers={
            "Authorization": f"Basic {environment['GIGACHAT_CREDENTIALS']}",
            "RqUID": str(uuid.uuid4()),
            "User-Agent": "bench",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    context = ssl.create_default_context(cafile=environment["GIGACHAT_CA_BUNDLE_FILE"])
    https = urllib.request.HTTPSHandler(context=context)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
    return json.loads(opener.open(request, timeout=10).read())["access_token"]


def microseconds(program, requests, environment):
    command = [str(program), str(requests), PROMPT]
    done = subprocess.run(command, env=environment, check=True, timeout=120, stdout=subprocess.PIPE)
    return float(done.stdout)


def pair(title, ours, peer, requests, goal, environment):
    rounds = []
    for number in range(ROUNDS):
        order = [ours, peer] if number % 2 == 0 else [peer, ours]
        figures = {program: microseconds(program, requests, environment) for program in order}
        rounds.append((figures[ours], figures[peer]))
    ratio = statistics.median(mine / theirs for mine, theirs in rounds)
    mine = statistics.median(mine for mine, _ in rounds)
    theirs = statistics.median(theirs for _, theirs in rounds)
    spread = [mine / theirs for mine, theirs in rounds]
    print(f"{title:<44} {mine:8.1f} {theirs:8.1f} {ratio:7.2f} {min(spread):6.2f}-{max(spread):.2f} {goal:>7}")


def main():
    programs = pathlib.Path(sys.argv[1])
    environment = dict(os.environ)
    environment["BENCH_ACCESS_TOKEN"] = access_token(environment)
    print(f"CPU per request in microseconds (user + system), median of {ROUNDS} alternating runs")
    print(f"{'':<44} {'ours':>8} {'libcurl':>8} {'ratio':>7} {'spread':>11} {'goal':>7}")
    pair("gigachat_generate / easy, 1 in flight", programs / "gigachat_one", programs / "curl_one", 4000, "<=1.25", environment)
    pair("completion queue / multi, 64 in flight", programs / "gigachat_many", programs / "curl_many", 20000, "<=0.80", environment)


if __name__ == "__main__":
    main()
