from __future__ import annotations

import json
import logging

import pytest
import structlog
from django.conf import settings

from config.accounts.api_keys import create_api_key
from config.accounts.models import ApiKey
from config.accounts.roles import Permission
from config.lib import logs


@pytest.fixture(autouse=True)
def _as_before():
    yield
    logs.configure(settings.LOGGING)


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_it_writes_a_sentence_and_fields_as_json(capsys):
    logs.configure({"level": "info"})
    structlog.stdlib.get_logger("findings").info("Recorded a batch", new=3)
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "Recorded a batch", "new": 3, "level": "info", "logger": "findings"
    }  # fmt: skip


def test_it_writes_lines_of_other_libraries_alike(capsys):
    logs.configure({"level": "INFO"})
    logging.getLogger("library").warning("%s of %s", 1, 2, extra={"status": 404})
    (line,) = lines(capsys)
    assert (line["event"], line["status"]) == ("1 of 2", 404)


def test_it_blanks_secrets_at_any_depth(capsys):
    logs.configure({"level": "INFO"})
    structlog.stdlib.get_logger("findings").info(
        "Called", api_key="k", headers={"Authorization": "Bearer x", "Accept": "json"}, Password="p"
    )
    (line,) = lines(capsys)
    assert line["api_key"] == line["Password"] == "[redacted]"
    assert line["headers"] == {"Authorization": "[redacted]", "Accept": "json"}


def test_it_writes_a_traceback_without_local_variables(capsys):
    logs.configure({"level": "INFO"})
    hidden = "local value"
    try:
        int(hidden[:5])
    except ValueError:
        structlog.stdlib.get_logger("findings").exception("Failed")
    (line,) = lines(capsys)
    assert "invalid literal for int()" in line["exception"]
    assert "local value" not in line["exception"]


def test_it_keeps_the_queue_from_writing_a_line_for_each_ring(capsys):
    logs.configure({"level": "INFO"})
    logging.getLogger("django-q").info("Enqueued")
    logging.getLogger("django-q").critical("reincarnated")
    assert [line["event"] for line in lines(capsys)] == ["reincarnated"]


@pytest.mark.django_db
def test_it_names_who_asks_and_from_where(as_user, viewer, client, capsys):
    logs.configure({"level": "info"})
    _, raw = create_api_key("ci", scopes=[Permission.FINDINGS_READ], actor=None)
    key = ApiKey.objects.get()
    client.get("/login", REMOTE_ADDR="192.0.2.1")
    bearer = {"Authorization": f"Bearer {raw}"}
    client.get("/api/v1/findings", headers=bearer, REMOTE_ADDR="192.0.2.2")
    as_user(viewer).get("/findings", REMOTE_ADDR="192.0.2.3")
    answered = [line for line in lines(capsys) if line["event"] == "Answered a request"]
    assert [(line["client"], line.get("user"), line.get("key")) for line in answered] == [
        ("192.0.2.1", None, None),
        ("192.0.2.2", None, str(key.pk)),
        ("192.0.2.3", str(viewer.pk), None),
    ]


@pytest.mark.django_db
def test_it_writes_down_no_password_that_was_typed_as_a_name(client, capsys):
    logs.configure({"level": "debug"})
    for _ in range(7):
        client.post("/login", {"username": "hunter2-by-mistake", "password": "x"})
    assert "hunter2" not in capsys.readouterr().err
