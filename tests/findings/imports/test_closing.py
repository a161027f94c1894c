"""What a later report no longer holds: closed, held for a person, or left alone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.accounts.models import AuditEvent
from findings.facts import Status
from findings.formats.normalised import normalise
from findings.imports import closing
from findings.imports.intake import receive
from findings.imports.run import ImportOptions, carry_on, import_report
from findings.models import Evaluation, Finding, FindingEvent, Import, Scope
from findings.services import change_status, mute
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def report(*numbers: int, scope: str = "shop", bad: int = 0, scanner: str = "nightly") -> bytes:
    finding = {"finding_type": "misconfiguration", "severity": "low", "title": "Odd"}
    findings = [finding | {"resource_id": f"r{n}"} for n in numbers] + [{"title": "x"}] * bad
    return json.dumps({"source": scanner, "scope": scope, "findings": findings}).encode()


def take(*numbers: int, scope: str = "shop", bad: int = 0, scanner="nightly", **sent) -> Import:
    content = report(*numbers, scope=scope, bad=bad, scanner=scanner)
    return import_report([content], ImportOptions(**sent))


def statuses() -> dict[str, str]:
    return dict(Finding.objects.order_by("pk").values_list("resource_id", "status"))


def test_it_closes_what_a_later_complete_report_lacks():
    take(1, 2, 3)
    done = take(1, 2)
    assert (done.seen_again, done.resolved, done.missing, done.expected) == (2, 1, 1, 3)
    assert statuses() == {"r1": "open", "r2": "open", "r3": "auto_closed"}
    event = FindingEvent.objects.get()
    assert (event.before, event.after, event.actor) == ("open", "auto_closed", None)
    assert str(done) in event.note
    assert Finding.objects.get(resource_id="r3").resolved_at is not None


def test_it_opens_again_what_returns():
    take(1, 2, 3)
    take(1, 2)
    back = take(1, 2, 3)
    assert (back.new, back.seen_again, back.reopened, back.resolved) == (0, 2, 1, 0)
    assert set(statuses().values()) == {"open"}


def test_it_costs_as_much_to_close_many_as_few():
    costs = []
    for number, scope in ((6, "few"), (400, "many")):
        take(*range(number), scope=scope, source=scope)
        with CaptureQueriesContext(connection) as spent:
            assert take(*range(number // 2), scope=scope, source=scope).resolved == number // 2
        costs.append(len(spent))
    assert costs[0] == costs[1]


@pytest.mark.usefixtures("two_a_chunk")
def test_it_closes_chunk_by_chunk():
    take(*range(10))
    assert take(*range(5)).resolved == 5


@pytest.fixture
def two_a_chunk(monkeypatch):
    monkeypatch.setattr(closing, "CHUNK", 2)


def test_it_tells_apart_what_two_named_scopes_have_at_the_same_place():
    first = import_report([report(1, 2, scope="")], ImportOptions(scope="acme/web"))
    other = import_report([report(1, scope="")], ImportOptions(scope="acme/api"))
    assert (first.new, other.new, other.seen_again) == (2, 1, 0)
    again = import_report([report(1, scope="")], ImportOptions(scope="acme/web"))
    assert (again.new, again.seen_again, again.resolved) == (0, 1, 1)
    assert list(Finding.objects.order_by("pk").values_list("scope__target", "status")) == [
        ("acme/web", "open"),
        ("acme/web", "auto_closed"),
        ("acme/api", "open"),
    ]


def test_it_closes_nothing_of_another_scope():
    take(1, 2, 3, scope="shop")
    take(4, 5, 6, scope="site")
    assert take(4, 5, scope="site").resolved == 1
    assert statuses() == {f"r{n}": "auto_closed" if n == 6 else "open" for n in range(1, 7)}


def test_it_takes_the_scope_of_the_sender_before_that_of_the_report():
    take(1, 2, 3, scope="main")
    done = import_report([report(1, 2, scope="main")], ImportOptions(scope=" feature\n1 "))
    assert (done.scope.target, done.new, done.resolved) == ("feature 1", 2, 0)
    assert take(2, 3, scope="main").resolved == 1


def test_it_tells_scanners_of_one_source_apart():
    take(1, 2, 3, source="ci")
    sent = ImportOptions(source="ci", scope="shop", format_name="sarif")
    assert import_report([b"[]"], sent).resolved == 0
    assert Scope.objects.filter(source__name="ci", target="shop").count() == 2


def test_it_closes_nothing_by_a_partial_report():
    take(1, 2, 3)
    done = take(1, 2, is_partial=True)
    assert (done.closing, done.resolved) == ("none", 0)
    assert "partial" in done.closing_note
    assert set(statuses().values()) == {"open"}


def test_it_leaves_muted_findings_to_the_person_who_muted_them():
    take(1, 2, 3)
    mute([Finding.objects.get(resource_id="r3").pk], reason="FALSE_POSITIVE", actor=UserFactory())
    done = take(1, 2)
    assert (done.resolved, done.missing) == (0, 0)
    assert statuses()["r3"] == Status.MUTED


def test_it_closes_what_is_in_progress():
    take(1, 2, 3)
    pk = Finding.objects.get(resource_id="r3").pk
    change_status([pk], status=Status.IN_PROGRESS, actor=UserFactory())
    assert take(1, 2).resolved == 1
    assert FindingEvent.objects.latest("pk").before == "in-progress"


def test_it_leaves_alone_what_was_last_sent_by_itself():
    take(1, 2, 3)
    finding = {"finding_type": "misconfiguration", "severity": "low", "title": "Odd"}
    receive([normalise(finding | {"resource_id": "r3"}, position=0)], source_name="nightly")
    assert take(1, 2).resolved == 0
    assert statuses()["r3"] == "open"


@pytest.mark.parametrize("nothing", [b"[]", b" [ ]\n", b"null"])
def test_it_takes_a_report_of_nothing_for_the_only_scanner_of_its_scope(settings, nothing):
    settings.IMPORT_HOLD_PERCENT = 100
    take(1, 2, source="ci", scanner="gitleaks")
    assert import_report([nothing], ImportOptions(source="ci", scope="site")).resolved == 0
    assert import_report([nothing], ImportOptions(source="ci", scope="shop")).resolved == 2


def test_it_takes_a_report_of_nothing_for_no_one_of_two_scanners(settings):
    settings.IMPORT_HOLD_PERCENT = 100
    take(1, 2, source="ci", scanner="gitleaks")
    take(3, 4, source="ci", scanner="bandit")
    assert import_report([b"[]"], ImportOptions(source="ci", scope="shop")).resolved == 0


# --- Held for a person --------------------------------------------------------------------


@pytest.mark.parametrize(("left", "bad"), [((), 0), ((1,), 0), ((1, 2), 1)])
def test_it_holds_what_looks_wrong(left, bad):
    take(1, 2, 3)
    done = take(*left, bad=bad)
    assert (done.closing, done.resolved) == ("held", 0)
    missing = 3 - len(left)
    assert f"{missing} of 3 findings are missing from this report" in done.closing_note
    assert (done.missing, done.expected) == (missing, 3)
    assert set(statuses().values()) == {"open"}


def test_it_holds_from_the_percentage_on_that_is_set(settings):
    take(1, 2, 3, 4)
    settings.IMPORT_HOLD_PERCENT = 24
    assert take(1, 2, 3).closing == "held"
    settings.IMPORT_HOLD_PERCENT = 100
    assert take().resolved == 4


def test_it_resolves_what_is_held_once_a_person_says_so():
    take(1, 2, 3)
    held, person = take(), UserFactory()
    closing.resolve_held(held, actor=person)
    with pytest.raises(closing.AlreadyDecided):  # twice is once
        closing.resolve_held(Import.objects.get(pk=held.pk), actor=person)
    assert (held.closing, held.resolved) == ("done", 3)
    assert set(statuses().values()) == {"auto_closed"}
    assert set(FindingEvent.objects.values_list("actor", flat=True)) == {person.pk}


def test_it_resolves_only_what_nobody_saw_since():
    take(1, 2, 3)
    held = take()
    take(1, is_partial=True)
    closing.resolve_held(held, actor=UserFactory())
    assert statuses() == {"r1": "open", "r2": "auto_closed", "r3": "auto_closed"}


def test_it_keeps_open_what_a_person_wants_kept():
    take(1, 2, 3)
    held, person = take(), UserFactory(name="Maya")
    seen_before = Import.objects.get(pk=held.pk)
    closing.keep_open(held, actor=person)
    with pytest.raises(closing.AlreadyDecided, match="Kept open by Maya"):
        closing.resolve_held(seen_before, actor=UserFactory())
    assert (held.closing, held.closing_note) == ("kept", "Kept open by Maya.")
    assert set(statuses().values()) == {"open"}


def test_what_died_while_it_resolved_is_finished(monkeypatch):
    take(1, 2, 3)
    held, person = take(), UserFactory(name="Maya")
    with monkeypatch.context() as patch:
        patch.setattr(closing, "_close_some", _die)
        with pytest.raises(SystemExit):
            closing.resolve_held(held, actor=person)
    with pytest.raises(closing.AlreadyDecided, match="Resolved by Maya"):
        closing.keep_open(Import.objects.get(pk=held.pk), actor=UserFactory())
    assert set(statuses().values()) == {"open"}
    closing.finish_resolving()
    closing.finish_resolving()
    held.refresh_from_db()
    assert (held.closing, held.resolved, held.decided_by) == ("done", 3, person)
    assert set(statuses().values()) == {"auto_closed"}
    assert AuditEvent.objects.filter(action="missing findings resolved").count() == 1


def _die(*args, **kwargs):
    raise SystemExit


def test_it_asks_once_for_a_scope_however_often_it_is_held():
    take(1, 2, 3)
    first, second = take(), take()
    first.refresh_from_db()
    assert (first.closing, second.closing) == ("none", "held")
    assert "later report" in first.closing_note


# --- Without a scope ----------------------------------------------------------------------


def test_it_closes_without_a_scope_while_reports_overlap():
    take(1, 2, 3, scope="")
    assert take(1, 2, 4, scope="").resolved == 1


def test_it_takes_a_report_without_a_scope_that_brings_one_back_for_the_same(settings):
    settings.IMPORT_HOLD_PERCENT = 100
    take(1, 2, 3, scope="")
    take(1, 2, scope="")
    assert take(3, scope="").resolved == 2
    assert not Scope.objects.get().is_mixed


def test_it_closes_nothing_more_once_reports_without_a_scope_share_nothing():
    take(1, 2, 3, scope="")
    other = take(4, 5, scope="")
    assert (other.closing, other.resolved) == ("none", 0)
    assert "Name a scope" in other.closing_note
    assert Scope.objects.get().is_mixed
    assert take(4, scope="").resolved == 0
    assert take(1, 2, 3, scope="shop").closing == "done"
    assert take(1, 2, scope="shop").resolved == 1


# --- Several at once, in any order --------------------------------------------------------


def _begun_before(run: Import, **ago) -> None:
    """As if it had begun earlier, and is only now at its end."""
    earlier = timezone.now() - timedelta(**ago)
    Import.objects.filter(pk=run.pk).update(started_at=earlier, closing="open", state="running")
    run.refresh_from_db()


def test_it_lets_an_older_import_that_ends_late_close_nothing():
    take(1, 2, 3)
    older = take(1, 2, 3, is_partial=True)
    take(1, 2, 3)
    Import.objects.filter(pk=older.pk).update(is_partial=False)
    _begun_before(older, minutes=5)
    seen = older.started_at - timedelta(1)
    Evaluation.objects.filter(finding__resource_id="r1").update(last_seen_at=seen)
    closing.apply(older)
    assert (older.closing, older.resolved) == ("none", 0)
    assert "later report" in older.closing_note


def test_it_believes_a_worker_whose_clock_is_behind():
    take(1, 2, 3)
    begun = timezone.now() + timedelta(minutes=2)  # by the clock of another machine
    row = ImportOptions().row(started_at=begun)
    row.save(force_insert=True)
    carry_on(row, [report(1, 2)], has_time=lambda: True)
    assert (row.resolved, statuses()["r1"], statuses()["r3"]) == (1, "open", "auto_closed")


@pytest.mark.usefixtures("two_a_chunk")
@pytest.mark.parametrize("after", range(1, 3))
def test_it_goes_on_closing_where_it_was_killed(monkeypatch, after):
    take(*range(10))
    real, calls = closing._close_some, iter(range(10))

    def die(run, *, actor):
        if next(calls) == after:
            raise SystemExit
        return real(run, actor=actor)

    with monkeypatch.context() as patch:
        patch.setattr(closing, "_close_some", die)
        with pytest.raises(SystemExit):
            take(*range(5))
    assert list(statuses().values()).count("auto_closed") == 2 * after
    run = Import.objects.latest("started_at")
    closing.apply(run)
    assert (run.resolved, run.missing, run.expected) == (5, 5, 10)
    assert FindingEvent.objects.count() == 5
