"""A kind of rules is a folder, its templates and one line: CONTRIBUTING's steps, in a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.tables import copied_tables

DOOR = Path(__file__).parent / "door"
PROJECT = ("automation", "config", "findings", "templates", "ticketing")
WALK = "import django; django.setup(); import walk; walk.walk()"
LINE = "from automation.kinds.review.kind import ReviewKind\n"


def project_with_the_kind(folder: Path) -> Path:
    for name in PROJECT:
        ignore = shutil.ignore_patterns("__pycache__", "samples")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    shutil.copytree(DOOR / "review", folder / "automation" / "kinds" / "review")
    shutil.copytree(DOOR / "templates", folder / "templates" / "automation" / "kinds" / "review")
    shutil.copy(DOOR / "walk.py", folder)
    registry = folder / "automation" / "kinds" / "registry.py"
    text = registry.read_text().replace(
        "    TicketCreation(),", "    ReviewKind(),\n    TicketCreation(),"
    )
    registry.write_text(text.replace("\nORDER", f"\n{LINE}\nORDER", 1))
    return folder


@pytest.mark.slow
def test_a_kind_of_rules_comes_through_the_door(tmp_path, migrated):
    folder = project_with_the_kind(tmp_path / "project")
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings.test"}
    with copied_tables(migrated, tmp_path) as database:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", WALK],
            cwd=folder,
            env=os.environ | settings | {"DATABASE_URL": database},
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
    assert done.returncode == 0, done.stderr[-4000:]
