"""The three-way merge: every field, mode, and who changed what when."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.reconcile import (
    Agreed,
    Field,
    Here,
    Mode,
    There,
    confirmed,
    dump,
    load,
    merge,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
STATUS = {"OPEN": "new", "IN_PROGRESS": "indeterminate", "CLOSED": "done"}
BACK = {there: here for here, there in STATUS.items()}


def at(minute):
    return NOW - timedelta(minutes=60 - minute)


def here(value, changed=None, *, auto=False, words=True):
    return Here(value, STATUS.get(value, value) if words else None, changed, auto)


def there(value, changed=None, *, ours=False, words=True, read=60):
    return There(value, BACK.get(value, value) if words else None, changed, ours, at(read))


def merged(agreed, ours, theirs, *, field=Field.STATUS, mode=Mode.TWO_WAY, sent=()):
    return merge(field, mode, agreed, ours, theirs, sent=sent, now=NOW)


BASE = Agreed("OPEN", "new", at(10), at(10))


@pytest.mark.parametrize("field", list(Field))
def test_it_does_nothing_where_nobody_acted(field):
    base = Agreed("a", "a", at(10), at(10))
    result = merged(base, here("a", at(10)), there("a", at(10)), field=field)
    assert (result.write, result.push, result.agreed) == (None, None, base)


@pytest.mark.parametrize("field", list(Field))
def test_it_pushes_what_was_changed_here(field):
    base = Agreed("a", "a", at(10), at(10))
    result = merged(base, here("b", at(20)), there("a", at(10)), field=field)
    assert (result.write, result.push) == (None, "b")
    assert result.agreed.is_owed
    assert not confirmed(result.agreed, "b").is_owed


@pytest.mark.parametrize("field", list(Field))
def test_it_pulls_what_was_changed_there(field):
    base = Agreed("a", "a", at(10), at(10))
    result = merged(base, here("a", at(10)), there("b", at(20)), field=field)
    assert (result.write, result.push) == ("b", None)
    assert result.agreed == Agreed("b", "b", NOW, at(20))


@pytest.mark.parametrize("field", list(Field))
def test_it_agrees_where_both_did_the_same(field):
    base = Agreed("a", "a", at(10), at(10))
    result = merged(base, here("b", at(20)), there("b", at(21)), field=field)
    assert (result.write, result.push, result.conflict) == (None, None, None)
    assert result.agreed == Agreed("b", "b", at(20), at(21))


@pytest.mark.parametrize(
    ("minute_here", "minute_there", "wins"),
    [(20, 30, "there"), (30, 20, "here"), (20, 20, "there")],
)
@pytest.mark.parametrize("field", list(Field))
def test_it_lets_the_later_person_win_and_tells_the_other(field, minute_here, minute_there, wins):
    base = Agreed("a", "a", at(10), at(10))
    result = merged(base, here("h", at(minute_here)), there("t", at(minute_there)), field=field)
    if wins == "there":
        assert (result.write, result.push, result.conflict) == ("t", None, ("h", "t"))
    else:
        assert (result.write, result.push, result.conflict) == (None, "h", ("t", "h"))


@pytest.mark.parametrize(
    ("field", "mode", "changed"),
    list(product(Field, [Mode.ONCE, Mode.OFF], ["here", "there", "both", "first sight"])),
)
def test_it_leaves_a_field_alone_that_is_not_two_way(field, mode, changed):
    ours = here("b" if changed in ("here", "both") else "a", at(20))
    theirs = there("c" if changed in ("there", "both") else "a", at(20))
    base = None if changed == "first sight" else Agreed("a", "a", at(10), at(10))
    result = merged(base, ours, theirs, field=field, mode=mode)
    assert (result.write, result.push, result.conflict) == (None, None, None)
    later = merged(result.agreed, ours, theirs, field=field)
    assert (later.write, later.push) == (None, None)  # switched to two-way: no surprise


@pytest.mark.parametrize(
    ("ahead", "wins"), [(0, "there"), (30, "there"), (31, "here"), (-30, "there"), (90, "here")]
)
def test_it_compares_times_by_our_clock(ahead, wins):
    theirs = there("done", at(50))._replace(ahead=timedelta(minutes=ahead))
    result = merged(BASE, here("IN_PROGRESS", at(20)), theirs)
    assert bool(result.write) is (wins == "there")
    assert bool(result.push) is (wins == "here")


def test_it_takes_a_change_and_back_for_an_action():
    back_here = merged(BASE, here("OPEN", at(30)), there("done", at(20)))
    assert back_here.push == "new"
    back_there = merged(BASE, here("CLOSED", at(20)), there("new", at(30)))
    assert back_there.write == "OPEN"


def test_a_change_there_without_a_time_counts_from_when_the_issue_changed():
    assert merged(BASE, here("CLOSED", at(30)), there("indeterminate", read=20)).push == "done"
    assert merged(BASE, here("CLOSED", at(30)), there("indeterminate", read=40)).write


# --- Echoes ---------------------------------------------------------------------------------


def test_a_write_of_ours_that_nobody_heard_of_is_no_action_there():
    base = Agreed("CLOSED", "new", at(20), at(10), is_owed=True)
    result = merged(base, here("CLOSED", at(20)), there("done", at(21), ours=True), sent={"done"})
    assert (result.write, result.push, result.agreed.is_owed) == (None, None, False)


def test_a_late_write_of_ours_never_undoes_a_person_here():
    base = Agreed("OPEN", "new", at(30), at(10))  # re-opened at 30, pushed, confirmed
    late = there("done", at(31), ours=True)  # sent at 20, landed at 31
    result = merged(base, here("OPEN", at(30)), late, sent={"done"})
    assert (result.write, result.push) == (None, "new")
    again = merged(result.agreed, here("OPEN", at(30)), late, sent={"done"})
    assert again.push == "new"  # until it is confirmed


def test_our_confirmed_write_seen_there_is_no_action():
    base = confirmed(merged(BASE, here("CLOSED", at(20)), there("new", at(10))).agreed, "done")
    result = merged(base, here("CLOSED", at(20)), there("done", at(21), ours=True))
    assert (result.write, result.push) == (None, None)


def test_what_our_account_did_but_we_did_not_send_is_taken():
    result = merged(BASE, here("OPEN", at(10)), there("done", at(20), ours=True))
    assert result.write == "CLOSED"  # a rule of theirs that runs as our account


def test_a_value_of_ours_set_by_a_person_is_an_action():
    base = Agreed("OPEN", "new", at(30), at(10))
    result = merged(base, here("OPEN", at(30)), there("done", at(40)), sent={"done"})
    assert result.write == "CLOSED"


# --- Words one side does not have -------------------------------------------------------------


def test_an_unknown_person_there_is_never_overwritten():
    base = Agreed("alan", "u-alan", at(10), at(10))
    stranger = There("u-eve", "", at(20), is_ours=False, read_at=at(20))
    result = merged(base, Here("alan", "u-alan", at(10)), stranger, field=Field.ASSIGNEE)
    assert (result.write, result.push) == ("", None)
    again = merged(result.agreed, Here("", "", NOW), stranger, field=Field.ASSIGNEE)
    assert (again.write, again.push) == (None, None)


def test_a_person_unknown_there_is_said_once():
    base = Agreed("", "", at(10), at(10))
    ours = Here("carla", None, at(20))
    result = merged(base, ours, there(""), field=Field.ASSIGNEE)
    assert (result.push, result.is_unsayable) == (None, True)
    assert not merged(result.agreed, ours, there(""), field=Field.ASSIGNEE).is_unsayable


def test_a_priority_unknown_here_changes_nothing():
    base = Agreed("P2", "2", at(10), at(10))
    result = merged(base, here("P2"), there("9", at(20), words=False), field=Field.PRIORITY)
    assert (result.write, result.push) == (None, None)


# --- The findings against a person ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "write", "push"),
    [
        ("new", ("CLOSED", 20), ("indeterminate", 30), None, "done"),
        ("new", ("CLOSED", 20), ("new", 30), None, "done"),
        ("indeterminate", ("CLOSED", 20), ("indeterminate", 30), None, "done"),
        ("new", ("CLOSED", 20), ("done", 30), None, None),
        ("done", ("OPEN", 20), ("done", 30), None, "new"),
        ("done", ("OPEN", 30), ("indeterminate", 20), "IN_PROGRESS", None),
        ("done", ("OPEN", 20), ("new", 30), None, None),
        ("new", ("OPEN", 20), ("done", 30), "CLOSED", None),  # closed and opened, then a person
        ("new", ("OPEN", 30), ("done", 20), None, "new"),
    ],
)
def test_the_findings_decide_open_or_closed_and_a_person_the_rest(base, ours, theirs, write, push):
    agreed = Agreed(BACK[base], base, at(10), at(10))
    mine = here(ours[0], at(ours[1]), auto=True)
    result = merged(agreed, mine, there(theirs[0], at(theirs[1])))
    assert (result.write, result.push) == (write, push)


# --- First sight -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "ours", "theirs", "write", "push"),
    [
        (Field.STATUS, here("OPEN"), there("indeterminate"), "IN_PROGRESS", None),
        (Field.STATUS, here("CLOSED", at(20)), there("new"), None, "done"),
        (Field.ASSIGNEE, here("alan"), there(""), None, "alan"),
        (Field.ASSIGNEE, here("alan"), there("dana"), "dana", None),
        (Field.TITLE, here("long"), there("cut"), None, None),
        (Field.TITLE, here("long"), there("new", at(20)), "OPEN", None),
        (Field.PRIORITY, here("P1"), there("3"), None, None),
    ],
)
def test_at_first_sight_actions_count_and_else_jira_is_taken(field, ours, theirs, write, push):
    result = merged(None, ours, theirs, field=field)
    assert (result.write, result.push) == (write, push)


# --- Properties ----------------------------------------------------------------------------------

minutes = st.integers(0, 59).map(at)
maybe = st.none() | minutes
agreements = st.none() | st.builds(
    Agreed, st.sampled_from(list(STATUS)), st.sampled_from(list(BACK)), maybe, maybe, st.booleans()
)
heres = st.builds(here, st.sampled_from(list(STATUS)), maybe, auto=st.booleans())
theres = st.builds(there, st.sampled_from(list(BACK)), maybe, ours=st.booleans())
sents = st.sets(st.sampled_from(list(BACK)))


@given(agreements, heres, theres, sents, st.sampled_from(Field))
def test_applying_the_result_leaves_nothing_to_do(agreed, ours, theirs, sent, field):
    first = merged(agreed, ours, theirs, sent=sent, field=field)
    assert first.write is None or first.push is None
    settled = first.agreed
    if first.write is not None:
        ours = here(first.write, NOW)
    if first.push is not None:
        settled = confirmed(settled, first.push)
        theirs = there(first.push, NOW, ours=True)
    second = merged(settled, ours, theirs, sent=sent, field=field)
    assert (second.write, second.push, second.conflict) == (None, None, None)


@given(agreements, heres, theres, sents)
def test_what_is_owed_stays_owed_until_it_is_confirmed(agreed, ours, theirs, sent):
    first = merged(agreed, ours, theirs, sent=sent)
    again = merged(first.agreed, ours, theirs, sent=sent)
    if first.push is not None:
        assert again.push == first.push
        assert again.conflict is None  # told once


@given(agreements)
def test_it_is_stored_and_read_back(agreed):
    assert agreed is None or load(dump(agreed)) == agreed
