"""Several providers as one: the next one is asked when one fails. The second one here is a
program's own."""

import asyncio

from orchestrator import Router, UsageData
from orchestrator.providers import BaseProvider, GigaChatProvider, ProviderConfig


class Canned(BaseProvider):
    """Always has the same answer; stands for any service of your own."""

    async def generate(self, prompt, params=None):
        return "I am only the spare."

    async def health_check(self):
        return True


async def note(usage: UsageData) -> None:
    outcome = "ok" if usage.success else usage.error_type
    print(f"  [{usage.provider_name}: {outcome}, {usage.total_tokens} tokens, {usage.latency_ms:.0f} ms]")


async def main() -> None:
    router = Router(strategy="first-available", usage_callback=note)
    router.add_provider(GigaChatProvider(ProviderConfig.from_env(name="main")))
    router.add_provider(Canned(ProviderConfig(name="spare")))
    print(await router.route("What is Python?"))
    async for piece in router.route_stream("Count to five"):
        print(piece, end="", flush=True)
    print()
    for name, metrics in router.get_metrics().items():
        print(name, metrics)


asyncio.run(main())
