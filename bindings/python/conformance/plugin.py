"""Runs the ancestor's tests against the list of exceptions: a listed test must fail, with the listed
error, every other one must pass. Knows nothing of what is tested."""

from __future__ import annotations

import pathlib

import pytest

LISTED = pathlib.Path(__file__).with_name("exceptions.txt")


def _exceptions() -> dict[str, tuple[str, str]]:
    """Test id -> error and reason."""
    found = {}
    for line in LISTED.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            test, error, reason = (part.strip() for part in line.split("|"))
            found[test] = (error, reason)
    return found


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    listed = _exceptions()
    by_id = {item.nodeid.removeprefix("tests/"): item for item in items}
    files = {test.partition("::")[0] for test in by_id}
    for test, (error, reason) in listed.items():
        if test in by_id:
            kind = getattr(__import__("builtins"), error)
            by_id[test].add_marker(pytest.mark.xfail(strict=True, raises=kind, reason=reason))
        elif test.partition("::")[0] in files:
            raise pytest.UsageError(f"{LISTED.name} lists {test}, which is not there")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """A test that skips itself shows nothing: it fails here."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"it skipped itself: {report.longrepr}"
    return report
