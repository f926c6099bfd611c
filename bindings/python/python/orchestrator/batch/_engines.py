"""Dask, Ray Data and Spark: the engine moves the rows to one asker per credential.

The permits are the bottleneck, not the processor: askers that share a credential only get answers
of 429. Each of these functions is thin: how work is spread, kept and repeated is the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..providers.base import ProviderConfig
from ..providers.gigachat import GigaChatProvider
from ._calls import gather
from ._columns import COLUMNS, columns_of
from ._optional import needs
from ._tables import is_missing

Configs = ProviderConfig | Sequence[ProviderConfig] | None

__all__ = ["dask_map", "ray_map", "spark_map"]

_KINDS = {"text": "object", "whole number": "Int64", "truth value": "boolean"}
"""The kinds of columns as pandas names them."""
_ROWS_AT_ONCE = 512
"""Rows in one request to a Ray actor: many more than permits, so that they are seldom idle."""


def dask_map(column: Any, config: Configs = None, *, client: Any = None, **options: Any) -> Any:
    """Answers a Dask Series of texts: a Dask DataFrame of answers with the same index and divisions.

    Its columns are those of ``to_parquet`` without the key: ``text``, ``finish_reason``, ...,
    ``error_message``. Lazy as any Dask collection; ``persist`` or write it, for every ``compute`` asks
    (and pays) anew. One actor asks for all partitions; with several configs, one each.

    ``config=None`` reads the credential from the environment of the worker, where it stays; a config
    travels through the scheduler with its key. ``options`` are those of ``gather``. Needs a
    ``distributed.Client``, the one in use or ``client``.
    """
    if client is None:
        client = needs("distributed", "dask_map").get_client()
    askers = [client.submit(Asker, one, options, actor=True, pure=False).result() for one in _each(config)]
    meta = _frame([])
    return column.map_partitions(_Through(askers), meta=meta, enforce_metadata=False)


def ray_map(dataset: Any, column: str, config: Configs = None, *, prefix: str = "answer_", **options: Any) -> Any:
    """Answers a column of a Ray Dataset: the Dataset with the columns of the answers beside its own.

    They are those of ``dask_map`` behind ``prefix``: ``answer_text``, ... See there for the config too. Lazy; ``materialize`` or write it. A pool of one
    actor asks; with several configs, one actor each.
    """
    ray = needs("ray", "ray_map")
    data = needs("ray.data", "ray_map")
    configs = _each(config)
    _check(dataset.columns(), column, prefix)
    turns = ray.remote(num_cpus=0)(_Turns).remote()
    return dataset.map_batches(
        _RayAsker,
        fn_constructor_args=(turns, configs, column, prefix, options),
        batch_format="pandas",
        batch_size=_ROWS_AT_ONCE,
        compute=data.ActorPoolStrategy(size=len(configs)),
    )


def spark_map(frame: Any, column: str, config: Configs = None, *, prefix: str = "answer_", **options: Any) -> Any:
    """Answers a column of a Spark DataFrame: the DataFrame with the columns of the answers beside its own.

    They are those of ``dask_map`` behind ``prefix``: ``answer_text``, ... See there for the config too. Lazy; write it, for every action asks (and pays)
    anew, and so does a task that Spark repeats or, with speculation, runs twice. The rows go to one
    partition, whose task asks; with several configs, to one each.
    """
    types = needs("pyspark.sql.types", "spark_map")
    _check(frame.columns, column, prefix)
    kinds = {"text": types.StringType(), "whole number": types.LongType(), "truth value": types.BooleanType()}
    schema = types.StructType(list(frame.schema.fields))
    for name, kind in COLUMNS.items():
        schema = schema.add(prefix + name, kinds[kind])
    configs = _each(config)
    return frame.repartition(len(configs)).mapInPandas(_SparkAsker(configs, column, prefix, options), schema)


class Asker:
    """Asks with one credential, for whoever sends rows."""

    def __init__(self, config: ProviderConfig | None, options: dict[str, Any]) -> None:
        if config is None:
            from ..providers.base import ProviderConfig

            config = ProviderConfig.from_env()
        self._provider = GigaChatProvider(config)
        self._options = options

    async def ask(self, texts: list[Any]) -> list[dict[str, Any] | None]:
        """The columns of each answer, in order; ``None`` for a missing text."""
        asked = [(place, text) for place, text in enumerate(texts) if not is_missing(text)]
        answers: list[dict[str, Any] | None] = [None] * len(texts)
        for result in await gather(self._provider, asked, **self._options):
            answers[int(result.key)] = columns_of(result)
        return answers

    def ask_blocking(self, texts: list[Any]) -> list[dict[str, Any] | None]:
        """The same, blocking."""
        from ._blocking import OwnLoop

        with OwnLoop() as loop:
            return loop.run(self.ask(texts))


class _Through:
    """A partition of Dask's, sent to its actor."""

    def __init__(self, askers: list[Any]) -> None:
        self._askers = askers

    def __call__(self, part: Any, partition_info: Any = None) -> Any:
        number = (partition_info or {}).get("number", 0)
        answers = self._askers[number % len(self._askers)].ask(list(part)).result()
        return _frame(answers, part.index)


class _Turns:
    """Which of the credentials the next actor of a pool takes."""

    def __init__(self) -> None:
        self._taken = 0

    def take(self) -> int:
        self._taken += 1
        return self._taken - 1


class _RayAsker:
    """An actor of Ray Data's pool."""

    def __init__(self, turns: Any, configs: list[Any], column: str, prefix: str, options: dict[str, Any]) -> None:
        turn = needs("ray", "ray_map").get(turns.take.remote())
        self._asker = Asker(configs[turn % len(configs)], options)
        self._column = column
        self._prefix = prefix

    def __call__(self, rows: Any) -> Any:
        return _beside(rows, self._asker.ask_blocking(list(rows[self._column])), self._prefix)


class _SparkAsker:
    """What the task of a partition of Spark's runs."""

    def __init__(self, configs: list[Any], column: str, prefix: str, options: dict[str, Any]) -> None:
        self._configs = configs
        self._column = column
        self._prefix = prefix
        self._options = options

    def __call__(self, parts: Iterator[Any]) -> Iterator[Any]:
        context = needs("pyspark", "spark_map").TaskContext.get()
        number = 0 if context is None else context.partitionId()
        asker = Asker(self._configs[number % len(self._configs)], self._options)
        for rows in parts:
            yield _beside(rows, asker.ask_blocking(list(rows[self._column])), self._prefix)


def _each(config: Configs) -> list[ProviderConfig | None]:
    if isinstance(config, (list, tuple)):
        if not config:
            raise ValueError("config: an empty list asks nobody")
        return list(config)
    return [config]  # type: ignore[list-item]


def _check(columns: list[str], asked: str, prefix: str) -> None:
    """Before anything is asked: the column is there, and none is in the way of the answers'."""
    if asked not in columns:
        raise ValueError(f"{asked}: there is no such column, only {', '.join(columns)}")
    for name in COLUMNS:
        if prefix + name in columns:
            raise ValueError(f"{prefix + name}: there is such a column already; prefix= names the answers otherwise")


def _frame(answers: list[dict[str, Any] | None], index: Any = None) -> Any:
    pandas = needs("pandas", "dask_map, ray_map and spark_map")
    columns = {
        name: pandas.Series([answer and answer[name] for answer in answers], index=index, dtype=_KINDS[kind])
        for name, kind in COLUMNS.items()
    }
    return pandas.DataFrame(columns)


def _beside(rows: Any, answers: list[dict[str, Any] | None], prefix: str) -> Any:
    return rows.join(_frame(answers, rows.index).add_prefix(prefix))
