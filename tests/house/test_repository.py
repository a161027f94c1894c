"""What must not be in any committed file."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT, committed_files

TOP_LEVEL = {
    *("manage.py", "pyproject.toml", "requirements.txt", "requirements-dev.txt", "Makefile"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *("config", "automation", "ticketing", "findings", "templates", "tests"),
}
# Written apart, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a package registry": r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|registry\.yarnpkg",
    "notes beside the repository": r"\.\./" + "shared",
    "a conflict": r"^(?:<{7}|>{7}) ",
    "a private key": "-----BEGIN [A-Z ]*PRIVATE" + " KEY-----",
}
TEXTS = [
    path
    for path in committed_files()
    if path.stat().st_size < 1_000_000
    and b"\0" not in path.read_bytes()[:1000]
    and path.suffix not in (".sarif", ".json")  # reports, as their scanners wrote them
    and path.name != "test_repository.py"
]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_it_holds_nothing_forbidden(what):
    pattern = re.compile(FORBIDDEN[what], re.MULTILINE)
    found = [
        str(path.relative_to(ROOT))
        for path in TEXTS
        if pattern.search(path.read_text(errors="replace"))
    ]
    assert found == []


def test_it_keeps_the_top_level_as_it_was_agreed():
    names = {path.relative_to(ROOT).parts[0] for path in committed_files()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_it_keeps_locks_of_one_machine_out():
    names = {path.name for path in committed_files()}
    assert names & {"uv.lock", "package-lock.json", "poetry.lock", ".env"} == set()


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_it_pins_every_package_by_hash(lock):
    pins = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    assert len(pins) > 40
    for pin in pins:
        assert re.match(
            r"[a-z0-9._-]+(?:\[[a-z0-9,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", pin
        ), pin
