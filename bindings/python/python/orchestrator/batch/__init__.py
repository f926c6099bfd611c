"""Many prompts in one call: a window of requests, a file that survives a crash, progress and costs.

>>> from orchestrator import batch
>>> report = batch.run_sync(provider, rows, "answers.jsonl", progress=True)
>>> print(report)
1000 answered, 0 failed, 0 there before, 61200 tokens, 104.2 s

``run`` writes a file and can be resumed; ``stream`` and ``gather`` give the results to the program;
``map`` does a pandas column. Each has a blocking twin whose name ends in ``_sync`` (``map`` is
blocking). ``python -m orchestrator.batch in.jsonl out.jsonl`` does it from a shell.
One process asks for everything: more of them would share the same permits.
"""

from __future__ import annotations

from ._calls import gather, gather_sync, run, run_sync, stream, stream_sync
from ._journal import JournalError, read
from ._keys import ChangedRowError, DuplicateKeyError
from ._progress import Progress
from ._report import Report
from ._result import Result, RowError
from ._tables import map, to_parquet

__all__ = [
    "ChangedRowError",
    "DuplicateKeyError",
    "JournalError",
    "Progress",
    "Report",
    "Result",
    "RowError",
    "gather",
    "gather_sync",
    "map",
    "read",
    "run",
    "run_sync",
    "stream",
    "stream_sync",
    "to_parquet",
]
