"""Sources, runs and uploads in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from findings.formats.streams.records import RefusedReport
from findings.imports import queue
from findings.imports.run import ImportOptions, import_report
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll, settle
from tests.factories import FindingFactory, SourceFactory

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/settings/importers"
SAMPLES = Path(__file__).parents[1] / "findings/formats/samples"


@pytest.fixture
def runs(live_server):
    for name in ("code.sarif", "image.trivy.json", "image.grype.json", "v8.gitleaks.json"):
        import_report([(SAMPLES / name).read_bytes()], ImportOptions(file_name=name, by="ci"))
    with pytest.raises(RefusedReport):
        import_report([b"{"], ImportOptions(file_name="cut.json", by="ci"))
    FindingFactory(source=SourceFactory(name="shop ci"))
    empty = (
        b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "CodeQL"}}, "results": []}]}'
    )
    import_report([empty], ImportOptions(file_name="empty.sarif", scope="github.com/acme/shop"))
    unread = (
        b'{"errors": [{"filename": "%s", "reason": "syntax error"}], "metrics": {}, "results": []}'
    )
    unread = unread % (b"src/acme/" * 40 + b"a.py")
    import_report([unread], ImportOptions(file_name="unread.json", by="ci"))


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_every_page_to_everyone(page_as, admin, width):
    page = page_as(admin, theme=BOTH, width=width)
    for link in (None, "code.sarif", "cut.json", "empty.sarif", "unread.json", "Upload a report"):
        page.goto(LIST)
        if link:
            page.get_by_role("link", name=link).last.click()
        assert_accessible(page)
        assert_no_sideways_scroll(page)


def test_it_follows_an_upload_to_its_end(page_as, admin):
    page = page_as(admin)
    page.goto(LIST)
    page.locator("main").press("n")
    page.get_by_label("Report file").set_input_files(SAMPLES / "code.sarif")
    settle(page)
    page.get_by_role("combobox", name="Source").fill("shop ci")
    page.get_by_role("button", name="Check report").press("Enter")
    expect(page.get_by_text("You can close this page.")).to_be_visible()
    assert_accessible(page)
    assert queue.take_due()
    expect(page.get_by_role("button", name="Import 4 findings")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Import 4 findings").press("Enter")
    expect(page.get_by_text("The report is being imported.")).to_be_visible()
    assert queue.take_due()
    expect(page.get_by_text("Running through the rules: 0 of 4.")).to_be_visible()
    expect(page.get_by_text("/runs/0/results/6")).to_be_visible()


def test_it_takes_a_file_that_is_dropped(page_as, admin):
    page = page_as(admin)
    page.goto(f"{LIST}/upload")
    dropped = page.evaluate_handle(
        "() => { const d = new DataTransfer(); d.items.add(new File(['[]'], 'a.json')); return d; }"
    )
    page.locator("[data-drop]").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator("#announcer")).to_have_text("a.json chosen")
    page.get_by_role("button", name="Check report").click()
    expect(page.get_by_role("heading", name="a.json")).to_be_visible()


def test_it_needs_no_scripts(page_as, admin):
    page = page_as(admin, width=420, scripts=False)
    page.goto(f"{LIST}/upload")
    page.get_by_label("Report file").set_input_files(SAMPLES / "own.json")
    page.get_by_role("button", name="Check report").click()
    assert queue.take_due()
    page.get_by_role("link", name="Refresh").click()
    page.get_by_role("button", name="Import").click()
    assert queue.take_due()
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("Running through the rules: 0 of 2.")).to_be_visible()


def test_it_takes_back_what_a_report_that_lacks_too_much_would_close(page_as, analyst, runs):
    page = page_as(analyst, width=420)
    page.goto(LIST)
    page.get_by_role("link", name="empty.sarif").last.click()
    expect(page.get_by_text("4 of 4 findings are missing from this report.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Resolve 4").press("Enter")
    expect(page.get_by_text("4 findings resolved")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 420])
def test_it_asks_for_the_columns_of_a_table(page_as, admin, width, tmp_path):
    table = tmp_path / "issues.csv"
    table.write_text("Issue Name,Level,Box\nOld TLS,High,web-1\nOpen port,Low,web-2\n")
    page = page_as(admin, theme=BOTH, width=width)
    page.goto(f"{LIST}/upload")
    page.get_by_label("Report file").set_input_files(table)
    page.get_by_role("button", name="Check report").press("Enter")
    page.get_by_text("You can close this page.").wait_for()
    assert queue.take_due()
    page.reload()
    page.get_by_label("Title").select_option("Issue Name")
    page.get_by_role("button", name="Look again").press("Enter")
    expect(page.locator("#id_severity_error")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_label("Severity").select_option("Level")
    page.get_by_role("button", name="Look again").press("Enter")
    page.get_by_text("You can close this page.").wait_for()
    assert queue.take_due()
    page.reload()
    expect(page.get_by_role("button", name="Import 2 findings")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.usefixtures("runs")
def test_its_rows_stay_low_on_a_narrow_screen(page_as, admin):
    page = page_as(admin, width=420)
    page.goto(LIST)
    rows = page.locator("main table").first.locator("tbody tr")
    heights = rows.evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert heights
    assert max(heights) < 130
