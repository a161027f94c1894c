"""The page on which a person says what the columns of a table mean."""

from __future__ import annotations

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from findings.imports import queue
from findings.models import Finding, Import

LIST = "/settings/importers"
TABLE = b'Issue Name,Level,Box,"<b>x</b>, =y"\nOld TLS,High,web-1,z\nOpen port,,web-2,\n'
CHOSEN = {"title": "Issue Name", "severity": "Level", "resource": "Box"}


def checked(client, content: bytes = TABLE) -> str:
    """The address of a report that was looked through."""
    file = SimpleUploadedFile("table.csv", content)
    address = client.post(f"{LIST}/upload", {"file": file})["Location"]
    assert queue.take_due()
    return address


def test_it_asks_what_the_columns_mean(as_user, admin):
    client = as_user(admin)
    shown = client.get(checked(client)).text
    assert "none of its column names are known" in shown
    assert '<option value="Issue Name">' in shown
    assert "&lt;b&gt;x&lt;/b&gt;, =y" in shown
    assert "<b>x" not in shown
    assert "/discard" in shown
    assert "/begin" not in shown


def test_it_looks_again_by_the_map_and_takes_it_in(as_user, admin):
    client = as_user(admin)
    address = checked(client)
    for _twice in range(2):
        assert client.post(f"{address}/columns", CHOSEN)["Location"] == address
    assert queue.take_due()
    shown = client.get(address).text
    assert "Import 1 finding" in shown
    assert "/rows/1/Level" in shown
    assert "title:Issue Name,severity:Level,resource:Box" in shown
    assert not Finding.objects.exists()
    client.post(f"{address}/begin")
    assert queue.take_due()
    found = Finding.objects.get()
    assert (found.title, found.severity, found.resource_id) == ("Old TLS", "high", "web-1")


def test_it_looks_again_as_often_as_a_person_wants(as_user, admin):
    client = as_user(admin)
    address = checked(client)
    for chosen, findings in ((CHOSEN, 1), (CHOSEN | {"severity": "=low"}, 2)):
        client.post(f"{address}/columns", chosen)
        assert queue.take_due()
        assert Import.objects.get().summary["findings"] == findings
    assert '<option value="=low" selected>' in client.get(address).text


def test_it_offers_what_columns_are_taken_for_by_their_names(as_user, admin):
    client = as_user(admin)
    address = checked(client, b"name,title,risk,details,host\nA,B,low,C,web-1\n")
    shown = client.get(address).text
    assert "Import 1 finding" in shown
    assert shown.count('<option value="title" selected>') == 1
    assert shown.count('<option value="details" selected>') == 1
    client.post(f"{address}/columns", {"title": "name", "severity": "risk", "resource": "host"})
    assert queue.take_due()
    client.post(f"{address}/begin")
    assert queue.take_due()
    assert Import.objects.get().columns == {
        "title": "name",
        "severity": "risk",
        "resource": "host",
        "description": "",
    }
    assert [(each.title, each.description) for each in Finding.objects.all()] == [("A", "")]


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"title": ""}, "title"), ({"severity": ""}, "severity"), ({"cve": "Nothing"}, "cve")],
)
def test_it_says_at_the_field_what_is_missing(as_user, admin, changed, field):
    client = as_user(admin)
    answer = client.post(f"{checked(client)}/columns", CHOSEN | changed)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text
    assert Import.objects.get().state == "waiting"


def test_it_takes_no_unknown_table_in(as_user, admin):
    client = as_user(admin)
    client.post(f"{checked(client)}/begin")
    assert Import.objects.get().state == "waiting"


def test_it_discards_an_unknown_table(as_user, admin):
    client = as_user(admin)
    address, stored = checked(client), Import.objects.get().stored_as
    client.post(f"{address}/discard")
    assert not Import.objects.exists()
    assert not default_storage.exists(stored)


def test_it_changes_no_columns_of_what_is_in(as_user, admin):
    client = as_user(admin)
    address = checked(client, b"title,severity,host\nA,low,web-1\n")
    client.post(f"{address}/begin")
    assert queue.take_due()
    assert client.post(f"{address}/columns", CHOSEN)["Location"] == address
    assert (Import.objects.get().state, Import.objects.get().columns) == ("done", {})
    assert "Look again" not in client.get(address).text


def test_it_asks_only_those_who_may_import(as_user, admin, viewer):
    address = checked(as_user(admin))
    client = as_user(viewer)
    assert "Look again" not in client.get(address).text
    assert client.post(f"{address}/columns", CHOSEN).status_code == 403
    assert as_user(admin).get(f"{address}/columns").status_code == 405


def test_it_keeps_no_name_that_a_database_does_not_take(as_user, admin):
    client = as_user(admin)
    header = b"a\0b,=c," + b"d" * 201 + b",What\n"
    shown = client.get(checked(client, header + b"1,2,3,4\n")).text
    assert Import.objects.get().summary["columns"] == ["What"]
    assert "Look again" in shown
