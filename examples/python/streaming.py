"""An answer piece by piece, and what is known of it at its end."""

import asyncio

from orchestrator.providers import GigaChatProvider, ProviderConfig


async def main() -> None:
    provider = GigaChatProvider(ProviderConfig.from_env())
    async with provider.generate_stream("Count to 20") as stream:
        async for piece in stream:
            print(piece, end="", flush=True)
    print(f"\n[{stream.finish_reason}, {stream.usage}, {stream.timings.total:.2f} s]")


asyncio.run(main())
