"""What one kind of tracker, or of rule, is called stays behind its registry; what does not yet is
counted."""

from __future__ import annotations

from configparser import ConfigParser

import pytest

from tests.house.tree import ROOT

LEFT = {"kinds": 8, "rule-kinds": 25}
"""Contract → imports that go round the registry. Lower it with each one that is taken out."""
FOLDERS = {"kinds": "ticketing/trackers", "rule-kinds": "automation/kinds"}


def _contract(name: str) -> dict[str, list[str]]:
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter")
    found = contracts[f"importlinter:contract:{name}"]
    return {name: found[name].split("\n")[1:] for name in found if "\n" in found[name]}


@pytest.mark.parametrize("name", LEFT)
def test_it_names_kinds_in_ever_fewer_places(name):
    """An entry that is no longer needed fails with the contracts, in test_imports."""
    assert len(_contract(name)["ignore_imports"]) == LEFT[name]


@pytest.mark.parametrize("name", FOLDERS)
def test_it_protects_every_kind(name):
    folder = FOLDERS[name]
    package = folder.replace("/", ".")
    kinds = {f"{package}.{path.parent.name}" for path in (ROOT / folder).glob("*/__init__.py")}
    assert kinds == set(_contract(name)["protected_modules"])


def test_only_the_folder_and_the_registry_name_a_new_kind_of_rule():
    """Of the kinds that came through the door, the code beside it knows nothing."""
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "automation").rglob("*.py")
        for kind in ("kinds.severity", "kinds.mute", "kinds.inbox", "kinds.due_date")
        if kind in path.read_text()
    }
    assert {path for path in found if not path.startswith("automation/kinds/")} == set()
