"""What this package has from the core's tables is what the tables say."""

import json
import subprocess
import sys
from pathlib import Path

from orchestrator._gigachat import options
from orchestrator.providers import ProviderConfig

BINDING = Path(__file__).resolve().parents[1]
DESCRIPTION = json.loads((BINDING.parents[1] / "api" / "gigachat.json").read_text(encoding="utf-8"))


def test_keywords_types_and_error_classes_are_those_of_the_description():
    subprocess.run([sys.executable, BINDING / "generate.py", "--check"], check=True)


def test_the_description_has_the_native_cores_options():
    described = [(option["known_as"] or option["name"], option["variable"]) for option in DESCRIPTION["options"]]
    assert described == options()


def test_every_option_of_the_core_is_a_field():
    fields = set(ProviderConfig.model_fields)
    assert {keyword for keyword, _ in options()} == fields - {"folder_id", "pickle_credentials"}
