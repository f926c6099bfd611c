"""A column of a pandas DataFrame, answered: a bar, a file that a second run goes on with, parquet."""

import pathlib
import tempfile

import pandas as pd

from orchestrator import batch
from orchestrator.providers import GigaChatProvider, ProviderConfig

frame = pd.DataFrame({"review": ["Great, will buy again.", "Broke on the second day.", None]})
provider = GigaChatProvider(ProviderConfig.from_env())
folder = pathlib.Path(tempfile.mkdtemp())
prompts = "Is this review good or bad? One word: " + frame.review
frame["verdict"] = batch.map(provider, prompts, out=folder / "verdicts.jsonl", progress=True)
print(frame)
print("errors:", frame.verdict.attrs.get("errors", {}))
print("rows in the parquet file:", batch.to_parquet(folder / "verdicts.jsonl", folder / "verdicts.parquet"))
