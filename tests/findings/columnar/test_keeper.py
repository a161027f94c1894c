"""A table is what the database holds, whatever happens to it, and to whoever follows."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from findings.columnar import feed, log, pruning, rows
from findings.columnar import keeper as module
from findings.columnar.keeper import Keeper
from findings.columnar.loading import load, load_columns
from findings.columnar.matching import matching
from findings.models import ChangeLog, Evaluation, Finding, FindingChange
from findings.query.parse import parse
from tests.factories import FindingFactory, SourceFactory, create_findings

LAZY = ("title", "attributes.a", "grouping.package")


def contents(table):
    """pk → everything that the table tells of the finding."""
    columns = {name: table.coded(name) for name in ("severity", "status", "ticket", *table.lazy)}
    read = {name: [c.entries[code] for code in c.codes] for name, c in columns.items()}
    read["tags"] = [table.tags.entries[code] for code in table.tag_codes.values]
    read |= {name: vector.values.tolist() for name, vector in table.times.items()}
    return {
        pk: {name: values[place] for name, values in read.items()}
        for place, pk in enumerate(table.pks.tolist())
        if table.alive[place]
    }


def in_database(names=LAZY):
    table = load(lambda _: None, most=1 << 30)
    *_, held = load_columns(table, names)
    for name, column in held.items():
        table = table.with_column(name, column)
    return contents(table)


def started(keeper, names=LAZY):
    assert keeper.current() is None
    keeper.follow()
    table = keeper.current()
    for name in names:
        assert table.held(name) is None
    keeper.follow()
    assert set(keeper.current().lazy) == set(names)


def make(number):
    source = SourceFactory()
    return create_findings(
        FindingFactory.build(
            source=source, tags=[f"team:t{nth % 3}"], attributes={"a": nth % 4}, title=f"T {nth}"
        )
        for nth in range(number)
    )


def change(dice):
    """Something that happens to findings, by SQL of any kind."""
    pks = list(Finding.objects.values_list("pk", flat=True))
    some = dice.sample(pks, min(len(pks), dice.randint(0, 4)))
    what = dice.randrange(5)
    if what == 0:
        make(dice.randint(1, 4))
    elif what == 1:
        Finding.objects.filter(pk__in=some).delete()
    elif what == 2:
        Finding.objects.filter(pk__in=some).update(severity=dice.choice(["high", "low"]))
        Evaluation.objects.filter(finding__in=some).update(last_seen_at=timezone.now())
    elif what == 3:
        Finding.objects.filter(pk__in=some).update(
            tags=[f"team:{dice.randrange(9)}"], attributes={"a": dice.randrange(9)}, title="New"
        )
    else:
        with transaction.atomic():
            Finding.objects.update(status="muted")
            transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_it_follows_whatever_is_written(keeper, seed):
    dice = random.Random(seed)
    make(5)
    started(keeper)
    for _ in range(25):
        change(dice)
        if dice.random() < 0.3:
            pruning.prune()  # nothing is an hour old
        assert contents(keeper.current()) == in_database()


@pytest.mark.django_db(transaction=True)
def test_a_table_stays_as_it_was(keeper):
    make(30)
    started(keeper)
    before = keeper.current()
    was = contents(before)
    dice = random.Random(1)
    for _ in range(20):
        change(dice)
        assert keeper.current() is not before or contents(before) == in_database()
    assert contents(before) == was


@pytest.mark.django_db(transaction=True)
def test_it_asks_once_and_reads_only_what_has_changed(keeper, django_assert_num_queries):
    [finding, *_] = make(3)
    started(keeper, ())
    keeper.current()
    with django_assert_num_queries(1):
        same = keeper.current()
    with django_assert_num_queries(1):
        assert keeper.current() is same
    Finding.objects.filter(pk=finding.pk).update(status="muted")
    with django_assert_num_queries(2):
        assert contents(keeper.current())[finding.pk]["status"] == "muted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="writers take turns on SQLite")
def test_a_transaction_that_commits_late_is_not_missed(keeper):
    early, late = make(2)
    started(keeper, ())
    begun, go_on = threading.Event(), threading.Event()

    def write_late():
        with transaction.atomic():
            Finding.objects.filter(pk=late.pk).update(status="muted")
            begun.set()
            go_on.wait(10)
        connection.close()

    thread = threading.Thread(target=write_late)
    thread.start()
    begun.wait(10)
    for status in ("muted", "open", "resolved"):  # each a transaction after the late one
        Finding.objects.filter(pk=early.pk).update(status=status)
        assert contents(keeper.current())[early.pk]["status"] == status
    assert contents(keeper.current())[late.pk]["status"] == "open"
    go_on.set()
    thread.join()
    assert contents(keeper.current())[late.pk]["status"] == "muted"
    assert contents(keeper.current()) == in_database(())


@pytest.mark.django_db(transaction=True)
def test_nobody_sees_what_is_not_committed(keeper):
    make(2)
    started(keeper, ())
    with transaction.atomic():
        Finding.objects.update(status="muted")
        assert keeper.current() is None
        transaction.set_rollback(True)
    assert contents(keeper.current()) == in_database(())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", range(6))
def test_whoever_dies_on_the_way_leaves_it_right(keeper, monkeypatch, step):
    make(6)
    started(keeper)
    Finding.objects.filter(title="T 1").delete()
    Finding.objects.filter(title="T 2").update(title="Other", severity="low")
    make(2)
    where = [
        (module, "rows_of"),
        (module.Table, "with_rows"),
        (module.Table, "without"),
        (feed, "changes"),
        (rows.TextColumn, "encode"),
        (rows, "_read"),
    ][step]

    def die(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*where, die)
        with pytest.raises(KeyboardInterrupt):
            keeper.current()
        with pytest.raises(KeyboardInterrupt):
            keeper.follow()
    assert contents(keeper.current()) == in_database()


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_comes_too_late_begins_anew(keeper, clock, logs):
    make(3)
    started(keeper, ())
    Finding.objects.update(status="muted")
    assert prune_all() > 0
    clock.seconds += 5
    assert keeper.current() is None
    assert "does not reach back" in str(logs)
    ChangeLog.objects.update(floor=0)  # others on this server may still be before it
    keeper.follow()
    assert contents(keeper.current()) == in_database(())


def prune_all():
    """As if an hour had gone by, in which nobody wrote anything anywhere."""
    position = "xid" if connection.vendor == "postgresql" else "id"
    ChangeLog.objects.update(floor=FindingChange.objects.aggregate(last=Max(position))["last"])
    return FindingChange.objects.all().delete()[0]


@pytest.mark.django_db(transaction=True)
def test_what_is_forgotten_is_below_the_floor(monkeypatch):
    make(3)
    pruning.prune()
    assert FindingChange.objects.count()
    monkeypatch.setattr(pruning, "KEPT", -pruning.KEPT)
    pruning.prune()
    if connection.vendor == "sqlite":
        assert not FindingChange.objects.exists()
    position = "xid" if connection.vendor == "postgresql" else "id"
    left = FindingChange.objects.values_list(position, flat=True)
    assert all(each > ChangeLog.objects.get().floor for each in left)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="others on the server keep rows")
def test_a_clock_that_went_back_leaves_no_rows_for_a_year():
    [first, *_] = make(3)
    FindingChange.objects.update(at=timezone.now() + timedelta(days=365))
    Finding.objects.filter(pk=first.pk).update(status="muted")
    FindingChange.objects.filter(pk=FindingChange.objects.latest("pk").pk).update(
        at=timezone.now() - timedelta(days=1)
    )
    pruning.prune()
    assert not FindingChange.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("days", [365, -1])
def test_a_clock_that_jumps_breaks_nothing(keeper, days):
    make(3)
    started(keeper, ())
    with time_machine.travel(timezone.now() + timedelta(days=days)):
        Finding.objects.update(status="muted")
        assert contents(keeper.current()) == in_database(())
        pruning.prune()
        make(1)
        keeper.follow()
        assert contents(keeper.current()) == in_database(())


@pytest.mark.django_db(transaction=True)
def test_what_is_read_again_or_only_in_part_is_right(keeper, monkeypatch):
    made = make(6)
    started(keeper)
    position = keeper._position
    Finding.objects.filter(title="T 1").delete()
    Finding.objects.filter(title="T 2").update(title="Other", tags=["team:new"])
    monkeypatch.setattr(rows, "FIRST", 1)
    reads = iter([rows.rows_of])  # and dies at the second batch

    def dies_between_batches(*args):
        return next(reads)(*args)

    Finding.objects.filter(pk__gt=made[1].pk).update(severity="low")
    with monkeypatch.context() as patch:
        patch.setattr(module, "rows_of", dies_between_batches)
        with pytest.raises(StopIteration):
            keeper.current()
    assert contents(keeper.current()) == in_database()
    keeper._position = position  # as if each row of the log came twice
    assert contents(keeper.current()) == in_database()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="one connection in memory")
def test_processes_and_threads_build_and_follow_at_once(monkeypatch):
    monkeypatch.setattr(module, "MIN_ROWS", 1)
    make(9)
    keepers = [Keeper(1 << 30, start=lambda run: None) for _ in range(2)]
    broken = []

    def ask(keeper, nth):
        try:
            for turn in range(4):
                keeper.current()
                if nth:
                    keeper.follow()
                Finding.objects.filter(title=f"T {nth}").update(severity="low", title=f"T {turn}")
        except Exception as error:  # noqa: BLE001  of whatever thread
            broken.append(error)
        finally:
            connection.close()

    asked = [(keeper, nth) for keeper in keepers for nth in range(2)]
    threads = [threading.Thread(target=ask, args=each) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert broken == []
    for keeper in keepers:
        assert contents(keeper.current()) == in_database(())


@pytest.mark.django_db(transaction=True)
def test_a_log_that_was_interrupted_is_another_log(keeper, clock):
    make(3)
    started(keeper, ())
    log.remove(connection)
    Finding.objects.update(status="muted")
    log.install(connection)
    clock.seconds += 5
    assert keeper.current() is None
    keeper.follow()
    assert contents(keeper.current()) == in_database(())


@pytest.mark.django_db(transaction=True)
def test_what_went_past_the_log_is_found_by_comparing(keeper, clock, logs):
    make(3)
    started(keeper, ())
    generation = ChangeLog.objects.get()
    log.remove(connection)
    Finding.objects.update(status="muted")
    log.install(connection)
    generation.save()
    assert contents(keeper.current()) != in_database(())
    clock.seconds += module.CHECK_EVERY
    keeper.follow()
    assert "not what the database holds" in str(logs)
    keeper.follow()
    assert contents(keeper.current()) == in_database(())


@pytest.mark.django_db(transaction=True)
def test_of_many_changes_a_thread_takes_care(keeper, clock, monkeypatch):
    make(6)
    started(keeper, ())
    monkeypatch.setattr(module, "AT_ONCE", 2)
    before = keeper.current()
    Finding.objects.update(status="muted")
    assert keeper.current() is before  # of a moment ago
    clock.seconds += module.FRESH_FOR
    assert keeper.current() is None
    keeper.follow()
    assert contents(keeper.current()) == in_database(())


@pytest.mark.django_db(transaction=True)
def test_findings_that_change_while_a_column_is_loaded_are_read_again(keeper, monkeypatch):
    make(9)
    started(keeper, ())
    monkeypatch.setattr(rows, "BATCH", 2)
    dice, batches_of = random.Random(7), rows.batches_of

    def with_changes(names):
        for batch in batches_of(names):
            yield batch
            change(dice)

    monkeypatch.setattr("findings.columnar.loading.batches_of", with_changes)
    keeper.current().held("title")
    keeper.follow()
    monkeypatch.undo()
    assert contents(keeper.current()) == in_database(["title"])


@pytest.mark.django_db(transaction=True)
def test_what_does_not_fit_is_not_held(keeper, clock, logs):
    make(20)
    Finding.objects.filter(title="T 3").update(description="x" * 1_000_000)
    started(keeper, ("title",))
    keeper.most = keeper.current().nbytes + 100_000
    assert keeper.current().held("description") is None
    keeper.follow()
    keeper.follow()
    assert "description" in str(logs)
    table = keeper.current()
    assert matching(table, parse("@description:x*").root, timezone.now()) is None
    assert set(table.lazy) == {"title"}
    clock.seconds += 1
    table.held("attributes.a")
    keeper.most = table.nbytes + 10
    keeper.follow()  # the one that nobody has asked for since makes room
    assert set(keeper.current().lazy) == {"attributes.a"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("room", "early"), [(1 << 30, {"title", "description"}), (10, set())])
def test_it_loads_early_what_there_is_room_for(clock, monkeypatch, room, early):
    monkeypatch.setattr(module, "MIN_ROWS", 1)
    make(9)
    most = load(lambda _: None, most=1 << 30).room + room
    keeper = Keeper(most, early=[("title",), ("description",)], start=lambda run: None, clock=clock)
    assert keeper.current() is None
    for _ in range(2):
        keeper.follow()
        assert set(keeper.current().lazy) == early
    keeper.most = 1 << 30  # what did not fit then was not refused for good
    keeper.current().held("title")
    keeper.follow()
    assert set(keeper.current().lazy) == early | {"title"}


@pytest.mark.django_db(transaction=True)
def test_who_asks_for_a_word_waits_while_its_columns_are_read(keeper):
    make(3)
    assert not keeper.wait_for(["title"], 9)  # nobody has asked anything: nothing is on its way
    assert keeper.current() is None
    assert keeper.wait_for(["title"], 0.01)
    assert keeper.is_loading(["title"])
    waited = []
    waiter = threading.Thread(target=lambda: waited.append(keeper.wait_for(["title"], 30)))
    waiter.start()
    keeper.follow()
    waiter.join(30)
    assert waited
    assert set(keeper.current().lazy) == {"title"}
    assert not keeper.wait_for(["title"], 9)


@pytest.mark.django_db(transaction=True)
def test_more_findings_than_fit_are_left_to_sql(keeper, logs):
    make(3)
    keeper.most = 1_000
    assert keeper.current() is None
    keeper.follow()
    assert keeper.current() is None
    assert "EXPLORER_MEMORY_MB" in str(logs)


@pytest.mark.django_db(transaction=True)
def test_it_is_built_once_and_only_of_many(clock, monkeypatch):
    runs = []
    keeper = Keeper(1 << 30, start=runs.append, clock=clock)
    make(2)
    monkeypatch.setattr(module, "MIN_ROWS", 3)
    assert keeper.current() is None
    assert not runs
    make(1)
    clock.seconds += module.LOOK_AGAIN
    assert keeper.current() is None
    assert keeper.current() is None
    assert len(runs) == 1
    Keeper(0, start=runs.append).current()
    assert len(runs) == 1
