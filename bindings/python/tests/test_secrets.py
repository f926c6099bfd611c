"""Keys, tokens, passwords, header values and prompts are in nothing that the package says (I13).

A program of its own does everything that can be done, with every record logged that there is, and tells
all it can see: log records, ``repr`` and ``str`` of everything, tracebacks with the package's local variables.
Its output, its standard error and its log file are searched here. Pickles are not: whoever pickles a configuration asks for its key.
"""

from __future__ import annotations

import base64

import pytest

from orchestrator.providers import ProviderConfig

PASSWORD = "MARKED-PASSWORD"
HEADER = "MARKED-HEADER-VALUE"
PROMPT = "MARKED-PROMPT"

PROGRAM = '''
    import asyncio, gc, logging, os, sys, traceback, warnings
    from orchestrator import Router
    from orchestrator.providers import BaseProvider, GigaChatProvider, ProviderConfig

    key, password, header, prompt, log_file = sys.argv[1:]
    warnings.simplefilter("always")
    logging.basicConfig(level=1, filename=log_file, format="%(name)s %(levelname)s %(message)s %(args)r")

    def tell(value):
        print(repr(value), str(value), f"{value}", flush=True)

    def inside_the_package(tb):
        """The frames behind the program's own, which knows its secrets."""
        while tb is not None and "orchestrator" not in tb.tb_frame.f_code.co_filename:
            tb = tb.tb_next
        return tb

    def tell_error(error, local_variables=True):
        seen = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            tell(error)
            tell(error.args)
            # Body and partial text are the service's words, which may be the prompt's: SECURITY.md.
            tell({name: value for name, value in vars(error).items() if name not in ("body", "partial_text")})
            tb = inside_the_package(error.__traceback__)
            stack = traceback.StackSummary.extract(traceback.walk_tb(tb), capture_locals=local_variables)
            # The program's own argument is a local variable of the function that it was passed to.
            print("".join(stack.format()).replace(prompt, "(the prompt)"), flush=True)
            logging.getLogger("program").error("failed", exc_info=error)
            error = error.__cause__ or error.__context__

    def attempt(call, *arguments, **options):
        try:
            tell(call(*arguments, **options))
        except Exception as error:
            tell_error(error)

    def config(**options):
        defaults = dict(name="gigachat", api_key=key, extra_headers={"X-Gateway": header}, max_retries=0,
                        timeout=5, key_file_password=password)
        return ProviderConfig(**{**defaults, **options})

    def fault(**action):
        import json
        return {"X-Emulator-Fault": json.dumps(action)}

    FAULTS = [{}, *({"extra_headers": fault(**action)} for action in (
        dict(type="status", code=400), dict(type="status", code=401), dict(type="status", code=429),
        dict(type="html_error", code=502), dict(type="redirect", to="https://elsewhere.example/"),
        dict(type="cut_before_answer"), dict(type="cut_after", chunks=1), dict(type="truncated_json", bytes=30),
        dict(type="garbage_event", after=1), dict(type="error_event", after=1), dict(type="omit_done"),
        dict(type="content_encoding_gzip"), dict(type="wrong_content_type"),
    ))]

    def everything(provider):
        tell(provider)
        tell(provider.config)
        for options in FAULTS:
            attempt(lambda: repr(type(provider.generate_sync(prompt, **options))))
            attempt(lambda: len(list(provider.generate_stream_sync(prompt, **options))))
        attempt(provider.health_check_sync)

        async def with_a_loop():
            for call in (provider.generate(prompt), provider.health_check()):
                try:
                    await call
                except Exception as error:
                    tell_error(error)
        asyncio.run(with_a_loop())

    class OwnProvider(BaseProvider):
        async def generate(self, prompt, params=None):
            raise RuntimeError("of the program's own")

        async def health_check(self):
            return True

    everything(GigaChatProvider(config()))
    broken = [
        config(proxy=f"http://{password}:{password}@127.0.0.1:1"),
        config(auth_url="https://127.0.0.1:1/oauth"),
        config(ca_bundle_file=os.devnull, ca_bundle_pem=None),
        config(api_key=None, user="someone", password=password),
        config(api_key=None, access_token=password),
    ]
    for options in broken:
        attempt(lambda: everything(GigaChatProvider(options)))
    attempt(lambda: GigaChatProvider(config(
        cert_file=os.environ["GIGACHAT_EMULATOR_CLIENT_CERT_FILE"],
        key_file=os.environ["GIGACHAT_EMULATOR_CLIENT_KEY_ENCRYPTED_FILE"])).generate_sync(prompt))

    def refuse(**options):
        """The arguments of the constructor are the program's own, and in its frame anyway."""
        try:
            ProviderConfig(name="x", **options)
        except ValueError as error:
            tell_error(error, local_variables=False)

    refuse(api_key=f"not a key: {password}")
    refuse(proxy=f"{password}://{password}")
    refuse(extra_headers={"X-A": f"{header}\\n"})

    router = Router(strategy="round-robin")
    failing = broken[0].model_copy(update={"name": "behind a proxy"})
    for member in (GigaChatProvider(failing), OwnProvider(ProviderConfig(name="own")), GigaChatProvider(config())):
        router.add_provider(member)
    tell(router)
    for _ in range(6):
        attempt(lambda: len(asyncio.run(router.route(prompt))))
    gc.collect()
    print("all was done", file=sys.stderr)
'''


def forms(secret: str) -> set[str]:
    """The secret as it is, in base64 at any alignment, decoded, in hexadecimal digits."""
    found = {secret, secret.encode().hex()}
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + secret.encode()).decode().rstrip("=")
        found.add(encoded[before + 1 if before else 0 : -2])
    try:
        found |= set(base64.b64decode(secret, validate=True).decode(errors="replace").split(":"))
    except ValueError:
        pass
    return {form for form in found if len(form) >= 8}


@pytest.fixture
def said(emulator, run_program, tmp_path):
    log = tmp_path / "program.log"
    done = run_program(PROGRAM, emulator.key, PASSWORD, HEADER, PROMPT, str(log))
    assert done.returncode == 0 and "all was done" in done.stderr, done.stderr[-3000:]
    return {"output": done.stdout, "standard error": done.stderr, "log file": log.read_text()}


def test_no_secret_is_said_whatever_happens(emulator, said):
    assert said["output"].count("Error(") > 40, "much failed"
    assert said["log file"].count("orchestrator.providers") > 40, "the library does speak"
    tokens = {
        value.split(" ", 1)[1]
        for request in emulator.requests()
        for name, value in request["headers"]
        if name == "authorization"
    }
    assert len(tokens) >= 3, "keys and tokens were sent"
    secrets = {emulator.key, PASSWORD, HEADER, PROMPT, *tokens, *(token[-24:] for token in tokens)}
    for secret in secrets:
        for form in forms(secret):
            for where, text in said.items():
                at = text.find(form)
                assert at < 0, f"{form[:8]}... in the {where}: {text[max(0, at - 200) : at + 100]}"


def test_a_configuration_whose_making_is_refused_can_be_shown_without_its_secrets():
    """As tracebacks with local variables and debuggers show it."""
    half_made = []

    class Watched(ProviderConfig):
        def _fill(self, values):
            half_made.append(self)
            super()._fill(values)

    with pytest.raises(ValueError):
        Watched(name="x", password=PASSWORD, api_key="c2VjcmV0", base_url="no URL", timeout=-1)
    assert repr(half_made[0]) == "Watched(name='x', api_key='**********', password='**********')"
