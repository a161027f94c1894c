"""Nobody else on the machine reads what is kept."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

from django.core.checks import Warning
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from config.checks import check_data_is_private
from config.lib.private_files import close_to_others
from tests.house.tree import ROOT


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_closes_the_folder_and_all_in_it_but_what_is_public(tmp_path):
    static, elsewhere = tmp_path / "data" / "static", tmp_path / "elsewhere"
    (tmp_path / "data" / "media").mkdir(parents=True, mode=0o755)
    static.mkdir()
    for file in (tmp_path / "data" / "db", static / "a.css", tmp_path / "data/media/x", elsewhere):
        file.write_text("x")
        file.chmod(0o664)
    (tmp_path / "data" / "link").symlink_to(elsewhere)
    close_to_others(tmp_path / "data", but=static)
    assert mode(tmp_path / "data") == mode(tmp_path / "data" / "media") == 0o700
    assert mode(tmp_path / "data" / "db") == mode(tmp_path / "data" / "media" / "x") == 0o600
    assert mode(static / "a.css") == mode(elsewhere) == 0o664


def test_it_makes_every_file_private_from_the_first_start_on(tmp_path):
    """The database with its WAL, the secrets and the lock, though the shell's umask is 022."""
    data = tmp_path / "data"
    said = os.environ | {"DATA_DIR": str(data), "DATABASE_URL": "", "SECRET_KEY": ""}
    code = (
        "import manage, sys; sys.argv = ['manage.py', 'migrate', '-v0', 'sessions']; manage.main()"
    )
    script = f'umask 022; exec {sys.executable} -c "{code}"'
    environment = {name: value for name, value in said.items() if value}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings.base"
    subprocess.run(["sh", "-c", script], cwd=ROOT, env=environment, check=True)
    modes = {path.name: mode(path) for path in data.iterdir() if path.is_file()}
    assert {"findings.sqlite3", "secret_key", "encryption_key"} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert mode(data) == 0o700


def test_it_stores_uploads_private(tmp_path):
    storage = FileSystemStorage(location=tmp_path / "media")
    name = storage.save("uploads/report", ContentFile(b"x"))
    assert mode(tmp_path / "media" / name) == 0o600
    assert mode(tmp_path / "media" / "uploads") == 0o700


def test_it_warns_of_a_folder_that_others_can_read(tmp_path, settings):
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    tmp_path.chmod(0o700)
    assert check_data_is_private() == []
    tmp_path.chmod(0o750)
    (found,) = check_data_is_private()
    assert isinstance(found, Warning)
    assert found.id == "fa.W030"
    assert f"chmod go= {tmp_path}" in found.hint
