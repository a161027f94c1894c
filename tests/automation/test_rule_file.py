"""Rules as a file: read with the line of every fault, written so that it says the same."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automation import services
from automation.models import Rule
from automation.rule_data import RuleData
from automation.rule_file.document import MAX_CHARACTERS, RuleFileError
from automation.rule_file.plan import plan_rules
from automation.rule_file.reading import read_rules
from automation.rule_file.writing import write_rules
from findings.facts import FindingType
from tests.factories import ProjectFactory, UserFactory

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


def test_it_reads_a_rule_with_what_it_does_not_say(project):
    [entry] = read_rules(RULE)
    assert (entry.id, entry.line) == (None, 2)
    assert entry.data == RuleData(
        name="Secrets", finding_types=["secret"], project_id=project.pk, max_tickets_per_day=10
    )


def test_it_reads_everything_a_rule_can_say(project):
    person = UserFactory(email="ada@example.com")
    [entry] = read_rules(
        RULE.replace("SEC", "sec")
        + "  id: 5c1f6f5e-6a0a-4f6e-9e0e-0d6a5f5a7b10\n  enabled: false\n  target: jira\n"
        "  query: |-\n    team:payments\n    -env:dev\n  assignee: Ada@example.com\n"
        "  fields: {labels: [x, 1, 2.5, null, true]}\n"
    )
    assert entry.id == uuid.UUID("5c1f6f5e-6a0a-4f6e-9e0e-0d6a5f5a7b10")
    assert entry.data == RuleData(
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
    [entry] = read_rules(RULE.replace("SEC", nobody) + f"  assignee: {nobody}\n")
    assert entry.data.project_id == entry.data.assignee_id == uuid.UUID(int=7)
    assert [line for line, _ in plan_rules([entry]).warnings] == [2, 2]


def test_it_reads_anchors_and_what_they_override():
    text = (
        RULE.replace("- name", "- &first\n  name")
        + "- {<<: *first, name: B}\n- {<<: *first, name: C}\n"
    )
    assert [entry.data.name for entry in read_rules(text)] == ["Secrets", "B", "C"]


def test_it_reads_no_rules():
    assert read_rules("rules: []") == []


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
        (("rules:", "rule:"), 1, "The file has one member, `rules`."),
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


def test_it_refuses_two_rules_of_one_name_without_ids():
    [fault] = faults(RULE + RULE.removeprefix("rules:\n"))
    assert fault == (6, "The rule of line 2 has this name, too. Give both their ids.")


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


@pytest.mark.parametrize(
    "text", ["\x85", "a\x85b", "\u2028", "\u2029 x", "\ufeff", "\r\n", "\x1b", "𝄞"]
)
def test_it_writes_unusual_text_as_it_is(project, text):
    rule = Rule(
        name=f"x{text}x",
        finding_types=["secret"],
        project_id=project.pk,
        max_tickets_per_day=1,
        fields={text: [text]},
    )
    [entry] = read_rules(write_rules([rule]))
    assert entry.data == services.data_of(rule)


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
    rule = Rule(
        name=name,
        finding_types=types,
        query=query,
        fields=fields if "{{" not in str(fields) else None,
        enabled=enabled,
        project_id=project.pk,
        max_tickets_per_day=1,
    )
    [entry] = read_rules(write_rules([rule], with_ids=with_ids))
    assert entry.id == (rule.pk if with_ids else None)
    assert entry.data == services.data_of(rule)
