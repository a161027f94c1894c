from __future__ import annotations

import pytest

from findings.query.ast import And, Not, Or, QueryError
from findings.query.parse import parse, parse_rule_query

ERRORS = [
    ("service:web (a", 12, "`(` opened at column 13 is never closed"),
    ("env:(prod", 4, "`(` opened at column 5 is never closed"),
    ('"two words', 0, '`"` opened at column 1 is never closed'),
    ("@line:[10 TO 20", 6, "`[` opened at column 7 is never closed"),
    ("@line:{10 TO 20", 6, "`{` opened at column 7 is never closed"),
    ("CIDR(@host.ip,10.0.0.0/8", 4, "`(` opened at column 5 is never closed"),
    ("a)", 1, "`)` at column 2 closes nothing"),
    (")", 0, "`)` at column 1 closes nothing"),
    ("a ()", 2, "`(` at column 3 holds nothing"),
    ("OR a", 0, "`OR` at column 1 follows nothing"),
    ("a AND OR b", 6, "`OR` at column 7 follows nothing"),
    ("(AND a)", 1, "`AND` at column 2 follows nothing"),
    ("a AND", 2, "`AND` at column 3 is followed by nothing"),
    ("a OR ", 2, "`OR` at column 3 is followed by nothing"),
    ("NOT", 0, "`NOT` at column 1 is followed by nothing"),
    ("a - b", 2, "`-` at column 3 is followed by nothing"),
    ("(-)", 1, "`-` at column 2 is followed by nothing"),
    ("team:", 4, "`:` at column 5 is followed by no value"),
    ("team: payments", 4, "`:` at column 5 is followed by no value"),
    (":payments", 0, "`:` at column 1 has no key before it"),
    ("te*m:payments", 0, "The key at column 1 holds `*`, `?` or `:`, which no key may"),
    ("@severity", 0, "`@` at column 1 begins a path: write `@path:value`"),
    ("@a..b:1", 0, "The path at column 1 has an empty step"),
    ("@:1", 0, "The path at column 1 has an empty step"),
    ("@cvss:>=high", 6, "`high` at column 7 is not a number"),
    ("@cvss:>", 6, "`` at column 7 is not a number"),
    ("@cvss:>1e3", 6, "`1e3` at column 7 is not a number"),
    ("@line:[10 20]", 6, "The range at column 7 is not like `[10 TO 20]`"),
    ("@line:[20 TO 10]", 6, "The range at column 7 ends before it begins"),
    ("@line:[10 TO 20]x", 16, "A space is missing after `]` at column 16"),
    ('"a"b', 3, 'A space is missing after `"` at column 3'),
    ('say"hi"', 3, '`"` at column 4 needs a space or `\\` before it'),
    ("call(me)", 4, "`(` at column 5 needs a space or `\\` before it"),
    ("C:\\Users", 2, "`\\` at column 3 escapes nothing: write `\\\\` for a backslash"),
    ("a\\", 1, "`\\` at column 2 escapes nothing: write `\\\\` for a backslash"),
    ('""', 0, '`""` at column 1 looks for nothing'),
    ("!a", 0, "`!` at column 1: write `-`"),
    ("a && b", 2, "`&&` at column 3: write `AND`"),
    ("a || b", 2, "`||` at column 3: write `OR`"),
    ("CIDR(@host.ip)", 0, "`CIDR` at column 1 is not like `CIDR(@host.ip,10.0.0.0/8)`"),
    ("CIDR(ip,10.0.0.0/8)", 0, "`CIDR` at column 1 is not like `CIDR(@host.ip,10.0.0.0/8)`"),
    ("CIDR(@host.ip,ten)", 0, "`ten` at column 1 is not a network"),
    ("CIDR(@host.ip,10.0.0.0/33)", 0, "`10.0.0.0/33` at column 1 is not a network"),
    ("CIDR(@first_seen_at,::1)", 0, "`@first_seen_at` is a time, not an address"),
    ("a\0b", 1, "The character at column 2 cannot stand in a text"),
    ("\ud800", 0, "The character at column 1 cannot stand in a text"),
]
NOT_A_TIME = [
    *("@first_seen_at:yesterday", "@first_seen_at:2026*", "@first_seen_at:>2026-13-01"),
    *("@last_seen_at:9999-12-31", "@last_seen_at:0001-01-01T00:00+14:00"),
    *("@last_seen_at:<999999999999999", '@last_seen_at:""', "@last_seen_at:2026-W47-1"),
]


@pytest.mark.parametrize(("text", "position", "message"), ERRORS)
def test_it_says_what_is_wrong_and_where(text, position, message):
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.position, caught.value.message) == (position, message)


@pytest.mark.parametrize("text", NOT_A_TIME)
def test_it_refuses_what_is_no_time_for_a_time_field(text):
    with pytest.raises(QueryError, match="compares with times"):
        parse(text)


@pytest.mark.parametrize(
    "field", ["@workflow.mute.is_muted", "@status", "@ticket.key", "@workflow"]
)
def test_it_refuses_in_a_rule_what_changes_after_the_decision(field):
    root = field[1:].split(".")[0]
    with pytest.raises(QueryError, match=f"A rule may not use `@{root}`") as caught:
        parse_rule_query(f"team:payments -({field}:x)")
    assert caught.value.position == 16
    parse(f"team:payments -({field}:x)")


def test_it_refuses_such_a_field_inside_cidr_too():
    with pytest.raises(QueryError, match="@workflow"):
        parse_rule_query("CIDR(@workflow.ip,10.0.0.0/8)")


@pytest.mark.parametrize(
    "text", ["status:open", "@status_code:500", "workflow:x", "@rule.status:x"]
)
def test_it_lets_a_rule_use_fields_that_only_sound_alike(text):
    assert parse_rule_query(text) == parse(text)


def test_it_binds_and_tighter_than_or():
    a, b, c = (parse(word).root for word in "abc")
    assert parse("a b OR c").root == parse("a AND b OR c").root == Or((And((a, b)), c))
    assert parse("a (b OR c)").root == And((a, Or((b, c))))
    assert parse("-a b").root == parse("NOT a b").root == And((Not(a), b))


def test_it_takes_operators_in_lower_case_for_words():
    assert parse("a and b").root == And(tuple(parse(word).root for word in ("a", "and", "b")))


@pytest.mark.parametrize("text", ["", "   ", "*", "\n\u00a0"])
def test_it_reads_nothing_as_everything(text):
    assert parse(text).root == And(())


def test_it_spreads_a_key_over_its_group():
    assert parse("env:(prod OR staging)").root == parse("env:prod OR env:staging").root
    assert parse("env:(prod -stag*)").root == parse("env:prod -env:stag*").root
    assert parse("@n:(>=7 OR [1 TO 2] OR *)").root == parse("@n:>=7 OR @n:[1 TO 2] OR @n:*").root
    assert parse('i:(a:1/b OR (c "d e"))').root == parse('i:a:1/b OR (i:c i:"d e")').root


def test_it_keeps_the_text_as_it_was_written():
    assert parse("  @severity:HIGH   OR a ").text == "  @severity:HIGH   OR a "
