"""Programs of the suite: processes of their own, on a migrated database of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.tables import copied_tables


@pytest.fixture
def run_program(migrated, tmp_path) -> Callable[..., dict[str, Any]]:
    """`run_program(module, *arguments)` is the object of JSON that it prints."""

    def run(module: str, *arguments: object) -> dict[str, Any]:
        with copied_tables(migrated, tmp_path) as address:
            done = subprocess.run(
                [sys.executable, "-m", module, *map(str, arguments)],
                env=os.environ | {"DATABASE_URL": address},
                capture_output=True,
                text=True,
                timeout=280,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return run
