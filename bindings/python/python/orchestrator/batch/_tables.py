"""A job's answers as a table: a parquet file, or a column of a pandas DataFrame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ._asker import Provider
from ._calls import gather_sync, run_sync
from ._columns import COLUMNS, columns_of
from ._journal import Path, read
from ._optional import needs
from ._result import USAGE, Result

_ROWS_AT_ONCE = 10_000


def to_parquet(source: Path, target: Path) -> int:
    """Writes a job's file as parquet; returns the number of rows. Needs pyarrow.

    A column for each field; ``usage`` and ``error`` have theirs (``prompt_tokens``, ...,
    ``error_kind``, ``error_status``, ``error_message``, ``error_retryable``). Keys are whole numbers
    when all are, else texts. Memory does not grow with the rows.
    """
    pa = needs("pyarrow", "to_parquet")
    pq = needs("pyarrow.parquet", "to_parquet")
    numbers = all(isinstance(result.key, int) and -(2**63) <= result.key < 2**63 for result in read(source))
    schema = _schema(pa, numbers)
    written = 0
    with pq.ParquetWriter(target, schema) as writer:
        results = read(source)
        while rows := list(islice(results, _ROWS_AT_ONCE)):
            records = [
                {"key": result.key if numbers else str(result.key), **columns_of(result)} for result in rows
            ]
            writer.write_table(pa.Table.from_pylist(records, schema=schema))
            written += len(rows)
    return written


def map(
    provider: Provider,
    column: Any,
    *,
    out: Path | None = None,
    **options: Any,
) -> Any:
    """Answers each text of a pandas Series: a Series of the answers with the same index. Blocking.

    Missing values stay missing and are not asked. A row that failed is missing too, and its
    ``RowError`` is in ``.attrs["errors"]``, by its label; ``.attrs["usage"]`` has the tokens. With
    ``out`` the job has a file and can be resumed with the same column. Other options are those of
    ``run`` (and of ``gather`` without ``out``). Needs pandas.
    """
    pandas = needs("pandas", "map")
    asked = list(_present(column))
    results: Iterable[Result]
    if out is None:
        results = gather_sync(provider, asked, **options)
    else:
        run_sync(provider, asked, out, **options)
        results = read(out)
    texts: list[str | None] = [None] * len(column)
    errors: dict[Any, Any] = {}
    usage = dict.fromkeys(USAGE, 0)
    for result in results:
        place = int(result.key)
        if place >= len(texts):
            continue
        texts[place] = result.text
        if result.error is not None:
            errors[column.index[place]] = result.error
        if result.usage is not None:
            for name in USAGE:
                usage[name] += getattr(result.usage, name)
    answers = pandas.Series(texts, index=column.index, name=column.name, dtype=object)
    answers.attrs["errors"] = errors
    answers.attrs["usage"] = usage
    return answers


def _present(column: Any) -> Iterator[tuple[int, Any]]:
    for place, text in enumerate(column):
        if not is_missing(text):
            yield place, text


def is_missing(value: Any) -> bool:
    """None, NaN, or pandas' NA."""
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and math.isnan(value))


def _schema(pa: Any, numbers: bool) -> Any:
    kinds = {"text": pa.string(), "whole number": pa.int64(), "truth value": pa.bool_()}
    columns = [("key", kinds["whole number" if numbers else "text"])]
    return pa.schema(columns + [(name, kinds[kind]) for name, kind in COLUMNS.items()])
