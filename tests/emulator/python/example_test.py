"""A program under test that knows nothing of the emulator: it reads the usual variables."""

import json
import os
import ssl
import urllib.error
import urllib.request
import uuid

import pytest


def ask(prompt):
    trusted = ssl.create_default_context(cafile=os.environ["GIGACHAT_CA_BUNDLE_FILE"])

    def post(url, body, **headers):
        request = urllib.request.Request(url, body, headers)
        with urllib.request.urlopen(request, timeout=30, context=trusted) as answer:
            return json.load(answer)

    token = post(
        os.environ["GIGACHAT_AUTH_URL"],
        b"scope=GIGACHAT_API_PERS",
        Authorization=f"Basic {os.environ['GIGACHAT_CREDENTIALS']}",
        RqUID=str(uuid.uuid4()),
        **{"Content-Type": "application/x-www-form-urlencoded"},
    )["access_token"]
    answer = post(
        f"{os.environ['GIGACHAT_BASE_URL']}/chat/completions",
        json.dumps({"model": "GigaChat", "messages": [{"role": "user", "content": prompt}]}).encode(),
        Authorization=f"Bearer {token}",
        **{"Content-Type": "application/json"},
    )
    return answer["choices"][0]["message"]["content"]


def test_a_scripted_answer_arrives(gigachat_emulator):
    gigachat_emulator.answer("as told")
    assert ask("anything") == "as told"
    assert gigachat_emulator.counters()["chat_requests"] == 1


def test_a_fault_hits_one_request_and_each_test_begins_anew(gigachat_emulator):
    assert gigachat_emulator.counters()["chat_requests"] == 0
    gigachat_emulator.fault(endpoint="chat", action={"type": "status", "code": 429})
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask("anything")
    assert refused.value.code == 429
    assert ask("repeat: hello") == "hello"
