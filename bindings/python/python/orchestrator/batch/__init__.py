"""Many prompts in one call: a window of requests, a file that survives a crash, progress and costs.

>>> from orchestrator import batch
>>> report = batch.run_sync(provider, rows, "answers.jsonl", progress=True)
>>> print(report)
1000 answered, 0 failed, 0 there before, 61200 tokens, 104.2 s

``run`` writes a file and can be resumed; ``stream`` and ``gather`` give the results to the program;
each has a blocking twin whose name ends in ``_sync``. ``map`` does a pandas column, ``dask_map``,
``ray_map`` and ``spark_map`` those of the engines. ``python -m orchestrator.batch in.jsonl out.jsonl``
does it from a shell. One process asks for everything: more of them would share the same permits.
"""

from __future__ import annotations

from ._calls import gather, gather_sync, run, run_sync, stream, stream_sync
from ._engines import dask_map, ray_map, spark_map
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
    "dask_map",
    "gather",
    "gather_sync",
    "map",
    "ray_map",
    "read",
    "run",
    "run_sync",
    "spark_map",
    "stream",
    "stream_sync",
    "to_parquet",
]
