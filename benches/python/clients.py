"""The four clients behind one face, so that all of them are asked the same thing.

Each is used as its documentation says. What one cannot do is missing: aiohttp blocks nowhere, the
ancestor takes no headers. The rows of such scenarios stay empty.
"""

import json
import os

URL = os.environ["GIGACHAT_BASE_URL"]
CA = os.environ["GIGACHAT_CA_BUNDLE_FILE"]
KEY = os.environ["GIGACHAT_CREDENTIALS"]


def wire(prompt, **fields):
    return {"model": "GigaChat", "messages": [{"role": "user", "content": prompt}], **fields}


class Ours:
    """libgigachat, the wheel of this repository."""

    def __init__(self):
        from orchestrator.providers import GigaChatProvider, ProviderConfig

        self.provider = GigaChatProvider(ProviderConfig(name="bench", api_key=KEY, max_concurrency=0))

    async def generate(self, prompt):
        return await self.provider.generate(prompt)

    async def generate_with(self, prompt, headers):
        return await self.provider.generate(prompt, extra_headers=headers)

    def generate_sync(self, prompt):
        return self.provider.generate_sync(prompt)

    def stream(self, prompt):
        return self.provider.generate_stream(prompt)

    def chunks(self, prompt):
        return self.provider.chat_stream(wire(prompt))


class Aiohttp:
    """aiohttp and json, with a token that was fetched before."""

    def __init__(self):
        import ssl

        import aiohttp

        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=CA), limit=0),
            headers={"Authorization": "Bearer " + os.environ["BENCH_ACCESS_TOKEN"]},
        )

    async def generate(self, prompt):
        return await self.generate_with(prompt, None)

    async def generate_with(self, prompt, headers):
        async with self.session.post(f"{URL}/chat/completions", json=wire(prompt), headers=headers) as answer:
            answer.raise_for_status()
            return (await answer.json())["choices"][0]["message"]["content"]

    async def stream(self, prompt):
        request = self.session.post(f"{URL}/chat/completions", json=wire(prompt, stream=True))
        async with request as answer:
            answer.raise_for_status()
            async for line in answer.content:
                if not line.startswith(b"data: "):
                    continue
                data = line[6:].strip()
                if data == b"[DONE]":
                    return
                text = json.loads(data)["choices"][0]["delta"].get("content")
                if text:
                    yield text

    async def close(self):
        await self.session.close()


class OfficialSdk:
    """The service's own SDK, `gigachat`; the environment tells it where the service is."""

    def __init__(self):
        from gigachat import GigaChat, context

        self.headers = context.custom_headers_cvar
        self.giga = GigaChat(model="GigaChat", max_connections=200)

    async def generate(self, prompt):
        return (await self.giga.achat(prompt)).choices[0].message.content

    async def generate_with(self, prompt, headers):
        self.headers.set(headers)
        return await self.generate(prompt)

    def generate_sync(self, prompt):
        return self.giga.chat(prompt).choices[0].message.content

    async def stream(self, prompt):
        async for chunk in self.giga.astream(prompt):
            text = chunk.choices[0].delta.content
            if text:
                yield text


class Ancestor:
    """multi-llm-orchestrator, which opens a connection for every request."""

    def __init__(self):
        os.environ["SSL_CERT_FILE"] = CA
        from orchestrator.providers import GigaChatProvider, ProviderConfig

        class Local(GigaChatProvider):
            OAUTH_URL = os.environ["GIGACHAT_AUTH_URL"]

        self.provider = Local(ProviderConfig(name="bench", api_key=KEY, base_url=URL))

    async def generate(self, prompt):
        return await self.provider.generate(prompt)

    def stream(self, prompt):
        return self.provider.generate_stream(prompt)


BY_NAME = {"ours": Ours, "aiohttp": Aiohttp, "official-sdk": OfficialSdk, "ancestor": Ancestor}
