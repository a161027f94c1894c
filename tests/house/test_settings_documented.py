"""The README's table of settings is the list of what is read from the environment."""

from __future__ import annotations

import re

from tests.house.tree import ROOT

SETTINGS = ROOT / "config" / "settings" / "base.py"
READ = re.compile(r"""\benv(?:\.\w+)?\(\s*["'](\w+)["']""")
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
EXAMPLE = re.compile(r"^#? ?(\w+)=", re.MULTILINE)


def read_in_settings() -> set[str]:
    return set(READ.findall(SETTINGS.read_text()))


def test_it_documents_every_setting_and_no_other():
    assert set(ROW.findall((ROOT / "README.md").read_text())) == read_in_settings()


def test_it_shows_every_setting_in_the_example():
    assert set(EXAMPLE.findall((ROOT / ".env.example").read_text())) == read_in_settings()


def test_it_reads_the_environment_in_the_settings_alone():
    """Children inherit it, and a check looks whether a key was given: nothing else reads it."""
    readers = {
        str(path.relative_to(ROOT))
        for package in ("automation", "config", "findings", "ticketing")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"os\.(?:environ|getenv)", path.read_text())
    }
    assert readers <= {
        "config/checks.py",
        "config/runtime/children.py",
        "config/runtime/management/commands/up.py",
        "config/wsgi.py",
    }
