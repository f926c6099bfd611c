"""A job of many rows (10,000, or as many as the first argument says) that survives anything: a row that the
file has is not asked again. Ctrl-C it and run it once more."""

import asyncio
import sys
from collections.abc import Iterator

from orchestrator import batch
from orchestrator.providers import GigaChatProvider, PaymentRequiredError, ProviderConfig

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
OUT = sys.argv[2] if len(sys.argv) > 2 else "job.jsonl"


def rows() -> Iterator[tuple[str, str]]:
    """Read as they are asked: from a file, a cursor of a database, ..."""
    for number in range(COUNT):
        yield f"ticket-{number}", f"Summarise ticket {number} in one sentence."


def tell(progress: batch.Progress) -> None:
    print(f"\r{progress}", end="", file=sys.stderr)


async def main() -> None:
    provider = GigaChatProvider(ProviderConfig.from_env())
    try:
        report = await batch.run(provider, rows(), OUT, on_error="retry", progress=tell, total=COUNT)
    except PaymentRequiredError as error:
        sys.exit(f"\nno tokens left: {error}; buy some and run this again")
    print(f"\n{report}")


asyncio.run(main())
