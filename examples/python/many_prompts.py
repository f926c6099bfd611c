"""Many prompts at once with a progress bar. The provider itself keeps to the scope's concurrency,
so no semaphore is needed. The bar needs tqdm; without it the numbers are printed."""

import asyncio

from orchestrator.providers import GigaChatProvider, ProviderConfig, ProviderError

try:
    from tqdm import tqdm
except ImportError:
    tqdm = None


async def main() -> None:
    provider = GigaChatProvider(ProviderConfig.from_env())
    prompts = [f"Name a city that begins with {letter}" for letter in "ABCDEFGHIKLMNOPRST"]

    async def ask(prompt: str) -> str:
        try:
            return await provider.generate(prompt)
        except ProviderError as error:
            return f"failed: {error}"

    tasks = [asyncio.ensure_future(ask(prompt)) for prompt in prompts]
    bar = tqdm(total=len(tasks)) if tqdm else None
    for number, task in enumerate(asyncio.as_completed(tasks), 1):
        await task
        if bar:
            bar.update()
        else:
            print(f"{number}/{len(tasks)}", end="\r", flush=True)
    if bar:
        bar.close()
    for prompt, task in zip(prompts, tasks):
        print(f"{prompt}: {task.result()}")


asyncio.run(main())
