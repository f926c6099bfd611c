"""The wheel and the C library are two libraries: a process may load both, in either order.

`GIGACHAT_PREFIX` is where the C library is installed (`make test-python` sets it).
"""

import os
import pathlib
import subprocess
import sys

import pytest

import orchestrator._gigachat as native

PREFIX = os.environ.get("GIGACHAT_PREFIX", "")
installed = pytest.mark.skipif(not PREFIX, reason="GIGACHAT_PREFIX is not set")

WHEEL = "import orchestrator; orchestrator._gigachat"
C_LIBRARY = """
import ctypes
library = ctypes.CDLL("libgigachat.so.0")
library.gigachat_version.restype = ctypes.c_char_p
assert library.gigachat_version().count(b".") == 2
"""


@installed
@pytest.mark.parametrize("order", [(WHEEL, C_LIBRARY), (C_LIBRARY, WHEEL)], ids=["wheel first", "C library first"])
def test_the_wheel_and_the_c_library_live_in_one_process(order: tuple[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(order)],
        env={**os.environ, "LD_LIBRARY_PATH": str(pathlib.Path(PREFIX) / "lib")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_extension_module_takes_no_other_librarys_name() -> None:
    """Its file holds the name of the C library nowhere, so no loader can mistake it for that."""
    assert b"libgigachat.so" not in pathlib.Path(native.__file__).read_bytes()
