"""The queue is a bell: whatever happens to it, nothing but time is lost."""

from __future__ import annotations

import pytest
from django.test import Client
from django_q.models import OrmQ
from redis.exceptions import ConnectionError as RedisIsDown

from automation.decisions.conservation import violations
from automation.models import Decision
from automation.tasks import evaluate
from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission

pytestmark = pytest.mark.django_db(transaction=True)

REPORT = {
    "source": "scanner",
    "findings": [
        {"finding_type": "secret", "title": "Key", "severity": "high", "resource_id": "file"}
    ],
}


@pytest.fixture
def send():
    key = create_api_key("ci", scopes=[Permission.FINDINGS_INTAKE], actor=None)[1]
    api = Client(headers={"DD-API-KEY": key}, raise_request_exception=False)
    return lambda: api.post("/api/v1/findings", REPORT, content_type="application/json")


def test_it_takes_findings_in_while_the_queue_is_down(send, monkeypatch):
    def ring(*_):
        raise RedisIsDown("Connection refused")

    monkeypatch.setattr("config.lib.tasks.async_task", ring)
    answer = send()
    assert (answer.status_code, answer.json()["data"]["new"]) == (200, 1)
    evaluate()
    assert Decision.objects.count() == 1


def test_it_decides_once_when_rings_are_lost_or_doubled(send):
    send()
    OrmQ.objects.all().delete()
    evaluate()
    evaluate()
    send()
    evaluate()
    assert Decision.objects.count() == 1
    assert list(violations()) == []
