"""A job's answers as a pandas column and as parquet; skipped where pandas or pyarrow is not installed."""

import pytest

from orchestrator import batch


def test_without_pandas_or_pyarrow_an_error_says_what_to_install(emulator, monkeypatch, tmp_path):
    import sys

    for name in ("pandas", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="batch.map needs pandas: pip install pandas"):
        batch.map(emulator.provider(), ["a"])
    with pytest.raises(ImportError, match="batch.to_parquet needs pyarrow"):
        batch.to_parquet(tmp_path / "a.jsonl", tmp_path / "a.parquet")


@pytest.mark.parametrize("out", [None, "out.jsonl"])
def test_a_column_is_answered_row_by_row(emulator, tmp_path, out):
    pandas = pytest.importorskip("pandas")
    emulator.fault({"type": "status", "code": 422}, endpoint="chat", skip=2)
    column = pandas.Series(["repeat: a", None, "repeat: b", float("nan"), "repeat: c"], index=list("vwxyz"), name="text")
    options = {} if out is None else {"out": tmp_path / out}
    answers = batch.map(emulator.provider(), column, limit_in_flight=1, **options)
    assert answers.index.equals(column.index) and answers.name == "text"
    assert list(answers[["v", "x"]]) == ["a", "b"] and answers[["w", "y", "z"]].isna().all()
    assert list(answers.attrs["errors"]) == ["z"] and answers.attrs["errors"]["z"].status == 422
    assert answers.attrs["usage"]["total_tokens"] > 0
    assert emulator.counters()["chat_attempts"] == 3


def test_a_resumed_column_asks_only_what_is_missing(emulator, tmp_path):
    pandas = pytest.importorskip("pandas")
    column = pandas.Series([f"repeat: {number}" for number in range(6)])
    provider, out = emulator.provider(), tmp_path / "out.jsonl"
    batch.map(provider, column[:4], out=out)
    assert list(batch.map(provider, column, out=out)) == list("012345")
    assert emulator.counters()["chat_attempts"] == 6
    with pytest.raises(batch.ChangedRowError):
        batch.map(provider, column[::-1], out=out)


def test_parquet_has_a_column_for_each_field(emulator, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    emulator.fault({"type": "status", "code": 422}, endpoint="chat", skip=2)
    out = tmp_path / "out.jsonl"
    batch.run_sync(emulator.provider(), ["repeat: a", "repeat: b", "repeat: c"], out, ordered=True, limit_in_flight=1)
    assert batch.to_parquet(out, tmp_path / "out.parquet") == 3
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(row["key"], row["text"], row["error_status"]) for row in rows] == [(0, "a", None), (1, "b", None), (2, None, 422)]
    assert rows[0]["total_tokens"] == rows[0]["prompt_tokens"] + rows[0]["completion_tokens"] > 0
    assert rows[2]["error_kind"] == "InvalidRequestError" and rows[2]["error_retryable"] is False


def test_keys_that_are_texts_stay_texts(emulator, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "out.jsonl"
    batch.run_sync(emulator.provider(), [("k", "repeat: a"), (5, "repeat: b")], out)
    batch.to_parquet(out, tmp_path / "out.parquet")
    assert {row["key"] for row in parquet.read_table(tmp_path / "out.parquet").to_pylist()} == {"k", "5"}
