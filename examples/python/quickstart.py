"""The shortest program: one prompt. Set GIGACHAT_CREDENTIALS to the authorization key."""

from orchestrator.providers import GigaChatProvider, ProviderConfig

provider = GigaChatProvider(ProviderConfig.from_env())
print(provider.generate_sync("What is Python? One sentence."))
