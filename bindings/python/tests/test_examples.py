"""The programs and the notebook of `examples/python`, run as they are against the emulator."""

import os
import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parents[3] / "examples" / "python"

SAYS = {
    "quickstart.py": "What is Python? One sentence.",
    "streaming.py": "1, 2, 3",
    "many_prompts.py": "T: You wrote",
    "resumable_job.py": "40 answered, 0 failed, 0 there before",
    "dataframe.py": "rows in the parquet file: 2",
    "dask_column.py": "answered: 40",
    "ray_column.py": "answered: 40",
    "spark_column.py": "answered: 40",
    "router.py": "[main: ok, ",
    "errors.py": "the request itself is wrong:",
}

ARGUMENTS = {"resumable_job.py": ["40"]}
NEEDS = {
    "dataframe.py": ["pandas", "pyarrow"],
    "dask_column.py": ["dask.dataframe", "distributed"],
    "ray_column.py": ["ray.data"],
    "spark_column.py": ["pyspark", "pandas", "pyarrow"],
}
OF_ENGINES = {"RAY_AUTH_MODE": "disabled", "PYSPARK_PYTHON": sys.executable}


def test_every_example_is_run_here():
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == {*SAYS, "jupyter.ipynb"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("example", SAYS)
def test_an_example_runs(emulator, tmp_path, example):
    for module in NEEDS.get(example, ()):
        pytest.importorskip(module)
    # The engines warn of their own doings.
    warnings = "default" if example.endswith("_column.py") else "error"
    done = subprocess.run(
        [sys.executable, "-W", warnings, EXAMPLES / example, *ARGUMENTS.get(example, ())],
        cwd=tmp_path,
        env={**os.environ, **emulator.variables, **OF_ENGINES},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert SAYS[example] in done.stdout, done.stdout


def test_the_notebook_runs_in_a_kernel(emulator, monkeypatch, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    for name, value in emulator.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    notebook = nbformat.read(EXAMPLES / "jupyter.ipynb", as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    _, _, awaited, streamed, blocking = [
        "".join(output.get("text", "") for output in cell.get("outputs", [])) for cell in notebook.cells
    ]
    assert "What is Python?" in awaited
    assert streamed.startswith("1, 2") and streamed.rstrip().endswith("20")
    assert blocking.startswith("Usage(prompt_tokens=")
