from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.lib.elapsed import when_text

NOW = datetime(2026, 11, 23, 9, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(0), "at 09:27 UTC"),
        (timedelta(hours=9), "at 00:27 UTC"),
        (timedelta(hours=10), "on 22 Nov at 23:27 UTC"),
        (timedelta(hours=-15), "on 24 Nov at 00:27 UTC"),
        (timedelta(days=366), "on 22 Nov 2025 at 09:27 UTC"),
    ],
)
def test_a_time_without_a_day_is_one_of_today(monkeypatch, ago, text):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    assert when_text(NOW - ago) == text


def test_a_text_that_is_kept_has_its_day(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    assert when_text(NOW, is_kept=True) == "on 23 Nov at 09:27 UTC"
