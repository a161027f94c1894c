"""The arrow of the house, and that nobody goes round it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.house.tree import PACKAGES, ROOT, python_files

OURS = {package.name for package in PACKAGES}
BANNED_NAMES = {"helpers.py", "utils.py", "common.py", "manager.py", "managers.py", "misc.py"}


def test_it_keeps_the_import_contracts():
    linter = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout[answer.stdout.find("Contracts") :]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _inner_imports(path: Path) -> list[str]:
    """First-party modules imported inside functions or for type checkers only."""
    return [
        name
        for outer in ast.walk(ast.parse(path.read_text()))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.If)
        for inner in ast.walk(outer)
        for name in _imported(inner)
        if name.split(".")[0] in OURS
    ]


def test_it_imports_at_the_top():
    """Apps aside: Django loads models before `ready` is called, and receivers after."""
    inner = {
        str(path.relative_to(ROOT)): _inner_imports(path)
        for path in python_files()
        if path.name != "apps.py"
    }
    assert {path: names for path, names in inner.items() if names} == {}


def test_it_names_modules_for_what_they_hold():
    assert [p for p in python_files() if p.name in BANNED_NAMES] == []
