"""Dask, Ray Data and Spark: 200 rows through a local cluster of several processes, none lost, one token.

Each is skipped where it is not installed; ``ENGINES=1 ./test.sh tests/test_batch_engines.py`` installs them.
"""

import base64
import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

ROWS = 200
BEGIN = """
    import os, sys

    import pandas
    from orchestrator import batch
    from orchestrator.providers import ProviderConfig

    def corp(name="GIGACHAT_EMULATOR_CREDENTIALS_CORP"):
        return ProviderConfig(name="corp", api_key=os.environ[name], scope="GIGACHAT_API_CORP", max_retries=0)

    frame = pandas.DataFrame({"text": [f"repeat: {number}" for number in range(200)]})
    frame.loc[7, "text"] = None
    frame["number"] = range(200)
    whole = [None if number == 7 else str(number) for number in range(200)]

    def same(found):
        return [None if pandas.isna(text) else text for text in found] == whole
"""


@pytest.fixture
def run_engine(emulator, tmp_path):
    """Runs a program; the workers find the package and the emulator by the environment."""

    def run(source, **variables):
        program = tmp_path / "program.py"
        program.write_text(textwrap.dedent(BEGIN) + textwrap.dedent(source))
        ours = {"RAY_AUTH_MODE": "disabled", "PYSPARK_PYTHON": sys.executable}
        done = subprocess.run(
            [sys.executable, program],
            env={**os.environ, **emulator.variables, **ours, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    emulator.fault({"type": "delay_headers", "ms": 20}, endpoint="chat", times=0)
    return run


def nothing_lost_and_one_asker(emulator):
    counters = emulator.counters()
    return (counters["chat_requests"], counters["rejected_429"], counters["token_requests"]) == (ROWS - 1, 0, 1)


DASK = """
    from distributed import Client, LocalCluster
    import dask.dataframe

    if __name__ == "__main__":
        with LocalCluster(n_workers=3, threads_per_worker=2, processes=True, dashboard_address=None) as cluster:
            with Client(cluster) as client:
                table = dask.dataframe.from_pandas(frame, npartitions=8)
                {}
"""


def test_dask_loses_no_row(emulator, run_engine):
    pytest.importorskip("distributed")
    pytest.importorskip("dask.dataframe")
    said = run_engine(
        DASK.format(
            """
                answers = batch.dask_map(table.text, corp())
                done = table.assign(answer=answers.text, tokens=answers.total_tokens).compute()
                print(same(done.answer), int(done.tokens.sum()) > 200, done.index.equals(frame.index))
            """
        )
    )
    assert said.split() == ["True"] * 3
    assert nothing_lost_and_one_asker(emulator)


def test_with_dask_the_key_may_stay_in_the_workers_environment(emulator, run_engine):
    pytest.importorskip("distributed")
    pytest.importorskip("dask.dataframe")
    key = emulator.variables["GIGACHAT_EMULATOR_CREDENTIALS_CORP"]
    said = run_engine(
        DASK.format(
            """
                import cloudpickle
                answers = batch.dask_map(table.text)
                graph = cloudpickle.dumps(dict(answers.__dask_graph__()))
                print(same(answers.text.compute()), os.environ["GIGACHAT_CREDENTIALS"].encode() in graph)
            """
        ),
        GIGACHAT_CREDENTIALS=key,
        GIGACHAT_SCOPE="GIGACHAT_API_CORP",
        GIGACHAT_EMULATOR="",
    )
    assert said.split() == ["True", "False"]
    assert nothing_lost_and_one_asker(emulator)


RAY = """
    import ray
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    dataset = ray.data.from_pandas(frame).repartition(8)
    {}
    done = answers.to_pandas()
    done = done.sort_values("number")
    print(same(done.answer_text), int(done.answer_total_tokens.sum()) > 200)
"""


def test_ray_loses_no_row(emulator, run_engine):
    pytest.importorskip("ray.data")
    said = run_engine(
        RAY.format('answers = batch.ray_map(dataset, "text", corp())')
    )
    assert said.split()[-2:] == ["True", "True"], said
    assert nothing_lost_and_one_asker(emulator)


SPARK = """
    from pyspark.sql import SparkSession
    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.sql.execution.arrow.pyspark.enabled", "true").getOrCreate())
    table = spark.createDataFrame(frame, schema="text string, number long").repartition(4)
"""


def test_spark_loses_no_row(emulator, run_engine):
    pytest.importorskip("pyspark")
    said = run_engine(
        SPARK
        + """
    done = batch.spark_map(table, "text", corp()).toPandas().sort_values("number")
    print(same(done.answer_text), int(done.answer_total_tokens.sum()) > 200, list(done.columns[:3]))
        """
    )
    assert said.split(None, 2) == ["True", "True", "['text', 'number', 'answer_text']\n"], said
    assert nothing_lost_and_one_asker(emulator)


TWO = '[corp(), corp("GIGACHAT_EMULATOR_CREDENTIALS_SECOND")]'


@pytest.mark.parametrize("engine", ["dask", "ray", "spark"])
def test_two_credentials_are_two_askers(emulator, run_engine, engine):
    needed = {"dask": "dask.dataframe", "ray": "ray.data", "spark": "pyspark"}[engine]
    pytest.importorskip(needed)
    name, _, secret = base64.b64decode(emulator.variables["GIGACHAT_EMULATOR_CREDENTIALS_CORP"]).partition(b":")
    second = base64.b64encode(name + b"-second:" + secret).decode()
    source = {
        "dask": DASK.format(f"print(same(batch.dask_map(table.text, {TWO}).text.compute()))"),
        "ray": RAY.format(f'answers = batch.ray_map(dataset, "text", {TWO})'),
        "spark": SPARK
        + f"""
    done = batch.spark_map(table, "text", {TWO}).toPandas().sort_values("number")
    print(same(done.answer_text))
        """,
    }[engine]
    assert run_engine(source, GIGACHAT_EMULATOR_CREDENTIALS_SECOND=second).split()[-1] == "True"
    counters = emulator.counters()
    assert (counters["chat_requests"], counters["rejected_429"]) == (ROWS - 1, 0)
    # Ray gives a few rows to one of the two.
    assert counters["token_requests"] in ((1, 2) if engine == "ray" else (2,))


def test_a_column_that_is_not_there_or_in_the_way_is_refused_before_anything_is_asked(emulator, run_engine):
    pytest.importorskip("pyspark")
    said = run_engine(
        SPARK
        + """
    for column, prefix in ("absent", "answer_"), ("text", ""):
        try:
            batch.spark_map(table, column, corp(), prefix=prefix)
        except ValueError as error:
            print(str(error).split(":")[0])
        """
    )
    assert said.split() == ["absent", "text"]
    assert emulator.counters()["chat_attempts"] == 0


def test_a_task_of_ray_raises_the_error_with_its_status(emulator, run_engine):
    pytest.importorskip("ray")
    said = run_engine(
        """
    import ray
    from orchestrator.providers import GigaChatProvider, NotFoundError

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    provider = GigaChatProvider(corp())

    @ray.remote(max_retries=0)
    def ask():
        return provider.generate_sync("x", model="no-such-model")

    try:
        ray.get(ask.remote())
    except NotFoundError as error:
        print(error.status_code, error.attempts, error.phase, bool(error.request_id), bool(error.body))
        """
    )
    assert said.split()[-5:] == ["404", "1", "answer", "True", "True"], said
