from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from config.runtime import health, heartbeats, views
from tests.factories import FindingFactory, JiraAccountFactory


def test_it_answers_without_the_database(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_it_refuses_other_methods(client):
    assert client.post("/healthz").status_code == 405
    assert client.post("/readyz").status_code == 405


@pytest.mark.django_db
def test_it_is_ready_when_a_worker_gives_signs_of_life(client, frozen):
    heartbeats.record(timezone.now() - timedelta(seconds=3))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "parts": {
            "database": {"ok": True},
            "migrations": {"ok": True, "unapplied": 0},
            "queue": {"ok": True, "age_seconds": 3.0},
            "accounts": {"ok": True, "suspended": 0, "age_seconds": None},
            "evaluation": {"ok": True, "age_seconds": None},
            "tasks": {"ok": True, "failing": {}},
        },
    }
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [None, 1000])
def test_it_is_not_ready_without_signs_of_life(client, frozen, seconds):
    if seconds is not None:
        heartbeats.record(timezone.now() - timedelta(seconds=seconds))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert answer.json()["parts"]["queue"] == {"ok": False, "age_seconds": seconds}


@pytest.mark.django_db
def test_it_is_not_ready_when_a_finding_waits_too_long(client, frozen):
    heartbeats.record(timezone.now())
    FindingFactory(unevaluated_since=timezone.now() - timedelta(minutes=6))
    FindingFactory(unevaluated_since=timezone.now())
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["evaluation"] == {"ok": False, "age_seconds": 360.0}


@pytest.mark.django_db
def test_it_is_degraded_while_a_jira_does_not_let_us_in(client, frozen):
    heartbeats.record(timezone.now())
    for state, seconds in (("broken", 90), ("auth_failed", 40), ("suspected", 5)):
        at = timezone.now() - timedelta(seconds=seconds)
        JiraAccountFactory(state=state, problem="No.", problem_at=at)
    JiraAccountFactory(state="broken", problem="No.", problem_at=at, connected_at=None)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    expected = {"ok": False, "suspended": 2, "age_seconds": 90.0}
    assert answer.json()["parts"]["accounts"] == expected
    heartbeats.record(timezone.now() - timedelta(days=1))
    views.READINESS.forget()
    assert client.get("/readyz").status_code == 503


@pytest.mark.django_db
def test_it_is_not_ready_before_the_tables_are_up_to_date(client, monkeypatch):
    monkeypatch.setattr(health, "_unapplied_migrations", lambda: 2)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["migrations"] == {"ok": False, "unapplied": 2}


def test_it_is_not_ready_when_the_database_does_not_answer(client, monkeypatch):
    def refuse() -> int:
        raise OperationalError("connection to server at 10.0.0.5 failed")

    monkeypatch.setattr(health, "_unapplied_migrations", refuse)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "parts": {"database": {"ok": False}}}
