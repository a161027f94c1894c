"""Tasks are reached by name only, so the names are checked here."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.utils.module_loading import import_string

from config.runtime.broker import HEARTBEAT
from config.runtime.schedules import EVERY_MINUTE, WHEN_DUE
from tests.house.tree import PACKAGES, ROOT, python_files

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in PACKAGES
    for path in sorted(package.rglob("tasks.py"))
    if path.parent.name != "lib"
]


def _calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and _name(node) in ("enqueue", "async_task", "schedule"):
            yield node


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def enqueued() -> dict[str, str]:
    """Task path → the file that enqueues it."""
    found = dict.fromkeys((*EVERY_MINUTE, *WHEN_DUE), "config/runtime/schedules.py")
    found[HEARTBEAT] = "config/runtime/broker.py"
    for path in python_files():
        for call in _calls(path):
            if isinstance(call.args[0], ast.Constant):
                found[call.args[0].value] = str(path.relative_to(ROOT))
    return found


def test_it_finds_every_task_that_is_enqueued():
    for path, enqueued_in in enqueued().items():
        assert path.rpartition(".")[0] in MODULES, enqueued_in
        assert callable(import_string(path)), enqueued_in


def test_it_wakes_the_queue_only_through_enqueue():
    direct = {
        str(path.relative_to(ROOT))
        for path in python_files()
        for call in _calls(path)
        if _name(call) != "enqueue"
    }
    assert direct <= {"config/lib/tasks.py"}


@pytest.mark.parametrize("module", MODULES)
def test_it_keeps_tasks_to_entry_points(module):
    functions = [
        function
        for _, function in inspect.getmembers(import_module(module), inspect.isfunction)
        if function.__module__ == module
    ]
    assert functions
    for function in functions:
        assert _lines_of_code(function) <= 5, function.__name__


@pytest.mark.parametrize("path", EVERY_MINUTE)
def test_a_task_that_runs_by_the_clock_does_one_job(path):
    """Two jobs in a task, and the first that raises stops the second."""
    (definition,) = ast.parse(inspect.getsource(import_string(path))).body
    jobs = [each for each in definition.body if not _is_docstring(each)]
    assert len(jobs) == 1


def _lines_of_code(function: Callable[..., object]) -> int:
    (definition,) = ast.parse(inspect.getsource(function)).body
    statements = [s for s in definition.body if not _is_docstring(s)]
    return statements[-1].end_lineno - statements[0].lineno + 1 if statements else 0


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
