"""A table of one's own, sent with its column map."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.accounts.roles import Permission
from findings.imports import queue
from findings.imports import run as import_run
from findings.models import Finding, Import

URL = "/api/v1/imports"
TABLE = b"Issue Name,Level,Box\nOld TLS,High,web-1\nOpen port,low,web-2\n"
MAP = "title:Issue Name,severity:Level,resource_id:Box"


@pytest.fixture
def send(api, make_key):
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_INTAKE, Permission.FINDINGS_READ)}

    def post(body=TABLE, **query):
        address = f"{URL}?{urlencode(query)}"
        return api.post(address, body, content_type="text/csv", headers=headers)

    post.headers = headers
    return post


def test_it_takes_a_table_by_its_map(send):
    said = send(columns=MAP).json()["data"]["attributes"]
    assert (said["format"], said["new"], said["rejected"]) == ("generic", 2, 0)
    assert said["columns"] == {"title": "Issue Name", "severity": "Level", "resource": "Box"}
    assert set(Finding.objects.values_list("title", "severity", "resource_id")) == {
        ("Old TLS", "high", "web-1"),
        ("Open port", "low", "web-2"),
    }


def test_it_takes_the_map_as_a_field_of_a_form(send, api):
    file = SimpleUploadedFile("table.csv", TABLE)
    answer = api.post(URL, {"file": file, "columns": MAP}, headers=send.headers)
    assert answer.json()["data"]["attributes"]["new"] == 2


def test_it_says_what_a_map_may_name(send):
    said = send(columns=MAP, dry_run="true").json()["data"]["attributes"]
    assert (said["new"], said["columns"]) == (2, ["Issue Name", "Level", "Box"])
    assert not Finding.objects.exists()


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ("colour:Level", "There is no field “colour”"),
        ("title:a\0b", "1 to 200 characters of text"),
        ("title:Issue Name,severity:Risk", "severity is in “Risk”, but the file has no such"),
        ("title:Issue Name", "does not say which column is the severity"),
    ],
)
@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_it_says_what_is_wrong_with_the_map(send, said, detail, dry_run):
    answer = send(columns=said, dry_run=dry_run)
    assert answer.status_code == 422
    error = answer.json()["errors"][0]
    assert error["source"] == {"parameter": "columns"}
    assert detail in error["detail"]
    assert not Finding.objects.exists()


def test_it_takes_no_map_for_another_format(send):
    answer = send(columns=MAP, format="sarif")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["source"] == {"parameter": "columns"}
    assert Import.objects.get().state == "refused"


def test_it_refuses_a_table_of_which_nobody_said_what_its_columns_are(send):
    answer = send()
    assert answer.status_code == 422
    assert "or a column map that says which they are" in answer.json()["errors"][0]["detail"]


def test_it_goes_on_by_the_same_map_in_the_queue(send, monkeypatch):
    monkeypatch.setattr(import_run, "BATCH", 1)
    assert send(columns=MAP, queued="true").status_code == 202
    assert not queue.take_due(seconds=0)
    assert Finding.objects.count() == 1
    assert queue.take_due()
    run = Import.objects.get()
    assert (run.state, run.new, run.rejected) == ("done", 2, 0)


def test_it_says_in_the_queue_which_column_is_missing(send):
    send(columns="title:Name,severity:Level", queued="true")
    assert queue.take_due()
    run = Import.objects.get()
    assert run.state == "refused"
    assert "title is in “Name”" in run.reason


def test_it_sends_the_same_table_again_without_a_change(send):
    send(columns=MAP)
    said = send(columns=MAP).json()["data"]["attributes"]
    assert (said["new"], said["seen_again"]) == (0, 2)
