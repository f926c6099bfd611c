"""``python -m orchestrator.batch in.jsonl out.jsonl``: a job from a shell, with the key from the environment.

Leaves with 0 when every row was answered, 1 when some failed, 2 when the job ended early.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from .._errors import ProviderError
from ..providers import GigaChatProvider, ProviderConfig
from ._calls import run_sync


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the status to leave with."""
    asked = _parser().parse_args(arguments)
    try:
        provider = GigaChatProvider(ProviderConfig.from_env())
        with _open(asked.rows) as file:
            report = run_sync(
                provider,
                _rows(file),
                asked.out,
                key=asked.key,
                model=asked.model,
                on_error="retry" if asked.retry else "record",
                ordered=asked.ordered,
                progress=not asked.quiet,
                total=_count(asked.rows),
                prices=asked.price,
                max_cost=asked.max_cost,
                limit_in_flight=asked.limit_in_flight,
            )
    except KeyboardInterrupt:
        print(f"interrupted; the same command goes on with {asked.out}", file=sys.stderr)
        return 130
    except (ProviderError, OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(report, file=sys.stderr)
    if report.stopped is not None:
        return 2
    return 1 if report.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator.batch",
        description="Asks GigaChat for every row of a file. Run again, it goes on where it ended."
        " The key and the rest of the configuration come from the GIGACHAT_* variables.",
    )
    parser.add_argument("rows", help="JSONL: a text in quotes, messages, or an object with prompt, messages or request; - is stdin")
    parser.add_argument("out", help="JSONL: a line for each row, with key, text, usage, error")
    parser.add_argument("--key", help="the field with the row's key (id, where there is one; else the row's number)")
    parser.add_argument("--model", help="the model to ask")
    parser.add_argument("--retry", action="store_true", help="ask up to five more times for a row whose error may pass")
    parser.add_argument("--ordered", action="store_true", help="lines in the order of the rows")
    parser.add_argument("--price", type=float, help="what 1000 tokens cost")
    parser.add_argument("--max-cost", type=float, help="end before the file costs more than this; needs --price")
    parser.add_argument("--limit-in-flight", type=int, help="rows asked at once (twice what the scope permits)")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser


def _open(path: str) -> TextIO:
    return sys.stdin if path == "-" else open(path, encoding="utf-8")


def _rows(file: TextIO) -> Iterator[Any]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ValueError(f"{file.name}, line {number}: not JSON: {error}") from None


def _count(path: str) -> int | None:
    if path == "-":
        return None
    with open(path, "rb") as file:
        return sum(1 for line in file if line.strip())


if __name__ == "__main__":
    sys.exit(main())
