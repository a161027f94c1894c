"""Rules as a file: read with the line of every fault, written so that it says the same."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automation.kinds.due_date.action import DueDays, DueFrom, SetDueDate
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.mute.action import LATEST, MuteFinding, Reason
from automation.kinds.registry import KINDS
from automation.kinds.severity.action import Delta, Level, SetSeverity, ShiftSeverity
from automation.kinds.ticket_creation.action import NAME, CreateTicket
from automation.models import Rule
from automation.rule_file.document import MAX_CHARACTERS, RuleFileError
from automation.rule_file.parse import RuleFile, read_rules
from automation.rule_file.plan import plan_rules
from automation.rule_file.serialize import write_rules
from automation.rules import services
from automation.rules.data import RuleData
from automation.rules.services import create_rule
from findings.facts import FindingType, Severity
from tests.factories import ProjectFactory, UserFactory, ticket_rule

pytestmark = pytest.mark.django_db
RULE = """\
rules:
- name: Secrets
  finding_types: [secret]
  project: SEC
  max_tickets_per_day: 10
"""


@pytest.fixture(autouse=True)
def project():
    return ProjectFactory(key="SEC")


def faults(text):
    with pytest.raises(RuleFileError) as raised:
        read_rules(text)
    return [tuple(fault) for fault in raised.value.faults]


def tickets(text):
    return read_rules(text).rules[NAME]


def test_it_reads_a_rule_with_what_it_does_not_say(project):
    [entry] = tickets(RULE)
    assert (entry.id, entry.line) == (None, 2)
    assert entry.data == ticket_rule(
        name="Secrets", finding_types=["secret"], project_id=project.pk, max_tickets_per_day=10
    )


def test_it_reads_everything_a_rule_can_say(project):
    person = UserFactory(email="ada@example.com")
    [entry] = tickets(
        RULE.replace("SEC", "sec")
        + "  id: 5c1f6f5e-6a0a-4f6e-9e0e-0d6a5f5a7b10\n  enabled: false\n  target: jira\n"
        "  query: |-\n    team:payments\n    -env:dev\n  assignee: Ada@example.com\n"
        "  fields: {labels: [x, 1, 2.5, null, true]}\n"
    )
    assert entry.id == uuid.UUID("5c1f6f5e-6a0a-4f6e-9e0e-0d6a5f5a7b10")
    assert entry.data == ticket_rule(
        name="Secrets",
        finding_types=["secret"],
        project_id=project.pk,
        max_tickets_per_day=10,
        enabled=False,
        target="jira",
        query="team:payments\n-env:dev",
        assignee_id=person.pk,
        fields={"labels": ["x", 1, 2.5, None, True]},
    )


def test_it_takes_ids_that_do_not_exist_as_they_are():
    nobody = str(uuid.UUID(int=7))
    [entry] = tickets(RULE.replace("SEC", nobody) + f"  assignee: {nobody}\n")
    action = entry.data.action
    assert action.project_id == action.assignee_id == uuid.UUID(int=7)
    assert [line for line, _ in plan_rules(RuleFile({NAME: [entry]})).warnings] == [2, 2]


def test_it_reads_anchors_and_what_they_override():
    text = (
        RULE.replace("- name", "- &first\n  name")
        + "- {<<: *first, name: B}\n- {<<: *first, name: C}\n"
    )
    assert [entry.data.name for entry in tickets(text)] == ["Secrets", "B", "C"]


def test_it_reads_no_rules():
    assert read_rules("rules: []") == ({NAME: []}, {})


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("SEC", "NOPE"), 4, "There is no project NOPE."),
        (("secret]", "secrets]"), 3, "“secrets” is not a finding type."),
        (("[secret]", "secret"), 3, "`finding_types` is a list."),
        (("[secret]", "[[secret]]"), 3, "A finding type is a text."),
        (("[secret]", "[]"), 3, "Select at least one finding type."),
        (("10", "501"), 5, "Enter a whole number from 1 to 500."),
        (("10", "'10'"), 5, "`max_tickets_per_day` is a whole number."),
        (("10", "true"), 5, "`max_tickets_per_day` is a whole number."),
        (("10", "10\n  quey: x"), 6, "A rule has no `quey`. Is `query` meant?"),
        (("10", "10\n  name: x"), 6, "`name` is there twice."),
        (("10", "10\n  query: '(x'"), 6, "`(` opened at column 1 is never closed (at character 1)"),
        (("10", "10\n  query: '@status:open'"), 6, "(at character 1)"),
        (("10", "10\n  assignee: a@b.example"), 6, "Nobody has the address a@b.example."),
        (("10", "10\n  id: 7"), 6, "`id` is a text."),
        (("10", "10\n  id: seven"), 6, "An id is a UUID."),
        (("10", "10\n  target: fax"), 6, "Tickets can be created in Jira"),
        (("10", "10\n  enabled: 'no'"), 6, "`enabled` is true or false."),
        (("10", "10\n  fields: {due: 2026-01-01}"), 6, "Put “2026-01-01” in quotes"),
        (("10", "10\n  fields: {n: .inf}"), 6, "A number is finite."),
        (("10", "10\n  fields: !!python/object:os.system {}\n  x: 1"), 7, "A rule has no `x`."),
        (("10", "10\n  fields:\n    a: !!python/name:os.system x"), 7, "could not determine"),
        (("Secrets", "no"), 2, "`name` is a text."),
        (("Secrets", '"a\\0"'), 2, "A text may not hold NUL."),
        (("Secrets", "''"), 2, "Enter a rule name of 1 to 255 characters."),
        (("  project: SEC\n", ""), 2, "The rule has no `project`."),
        (("rules:", "rule:"), 1, "The file has lists of rules:"),
        (("10", "10\n  - x"), 6, ""),
    ],
)
def test_it_says_in_which_line_the_fault_is(change, line, said):
    [fault] = faults(RULE.replace(*change))
    assert (fault[0], said in fault[1]) == (line, True), fault


def test_it_names_every_fault_in_the_order_of_the_file():
    other = RULE.removeprefix("rules:\n").replace("SEC", "NOPE").replace("10", "0")
    found = faults(RULE.replace("secret]", "x]") + other)
    assert [line for line, _ in found] == [3, 8]


def test_it_refuses_two_rules_of_one_name():
    again = RULE.removeprefix("rules:\n").replace("Secrets", "'secrets '")
    [fault] = faults(RULE + again)
    assert fault == (6, "The rule of line 2 has this name, too.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "rules: {}",
        "rules: [x]",
        "rules: [[]]",
        "{",
        "rules: [*nobody]",
        "\t",
        "--- a\n--- b",
        "rules: &a [*a]",
        "rules: [{<<: &a {<<: *a}}]",
        "[" * 20_000,
        "x" * (MAX_CHARACTERS + 1),
        "? [a]\n: b",
        "\x00",
        "rules: !!binary x",
    ],
)
def test_it_refuses_what_is_no_file_of_rules(text):
    assert faults(text)


def test_it_does_not_unfold_a_bomb():
    layers = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))
    [fault] = faults(f"a0: &a0 [x]\n{layers}\nrules: []")
    assert "more than 200,000 values" in fault[1]


# --- Written and read again ----------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def stored(project, fields, **said):
    action = CreateTicket(
        target="case_management", project_id=project.pk, max_tickets_per_day=1, fields=fields
    )
    return Rule(kind=NAME, action=KINDS[NAME].write(action), **said)


@pytest.mark.parametrize(
    "text", ["\x85", "a\x85b", "\u2028", "\u2029 x", "\ufeff", "\r\n", "\x1b", "𝄞"]
)
def test_it_writes_unusual_text_as_it_is(project, text):
    rule = stored(project, {text: [text]}, name=f"x{text}x", finding_types=["secret"])
    [entry] = tickets(write_rules([rule]))
    assert entry.data.meaning == services.data_of(rule).meaning


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=TEXT.filter(str.strip),
    types=st.lists(st.sampled_from([kind.value for kind in FindingType]), min_size=1, unique=True),
    query=st.sampled_from(
        ["", "team:x", "a\n b", '"a: b # c"', "-env:dev  ", "@x:*", "yes", "123"]
    ),
    fields=st.none() | st.dictionaries(TEXT, VALUES, max_size=3),
    enabled=st.booleans(),
    with_ids=st.booleans(),
)
def test_what_is_written_is_read_as_the_same(
    project, name, types, query, fields, enabled, with_ids
):
    fields = fields if "{{" not in str(fields) else None
    said = {"name": name, "finding_types": types, "query": query, "enabled": enabled}
    rule = stored(project, fields, **said)
    [entry] = tickets(write_rules([rule], with_ids=with_ids))
    assert entry.id == (rule.pk if with_ids else None)
    assert entry.data.meaning == services.data_of(rule).meaning


# --- Every kind ------------------------------------------------------------------------------

ALL = """\
severity_modifier_rules:
- name: Raise
  finding_types: [library_vulnerability]
  type: shift
  severity_delta: up_one
mute_rules:
- name: Accepted
  finding_types: [secret]
  reason: risk_accepted
  expire_at: '2027-03-03T08:00:00+01:00'
inbox_rules:
- name: Look
  finding_types: [secret]
due_date_rules:
- name: Due
  finding_types: [secret]
  due_from: first_seen
  due_days_per_severity:
  - {severity: critical, due_in_days: 7}
  - {severity: none, due_in_days: 365}
"""


def test_it_reads_the_rules_of_every_kind():
    entries = read_rules(ALL).rules
    assert {kind: len(said) for kind, said in entries.items()} == dict.fromkeys(
        ("severity_modifier", "mute", "inbox", "due_date"), 1
    )
    assert entries["mute"][0].data.action.expires == datetime(2027, 3, 3, 7, tzinfo=UTC)
    assert entries["due_date"][0].data.action.days == {"critical": 7, "none": 365}


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("up_one", "up"), 5, "Invalid enum value 'up'."),
        (("shift", "drop"), 4, "Invalid value 'drop'."),
        (("  type: shift\n", ""), 2, "There is no `type`."),
        (("severity_delta", "severity_delt"), 5, "Is `severity_delta` meant?"),
        (("risk_accepted", "bored"), 9, "Invalid enum value 'bored'."),
        (("'2027-03-03T08:00:00+01:00'", "soon"), 10, "`expire_at` is a time in quotes"),
        (("'2027-03-03T08:00:00+01:00'", "2027-03-03"), 10, "Put “2027-03-03” in quotes"),
        (("'2027-03-03T08:00:00+01:00'", "7"), 10, "`expire_at` is a time in quotes"),
        (("[secret]\ndue", "[secret]\n  description: 7\ndue"), 14, "Expected `str"),
        (("first_seen", "fix_available"), 17, "Fix available needs CVE types only"),
        (("due_in_days: 7", "due_in_days: 0"), 19, "Enter a whole number from 1 to 365."),
        (("due_in_days: 7", "due_in_days: seven"), 19, "Expected `int`, got `str`."),
        (("severity: none", "severity: critical"), 19, "Each severity may be named once."),
        (("severity: none, ", ""), 20, "There is no `severity`."),
        (("inbox_rules:", "default_inbox_rules: [secret_rule]\ninbox_rules:"), 11, "Is `secret_"),
        (("mute_rules:", "mute_rule:"), 1, "The file has lists of rules:"),
    ],
)
def test_it_says_where_a_fault_of_another_kind_is(change, line, said):
    [fault] = faults(ALL.replace(*change))
    assert (fault[0], said in fault[1]) == (line, True), fault


def test_an_id_is_that_of_one_rule_whatever_its_kind(editor):
    rule = create_rule(read_rules(ALL).rules["inbox"][0].data, actor=editor)
    said = f"- {{id: {rule.pk}, name: A, finding_types: [secret]"
    both = f"inbox_rules:\n{said}}}\nmute_rules:\n{said}, reason: other}}\n"
    assert [line for line, _ in faults(both)] == [2]
    with pytest.raises(RuleFileError, match="A rule of another kind has this id"):
        plan_rules(read_rules(both.partition("\n")[2].partition("\n")[2]))


DESCRIPTIONS = st.none() | TEXT
ACTIONS = st.one_of(
    st.builds(SetSeverity, severity=st.sampled_from(Level), description=DESCRIPTIONS),
    st.builds(ShiftSeverity, severity_delta=st.sampled_from(Delta), description=DESCRIPTIONS),
    st.builds(
        MuteFinding,
        reason=st.sampled_from(Reason),
        reason_description=DESCRIPTIONS,
        expire_at=st.none() | st.integers(0, LATEST),
    ),
    st.builds(AddToInbox, description=DESCRIPTIONS),
    st.builds(
        SetDueDate,
        due_from=st.sampled_from(DueFrom),
        due_days_per_severity=st.lists(
            st.builds(DueDays, severity=st.sampled_from(Severity), due_in_days=st.integers(1, 365)),
            min_size=1,
            unique_by=lambda each: each.severity,
        ),
        reason_description=DESCRIPTIONS,
    ),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=st.lists(ACTIONS, max_size=4), with_ids=st.booleans())
def test_a_plan_is_empty_after_an_export(project, actions, with_ids):
    Rule.objects.all().delete()
    said = [
        RuleData(name=f"R{n}", finding_types=["library_vulnerability"], action=action)
        for n, action in enumerate(actions)
    ]
    for position, data in enumerate(said):
        action = KINDS[data.kind].write(data.action)
        types = data.finding_types
        Rule(
            kind=data.kind, name=data.name, finding_types=types, action=action, position=position
        ).save()
    text = write_rules(list(Rule.objects.all()), with_ids=with_ids)
    plan = plan_rules(read_rules(text))
    assert plan.is_empty
    assert not plan.changed
    assert len(plan.kinds) == len(KINDS)
