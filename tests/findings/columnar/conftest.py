from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from findings.columnar import keeper as module
from findings.columnar.keeper import Keeper


class Clock:
    def __init__(self):
        self.seconds = 1_000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keeper(clock, monkeypatch):
    """It works when a test has it `follow()`."""
    monkeypatch.setattr(module, "MIN_ROWS", 1)
    return Keeper(1 << 30, start=lambda run: None, clock=clock)


@pytest.fixture
def logs():
    with capture_logs() as captured:
        yield captured
