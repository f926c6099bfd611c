"""What can go wrong, and what each exception knows."""

import sys

from orchestrator.providers import (
    AuthenticationError,
    GigaChatProvider,
    IncompleteStreamError,
    InvalidRequestError,
    ProviderConfig,
    ProviderError,
    RateLimitError,
    TimeoutError,
)

provider = GigaChatProvider(ProviderConfig.from_env(max_retries=1))
prompt = " ".join(sys.argv[1:]) or "What is Python?"
try:
    print(provider.generate_sync(prompt, model="no-such-model"))
except AuthenticationError as error:
    print("check the authorization key:", error)
except RateLimitError as error:
    print("too fast; try again in", error.retry_after, "seconds")
except TimeoutError as error:
    print("too slow in the part", error.phase)
except InvalidRequestError as error:
    print("the request itself is wrong:", error, "| status", error.status_code)
except IncompleteStreamError as error:
    print("broken off after:", error.partial_text)
except ProviderError as error:
    print("anything else:", error, "| worth another try:", error.retryable, "| request", error.request_id)
