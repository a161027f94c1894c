"""Our recipe for fingerprints changed: what is stored keeps its row, its id and its ticket."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from findings.facts import Status
from findings.formats.normalised import Normalised, normalise
from findings.formats.values.identity import RECIPE_VERSION
from findings.imports import recognition
from findings.imports.dry_run import dry_run
from findings.imports.run import ImportOptions, import_report
from findings.imports.spool import spooled
from findings.models import Evaluation, Finding, Import, Scope, Source
from findings.services import Recorded, record
from tests.factories import SourceFactory, reported
from tests.findings.formats.test_what_was_scanned import checkov, grype, scanned, trivy

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


def found(number: int = 0, *, root: str = "a", **fields: object) -> Normalised:
    """As a report of the directory `root` has it today; "" is where scans begin."""
    former = f"lock-{number}"
    own = {"resource_id": f"{root}/lock", "fingerprint": f"{root}/{former}" if root else former}
    (finding,) = reported(**(own | {"former_fingerprints": (former,)} | fields))
    return finding


def stored(*findings: Normalised, source: Source, scope: Scope | None = None) -> None:
    """As recipe 1 did."""
    before = [
        each._replace(fingerprint=each.former_fingerprints[0], former_fingerprints=())
        for each in findings
    ]
    record(before, source=source, scope=scope, now=NOON)
    Finding.objects.update(recipe_version=None)


@pytest.fixture
def source():
    return SourceFactory()


def scope_of(source: Source, target: str, *, is_old: bool = True) -> Scope:
    version = 1 if is_old else RECIPE_VERSION
    return Scope.objects.create(source=source, target=target, recipe_version=version)


def test_it_adopts_the_row_of_the_former_fingerprint_with_its_ticket(source):
    stored(found(), source=source)
    Finding.objects.update(ticket="automated", ticket_key="SEC-1")
    Evaluation.objects.update(unevaluated_since=None)
    before = Finding.objects.values().get()
    assert record([found()], source=source, now=NOON + HOUR) == Recorded(seen_again=1)
    after = Finding.objects.values().get()
    kept = ("id", "finding_id", "ticket", "ticket_key", "first_seen_at")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert (after["fingerprint"], after["recipe_version"]) == ("a/lock-0", RECIPE_VERSION)
    assert Evaluation.objects.get().unevaluated_since is None
    assert record([found()], source=source) == Recorded(seen_again=1)


def test_it_opens_again_a_gone_finding_that_it_adopts(source):
    stored(found(), source=source)
    Finding.objects.update(status=Status.AUTO_CLOSED)
    assert record([found()], source=source) == Recorded(reopened=1)
    assert Finding.objects.get().status == "open"


@pytest.mark.parametrize("last", ["a", "b"])
def test_it_gives_the_row_of_two_to_the_first_that_comes(source, last):
    scopes = {name: scope_of(source, name) for name in "ab"}
    stored(found(root=last), source=source, scope=scopes[last])
    first = record([found(root="a")], source=source, scope=scopes["a"])
    second = record([found(root="b")], source=source, scope=scopes["b"])
    assert (first, second) == (Recorded(seen_again=1), Recorded(new=1))
    assert list(Finding.objects.order_by("pk").values_list("fingerprint", "scope__target")) == [
        ("a/lock-0", "a"),
        ("b/lock-0", "b"),
    ]


def test_it_gives_no_row_to_what_was_never_scanned_before(source):
    stored(found(root="b"), source=source, scope=scope_of(source, "b"))
    new = scope_of(source, "a", is_old=False)
    assert record([found(root="a")], source=source, scope=new) == Recorded(new=1)
    assert record([found(root="b")], source=source, scope=Scope.objects.get(target="b")).new == 0


def test_it_gives_one_row_to_one_of_a_batch_and_first_to_its_own(source):
    stored(found(), source=source)
    recorded = record([found(root="a"), found(root="b"), found(root="")], source=source)
    assert recorded == Recorded(new=2, seen_again=1)
    assert Finding.objects.earliest("pk").fingerprint == "lock-0"
    assert not Finding.objects.filter(recipe_version=None).exists()


def test_it_takes_no_row_that_its_own_finding_still_has(source):
    stored(found(root=""), source=source)
    record([found(root="")], source=source)
    assert record([found(root="a")], source=source) == Recorded(new=1)


def test_it_gives_the_former_fingerprint_of_an_adopted_row_to_another_finding(source):
    """With an id of its own: the adopted one keeps the id that came of that fingerprint."""
    stored(found(root="", resource_id="lock"), source=source)
    record([found(root="a", resource_id="lock")], source=source)
    assert record([found(root="", resource_id="lock")], source=source) == Recorded(new=1)
    assert Finding.objects.values("finding_id").distinct().count() == 2


@pytest.mark.parametrize("size", [10, 1000])
def test_it_adopts_in_a_constant_number_of_statements(source, size):
    stored(*(found(n) for n in range(size)), source=source)
    with CaptureQueriesContext(connection) as captured:
        record([found(n) for n in range(size)], source=source)
    assert len(captured) == 4  # source, known, seen, update


def test_it_lets_no_sender_name_former_fingerprints():
    sent = {"finding_type": "secret", "title": "Key", "severity": "low", "resource_id": "r"}
    refused = normalise(sent | {"former_fingerprints": ["x"]}, position=0)
    assert refused.title == "Unknown field"
    assert normalise(sent | {"former_fingerprints": ("x",)}, position=0).former_fingerprints


# --- Reports ------------------------------------------------------------------------------


@pytest.fixture
def recipe_1(monkeypatch):
    """`recipe_1(report)` imports it as a release before recipes did."""
    outcomes, target_of = recognition.RecognisedReport.outcomes, recognition.registry.target_of

    def former(report, **options):
        for each in outcomes(report, **options):
            named = each.former_fingerprints[0]
            yield each._replace(fingerprint=named, former_fingerprints=())

    def former_target(known, file):
        said = recognition.registry.former_target_of(known, file)
        return target_of(known, file) if said is None else said

    def take(report, **sent) -> Import:
        with monkeypatch.context() as patched:
            patched.setattr(recognition.RecognisedReport, "outcomes", former)
            patched.setattr(recognition.registry, "target_of", former_target)
            done = imported(report, **sent)
        Finding.objects.update(recipe_version=None)
        Scope.objects.update(recipe_version=1)
        return done

    return take


def imported(report, **sent) -> Import:
    return import_report([json.dumps(report).encode()], ImportOptions(source="ci", **sent))


def looked_through(report, **sent):
    with spooled([json.dumps(report).encode()], limit=10**6) as file:
        return dry_run(file, ImportOptions(source="ci", **sent))


def counts(done) -> tuple[int, ...]:
    return done.new, done.seen_again, done.reopened, done.resolved, done.missing


def src(root):
    return scanned(f"/src/{root}")


FORMATS = [(trivy, 4), (grype, 1), (src, 1)]
each_format = pytest.mark.parametrize(("report", "size"), FORMATS)


@pytest.mark.parametrize(("report", "size"), [*FORMATS, (checkov, 2)])
@pytest.mark.parametrize("scope", ["", "shop"])
def test_the_next_import_adopts_and_nothing_doubles(recipe_1, report, size, scope):
    recipe_1(report("services/a"), scope=scope)
    before = set(Finding.objects.values_list("pk", "finding_id"))
    expected = (0, size, 0, 0, 0)
    assert counts(looked_through(report("services/a"), scope=scope)) == expected
    assert counts(imported(report("services/a"), scope=scope)) == expected
    assert counts(imported(report("services/a"), scope=scope)) == expected
    assert set(Finding.objects.values_list("pk", "finding_id")) == before


@each_format
def test_two_that_were_one_are_two_and_the_first_keeps_the_rows(recipe_1, report, size):
    recipe_1(report("services/a"))
    assert recipe_1(report("services/b")).new == 0
    Finding.objects.update(ticket="automated", ticket_key="SEC-1")
    for name, new in (("a", 0), ("b", size), ("a", 0), ("b", 0)):
        assert looked_through(report(f"services/{name}")).new == new
        assert counts(imported(report(f"services/{name}"))) == (new, size - new, 0, 0, 0)
    ticketed = Finding.objects.filter(ticket_key="SEC-1").values_list("resource_id", flat=True)
    assert [name.startswith(("services/a", "/src/services/a")) for name in ticketed] == [
        True
    ] * size
    assert Finding.objects.filter(status="open").count() == 2 * size


@each_format
def test_two_new_ones_are_two(report, size):
    for name, new in (("a", size), ("b", size), ("a", 0), ("b", 0)):
        assert counts(imported(report(f"services/{name}"))) == (new, size - new, 0, 0, 0)


def test_it_closes_what_a_report_lacks_after_it_was_adopted(recipe_1, settings):
    settings.IMPORT_HOLD_PERCENT = 100
    recipe_1(trivy("services/a"))
    less = trivy("services/a")
    del less["Results"][3]
    assert counts(imported(less)) == (0, 3, 0, 1, 1)
    assert counts(imported(trivy("services/a"))) == (0, 3, 1, 0, 0)
    assert Finding.objects.count() == 4


def test_it_asks_once_for_rows_of_other_scopes(recipe_1):
    recipe_1(trivy("services/b"))
    nothing = trivy("services/a") | {"Results": []}
    recipe_1(nothing)
    imported(nothing)
    assert imported(trivy("services/a")).new == 4
    assert imported(trivy("services/b")).new == 0


# --- Any order ----------------------------------------------------------------------------

some = st.frozensets(st.integers(0, 5))
imports = st.lists(st.tuples(st.sampled_from("abc"), some), max_size=6)


class AnyOrderTest(TestCase):
    @settings(deadline=None)
    @given(before=imports, after=imports)
    def test_it_loses_doubles_and_shares_no_row(self, before, after):
        source = SourceFactory()
        scopes = {name: scope_of(source, name) for name in "abc"}
        for root, numbers in before:
            stored(*(found(n, root=root) for n in numbers), source=source, scope=scopes[root])
        old = dict(Finding.objects.values_list("pk", "fingerprint"))
        wanted: set[str] = set()
        for root, numbers in after:
            batch = [found(n, root=root) for n in numbers]
            recorded = record(batch, source=source, scope=scopes[root], now=NOON + HOUR)
            names = {each.fingerprint for each in batch}
            adopted = len(names - wanted) - recorded.new
            assert 0 <= adopted <= len(old)
            wanted |= names
            assert sum(recorded) == len(batch)
        rows = dict(Finding.objects.values_list("pk", "fingerprint"))
        assert old.keys() <= rows.keys()  # no row is lost, and with it no ticket
        assert wanted <= set(rows.values())  # each finding has one
        for pk, former in old.items():  # and a row went to nobody else's finding
            assert rows[pk] == former or rows[pk].endswith(f"/{former}")
        taken = {former for pk, former in old.items() if rows[pk] != former}
        assert taken == {name.partition("/")[2] for name in wanted} & set(old.values())
        Finding.objects.all().delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("root", ["a", None])
def test_two_imports_at_once_adopt_each_row_once(root):
    """Of the same directory, or of four that were one."""
    if connection.vendor == "sqlite":
        pytest.skip("threads share one connection to SQLite's memory; its writers take turns")
    source, size = SourceFactory(), 200
    scopes = [scope_of(source, name) for name in "abcd"]
    stored(*(found(n) for n in range(size)), source=source, scope=scopes[0])
    together = Barrier(4)

    def send(number: int) -> Recorded:
        together.wait()
        try:
            scope = scopes[0 if root else number]
            batch = [found(n, root=root or scope.target) for n in range(size)]
            return record(batch, source=source, scope=scope)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(send, range(4)))
    new = 0 if root else 3 * size
    assert sum(each.new for each in sent) == new
    assert Finding.objects.count() == size + new
    assert not Finding.objects.filter(recipe_version=None).exists()
