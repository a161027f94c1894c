from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from automation.pipeline import evaluate_all
from findings.formats.streams.records import RefusedReport
from findings.imports import queue
from findings.imports.run import ImportOptions, import_report
from findings.models import Finding, Import, Source
from tests.factories import FindingFactory, SourceFactory

LIST = "/settings/importers"
UPLOAD = f"{LIST}/upload"
CODE = (Path(__file__).parents[1] / "findings/formats/samples/code.sarif").read_bytes()


def report(count: int, name: str = "nightly", of: str = "r") -> bytes:
    finding = {"finding_type": "misconfiguration", "severity": "low", "title": "Odd"}
    findings = [finding | {"resource_id": f"{of}{n}"} for n in range(count)]
    return json.dumps({"source": name, "findings": findings}).encode()


def upload(client, content: bytes = CODE, **said):
    file = SimpleUploadedFile(said.pop("name", "code.sarif"), content)
    return client.post(UPLOAD, {"file": file, "now": "yes", **said})


def test_it_lists_sources_with_their_last_run(as_user, viewer):
    import_report([CODE], ImportOptions(file_name="code.sarif", by="ci-codeql"))
    import_report([CODE], ImportOptions(file_name="code.sarif", by="ci-codeql"))

    shown = as_user(viewer).get(LIST).text

    assert "0 new, 4 seen again, 1 rejected" in shown
    assert "ci-codeql" in shown
    assert "SARIF" in shown
    assert 'aria-label="4 new findings in 7 days"' in shown
    assert 'aria-label="Static Code Vulnerability"' in shown


def test_it_lists_sources_that_send_finding_by_finding(as_user, viewer):
    FindingFactory(source=SourceFactory(name="shop ci"))
    shown = as_user(viewer).get(LIST).text
    assert "Sent finding by finding" in shown
    assert "?q=source%3A%22shop%20ci%22" in shown


def test_it_invites_to_the_first_source(as_user, viewer):
    assert "No sources yet" in as_user(viewer).get(LIST).text


def test_it_shows_a_run_with_its_errors_by_record(as_user, viewer):
    run = import_report([CODE], ImportOptions(file_name="code.sarif"))
    assert evaluate_all()
    shown = as_user(viewer).get(f"{LIST}/{run.pk}").text
    assert "/runs/0/results/6" in shown
    assert "Imported " in shown
    assert "hx-trigger" not in shown


def test_it_says_why_a_report_was_refused(as_user, viewer):
    with pytest.raises(RefusedReport):
        import_report([b"{"], ImportOptions(file_name="cut.json"))
    client = as_user(viewer)
    assert "The report was not imported." in client.get(f"{LIST}/{Import.objects.get().pk}").text
    assert "cut.json" in client.get(LIST).text


def test_it_leads_on_from_a_refused_report_to_another(as_user, admin, viewer):
    with pytest.raises(RefusedReport):
        import_report([b'{"a": 1}'], ImportOptions(file_name="odd.json"))
    address = f"{LIST}/{Import.objects.get().pk}"
    shown = as_user(admin).get(address).text
    assert f'href="{UPLOAD}"' in shown
    assert shown.count("yarn audit") == 1  # all formats are named once
    assert "yarn audit" not in as_user(viewer).get(LIST).text
    assert f'href="{UPLOAD}"' not in as_user(viewer).get(address).text


def test_it_says_what_is_no_finding_of_a_report_without_any(as_user, admin):
    fixed = b"title,severity,host,is mitigated\nOdd,high,web-1,TRUE\n"
    client = as_user(admin)
    looked_through = client.get(checked(client, fixed, name="fixed.csv")).text
    run = import_report([fixed], ImportOptions())
    for page in (looked_through, client.get(f"{LIST}/{run.pk}").text):
        assert "No findings in this report." in page
        assert "What passed, or is marked as fixed," in page
        assert "0 seen again." not in page
    assert "Import 0" not in looked_through


def test_it_lists_what_a_report_opened_again(as_user, viewer):
    for size in (2, 1, 2):
        import_report([report(size)], ImportOptions(scope="shop"))
    assert "0 new, 1 seen again, 1 reopened" in as_user(viewer).get(LIST).text


def test_it_takes_an_upload_in_behind_the_page(as_user, admin):
    client = as_user(admin)
    answer = upload(client, gzip.compress(CODE), source="shop ci")
    waits = client.get(answer["Location"], headers={"HX-Request": "true"}).text
    assert "You can close this page." in waits
    assert 'hx-trigger="load delay:1s"' in waits
    assert not Finding.objects.exists()

    assert queue.take_due()

    run = Import.objects.get()
    assert (run.state, run.new, run.started_by) == ("done", 4, admin.name)
    assert str(run.source) == "shop ci"
    assert not default_storage.exists(run.stored_as)
    assert "Imported " in client.get(answer["Location"]).text


@pytest.mark.parametrize(
    ("sent", "field"),
    [({}, "file"), ({"content": b""}, "file"), ({"format": "pdf"}, "format")],
)
def test_it_says_at_the_field_what_is_wrong(as_user, admin, sent, field):
    client = as_user(admin)
    response = upload(client, **sent) if sent else client.post(UPLOAD)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Import.objects.exists()


def test_it_takes_no_file_that_is_too_large(as_user, admin, monkeypatch):
    monkeypatch.setattr("findings.imports.upload_form.MAX_BYTES", 10)
    assert list(upload(as_user(admin)).context["form"].errors) == ["file"]


def test_it_does_not_find_a_run_that_is_none(as_user, viewer):
    assert as_user(viewer).get(f"{LIST}/{uuid4()}").status_code == 404


def test_it_lets_only_those_upload_who_may_send_findings(as_user, editor):
    client = as_user(editor)
    assert "Upload a report" not in client.get(LIST).text
    assert client.get(UPLOAD).status_code == 403
    assert upload(client).status_code == 403


def test_it_takes_no_other_method(as_user, admin):
    client = as_user(admin)
    assert client.post(LIST).status_code == 405
    assert client.post(f"{LIST}/{uuid4()}").status_code == 405


def test_it_escapes_what_reports_say(as_user, viewer):
    run = import_report([report(1, "<b>x</b>")], ImportOptions(file_name="<script>x</script>"))
    client = as_user(viewer)
    for address in (LIST, f"{LIST}/{run.pk}"):
        assert "<script>x" not in client.get(address).text
        assert "<b>x</b>" not in client.get(address).text


def test_it_takes_as_many_statements_for_many_sources(as_user, viewer, django_assert_num_queries):
    client, last = as_user(viewer), 0
    for number in (1, 12):
        for last in range(last + 1, last + 1 + number):  # noqa: B020 (goes on counting)
            import_report([report(2, f"source {last}")], ImportOptions())
        with django_assert_num_queries(8):
            client.get(LIST)


def flat(html: str) -> str:
    """On one line, and without tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def checked(client, content: bytes = CODE, **said) -> str:
    """The address of a report that was looked through."""
    file = SimpleUploadedFile("code.sarif", content)
    address = client.post(UPLOAD, {"file": file, **said})["Location"]
    assert queue.take_due()
    return address


def test_it_shows_what_a_report_would_do_before_it_goes_in(as_user, admin):
    client = as_user(admin)
    shown = client.get(checked(client)).text
    assert "Import 4 findings" in shown
    assert "4 new findings would make no ticket." in flat(shown)
    assert "<dd>github.com/acme/shop</dd>" in shown
    assert "Static Code Vulnerability" in shown
    assert "/runs/0/results/6" in shown
    assert not Finding.objects.exists()
    assert not Source.objects.exists()


def test_it_imports_what_was_shown(as_user, admin):
    client = as_user(admin)
    address = checked(client, source="shop ci", scope="main")
    for _twice in range(2):
        assert client.post(f"{address}/begin")["Location"] == address
        assert queue.take_due()
    run = Import.objects.get()
    assert (run.state, run.new, run.summary, run.scope.target) == ("done", 4, None, "main")
    assert not default_storage.exists(run.stored_as)


def test_it_imports_nothing_once_a_newer_report_is_in(as_user, admin):
    client = as_user(admin)
    address = checked(client, source="shop ci", scope="main")
    import_report([CODE], ImportOptions(source="shop ci", scope="main"))
    shown = client.post(f"{address}/begin", follow=True).text
    assert "A newer report of this scope came in at" in shown
    assert not queue.is_anything_due(timezone.now())
    assert Import.objects.get(pk=address.rpartition("/")[2]).state == "waiting"


def test_it_discards_what_was_shown(as_user, admin):
    client = as_user(admin)
    address = checked(client)
    stored = Import.objects.get().stored_as
    assert client.post(f"{address}/discard")["Location"] == LIST
    assert not Import.objects.exists()
    assert not default_storage.exists(stored)
    assert client.post(f"{address}/discard").status_code == 404


def test_it_discards_nothing_that_is_in(as_user, admin):
    run = import_report([CODE], ImportOptions())
    as_user(admin).post(f"{LIST}/{run.pk}/discard")
    assert Import.objects.get().state == "done"


def held() -> Import:
    import_report([report(15)], ImportOptions(scope="shop"))
    return import_report([report(3)], ImportOptions(scope="shop"))


def test_it_asks_whether_missing_findings_are_gone(as_user, analyst):
    client, run = as_user(analyst), held()
    shown = client.get(f"{LIST}/{run.pk}").text
    assert "12 of 15 findings are missing from this report" in shown
    assert "Resolve 12" in shown
    gone = Finding.objects.get(resource_id="r14")
    assert f'href="/findings/{gone.finding_id}"' in shown
    assert Finding.objects.get(resource_id="r1").finding_id not in shown
    assert "12 missing" in client.get(LIST).text
    client.post(f"{LIST}/{run.pk}/resolve")
    assert Finding.objects.filter(status="auto_closed").count() == 12
    assert "12 resolved" in flat(client.get(f"{LIST}/{run.pk}").text)


def test_it_keeps_missing_findings_open(as_user, analyst):
    client, run = as_user(analyst), held()
    client.post(f"{LIST}/{run.pk}/keep")
    assert "Kept open by" in client.get(f"{LIST}/{run.pk}").text
    assert Finding.objects.filter(status="open").count() == 15


def test_it_says_what_to_do_about_reports_without_a_scope(as_user, viewer):
    import_report([report(3)], ImportOptions())
    run = import_report([report(3, of="x")], ImportOptions())
    shown = as_user(viewer).get(f"{LIST}/{run.pk}").text
    assert "Imported " in shown
    assert "Name a scope with each report" in shown


@pytest.mark.parametrize("verb", ["begin", "discard", "resolve", "keep"])
def test_it_lets_only_those_decide_who_may(as_user, viewer, admin, verb):
    address = f"{LIST}/{held().pk}/{verb}"
    assert as_user(viewer).post(address).status_code == 403
    client = as_user(admin)
    assert client.get(address).status_code == 405
    assert client.post(f"{LIST}/{uuid4()}/{verb}").status_code == 404


def test_it_shows_how_far_it_is(as_user, admin):
    run = held()
    Import.objects.filter(pk=run.pk).update(state="running", size=2_000_000, bytes_read=500_000)
    shown = as_user(admin).get(f"{LIST}/{run.pk}", headers={"HX-Request": "true"}).text
    assert "3 records so far" in shown
    assert 'aria-label="25% read"' in shown


def bandit(*files: str, unread=()) -> bytes:
    results = [{"test_id": "B1", "issue_text": "Odd", "filename": file} for file in files]
    errors = [{"filename": file, "reason": "syntax error"} for file in unread]
    return json.dumps({"errors": errors, "metrics": {}, "results": results}).encode()


def test_it_takes_an_empty_file_whose_format_and_scope_are_named(as_user, admin):
    client = as_user(admin)
    import_report([bandit("a.py")], ImportOptions(source="ci", scope="shop"))
    answer = upload(client, b"", source="ci", scope="shop", format="bandit")
    assert queue.take_due()
    assert "1 of 1 findings are missing" in client.get(answer["Location"]).text
    address = checked(client, b"", source="ci", scope="shop", format="bandit")
    assert "No findings in this report." in client.get(address).text


def test_it_names_the_files_that_the_scanner_could_not_read(as_user, admin):
    import_report([bandit("a.py", "b.py")], ImportOptions(scope="shop"))
    second = bandit("b.py", unread=["a.py", "<i>.py"]).decode().encode("utf-16")
    client = as_user(admin)
    looked_through = client.get(checked(client, second, scope="shop")).text
    run = import_report([second], ImportOptions(scope="shop"))
    shown = client.get(f"{LIST}/{run.pk}").text
    for page in (looked_through, shown):
        assert "2 files could not be read: a.py, &lt;i&gt;.py; their finding stays open." in page
        assert "syntax error" in page
        assert "The file was in UTF-16 and was read so." in page


def test_it_names_the_columns_that_nothing_is_taken_from(as_user, admin):
    table = b"Title,Severity,Host,Owner,<b>\nOld TLS,low,web-1,me,x\n"
    client = as_user(admin)
    looked_through = client.get(checked(client, table, scope="shop")).text
    run = import_report([table], ImportOptions(scope="shop"))
    shown = client.get(f"{LIST}/{run.pk}").text
    for page in (looked_through, shown):
        assert "Columns not read: Owner, &lt;b&gt;." in page
