"""Many prompts with a bar, a file, and costs. Run again after an interrupt or a crash, it goes on where
it ended. The bar needs tqdm; without it there is a line."""

import sys

from orchestrator import batch
from orchestrator.providers import GigaChatProvider, ProviderConfig

out = sys.argv[1] if len(sys.argv) > 1 else "cities.jsonl"
provider = GigaChatProvider(ProviderConfig.from_env())
rows = ((letter, f"Name a city that begins with {letter}") for letter in "ABCDEFGHIKLMNOPRST")

report = batch.run_sync(provider, rows, out, progress=True, prices=0.2, max_cost=50)
for row in batch.read(out):
    print(f"{row.key}: {row.text if row.error is None else row.error}")
print(report)
