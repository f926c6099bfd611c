"""The site that `make docs` builds: the documents of this folder, the C interface from the header's comments, the
Python package from its docstrings, the tables of errors and operations from api/gigachat.json."""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

project = "libgigachat"
author = "the libgigachat authors"
project_copyright = "2026, the libgigachat authors"
release = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
language = "en"

extensions = ["myst_parser", "breathe", "autoapi.extension", "description"]
exclude_patterns = ["_ext", "Doxyfile", "requirements.txt"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

html_theme = "furo"
html_title = f"libgigachat {release}"

# Doxygen has written this before Sphinx begins.
breathe_projects = {"gigachat": os.environ["GIGACHAT_DOXYGEN_XML"]}
breathe_default_project = "gigachat"
breathe_domain_by_extension = {"h": "c", "hpp": "cpp"}

# The sources are read, not imported: no wheel is built for the pages.
autoapi_dirs = [str(ROOT / "bindings" / "python" / "python" / "orchestrator")]
autoapi_root = "reference/python"
autoapi_file_patterns = ["*.py", "*.pyi"]
autoapi_options = ["members", "undoc-members", "show-inheritance", "imported-members"]
autoapi_ignore = ["*/_[!_]*.py", "*/langchain.py"]
autoapi_keep_files = False
autoapi_add_toctree_entry = False
suppress_warnings = ["autoapi.python_import_resolution", "ref.python"]

LINK = re.compile(r"(?<=\]\()(\.\./[^)#\s]+)")


def link_to_the_repository(app, name, source):
    """A link out of this folder is a link to the repository; one that leads nowhere ends the build."""
    page = ROOT / "docs" / f"{name}.md"

    def resolved(found):
        target = (page.parent / found[1]).resolve()
        if target.is_relative_to(ROOT / "docs"):
            return found[1]
        if not target.exists():
            raise FileNotFoundError(f"{page}: {found[1]}")
        return f"https://github.com/libgigachat/libgigachat/blob/main/{target.relative_to(ROOT)}"

    source[0] = LINK.sub(resolved, source[0])


def setup(app):
    app.connect("source-read", link_to_the_repository)
