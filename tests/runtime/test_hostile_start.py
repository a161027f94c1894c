"""What cannot start says why in one sentence; two that start at once both do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREPARE = "from config.runtime import prepare; prepare.migrate(); prepare.create_first_admin()"


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.base"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nonsense", "is not the address of a database"),
        ("mongo://host/name", "is not the address of a database"),
        ("postgres://nobody@127.0.0.1:1/name", "does not answer"),
    ],
)
def test_it_says_in_a_sentence_what_is_wrong_with_the_database(address, sentence, tmp_path):
    started = start("up", "--port", "8169", DATABASE_URL=address, DATA_DIR=str(tmp_path))
    said = started.communicate(timeout=60)[0]
    assert started.returncode == 1
    assert sentence in said
    assert "Traceback" not in said


def test_it_says_in_a_sentence_that_its_files_have_no_place(tmp_path):
    (tmp_path / "file").touch()
    started = start("up", "--port", "8169", DATA_DIR=str(tmp_path / "file" / "below"))
    said = started.communicate(timeout=60)[0]
    assert started.returncode == 1
    assert said.startswith("Settings: DATA_DIR cannot be used")


@pytest.mark.slow
def test_it_prepares_one_sqlite_file_from_two_commands_at_once(tmp_path):
    place = {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path / 'f.sqlite3'}"}
    both = [start("shell", "-v0", "-c", PREPARE, **place) for _ in range(2)]
    said = [each.communicate(timeout=120)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
