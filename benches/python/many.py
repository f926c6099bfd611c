"""Many prompts, one way: `many.py WAY COUNT` answers them, 64 in flight in all, and prints the seconds that took.

Each way is what its users write. Clusters are started, and have answered a few, before the clock is.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
import time

from clients import BY_NAME, KEY

TOGETHER = 64
PARTS = 16
WARM = 64


def prompts(count):
    return [f"write 60 tokens about {number}" for number in range(count)]


def config():
    from orchestrator.providers import ProviderConfig

    return ProviderConfig(name="bench", api_key=KEY, max_concurrency=TOGETHER)


def provider():
    from orchestrator.providers import GigaChatProvider

    return GigaChatProvider(config())


@contextlib.contextmanager
def clock():
    begin = time.perf_counter()
    yield
    print(time.perf_counter() - begin, flush=True)


def gather(count):
    one = provider()

    async def all_of_them():
        return await asyncio.gather(*map(one.generate, prompts(count)))

    with clock():
        assert all(asyncio.run(all_of_them()))


def threads(count):
    from concurrent.futures import ThreadPoolExecutor

    one = provider()
    with clock(), ThreadPoolExecutor(TOGETHER) as pool:
        assert all(pool.map(one.generate_sync, prompts(count)))


def batch(count):
    from orchestrator import batch

    with tempfile.TemporaryDirectory() as folder, clock():
        report = batch.run_sync(provider(), prompts(count), f"{folder}/answers.jsonl")
        assert report.ok == count


def peer(name):
    def way(count):
        async def all_of_them():
            client = BY_NAME[name]()
            room = asyncio.Semaphore(TOGETHER)

            async def ask(prompt):
                async with room:
                    return await client.generate(prompt)

            answers = await asyncio.gather(*map(ask, prompts(count)))
            if hasattr(client, "close"):
                await client.close()
            return answers

        with clock():
            assert all(asyncio.run(all_of_them()))

    return way


def dask(count):
    import dask.dataframe
    import pandas
    from distributed import Client, LocalCluster

    from orchestrator import batch

    def answered(many):
        table = dask.dataframe.from_pandas(pandas.DataFrame({"text": prompts(many)}), npartitions=PARTS)
        return batch.dask_map(table.text, config()).text.notnull().sum().compute()

    with LocalCluster(n_workers=4, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        answered(WARM)
        with clock():
            assert answered(count) == count


def ray(count):
    import ray

    from orchestrator import batch

    def answered(many):
        dataset = ray.data.from_items([{"text": prompt} for prompt in prompts(many)])
        return batch.ray_map(dataset, "text", config()).to_pandas().answer_text.notnull().sum()

    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    answered(WARM)
    with clock():
        assert answered(count) == count
    ray.shutdown()


def spark(count):
    from pyspark.sql import SparkSession

    from orchestrator import batch

    session = SparkSession.builder.master("local[4]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")

    def answered(many):
        frame = session.createDataFrame([(prompt,) for prompt in prompts(many)], "text string")
        return batch.spark_map(frame, "text", config()).where("answer_text is not null").count()

    answered(WARM)
    with clock():
        assert answered(count) == count
    session.stop()


WAYS = {
    "gather": gather,
    "threads": threads,
    "batch": batch,
    "aiohttp": peer("aiohttp"),
    "official-sdk": peer("official-sdk"),
    "dask": dask,
    "ray": ray,
    "spark": spark,
}

if __name__ == "__main__":
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    WAYS[sys.argv[1]](int(sys.argv[2]))
