"""`manage.py rules`: export, plan, apply."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from automation.kinds.ticket_creation.action import NAME
from automation.models import DefaultRule, Rule, RuleSetVersion
from automation.rule_file.apply import apply_plan
from automation.rules import services
from tests.factories import ProjectFactory, UserFactory, ticket_rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return ProjectFactory(key="SEC")


@pytest.fixture
def rules(project, editor):
    def data(name, **said):
        return ticket_rule(
            **{
                "name": name,
                "finding_types": ["secret"],
                "project_id": project.pk,
                "max_tickets_per_day": 10,
            }
            | said
        )

    return [
        services.create_rule(data("A", query="team:a"), actor=editor),
        services.create_rule(data("B", assignee_id=editor.pk), actor=editor),
        services.create_rule(data("C", fields={"labels": ["x"]}, enabled=False), actor=editor),
    ]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "rules.yaml"


def run(*args):
    """What is printed, and the exit code."""
    out = StringIO()
    try:
        call_command("rules", *map(str, args), stdout=out)
    except SystemExit as ended:
        return out.getvalue(), ended.code
    return out.getvalue(), 0


def changed(file, *changes):
    text = file.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    file.write_text(text)


def order():
    return "".join(Rule.objects.values_list("name", flat=True))


def test_it_writes_names_that_people_know(rules, editor):
    text, _ = run("export")
    assert "project: SEC" in text
    assert f"assignee: {editor.email}" in text
    assert "id:" not in text.replace("project", "")
    assert text.startswith("# Rules in the order in which they are tried")


def test_it_plans_nothing_after_an_export(rules, file):
    run("export", file)
    assert run("plan", file) == ("No changes.\n", 0)
    run("export", "--ids", file)
    assert run("plan", file) == ("No changes.\n", 0)


def test_it_says_what_would_change_and_exits_with_2(rules, file):
    run("export", file)
    changed(file, ("10\n- name: B", "20\n- name: B"), ("name: C", "name: D"))
    text, code = run("plan", file)
    assert code == 2
    assert text.splitlines()[:4] == [
        "~ edited rule 1: A",
        "    max_tickets_per_day: 10 → 20",
        "+ created rule 3: D",
        "- deleted rule 3: C",
    ]
    assert (order(), RuleSetVersion.objects.count()) == ("ABC", 3)


def test_it_shows_projects_and_people_by_their_names(rules, file, editor):
    ProjectFactory(key="OPS")
    UserFactory(email="new@example.com")
    run("export", file)
    head, first, *rest = file.read_text().split("- name")
    file.write_text("- name".join([head, first.replace("SEC", "OPS"), *rest]))
    changed(file, (editor.email, "new@example.com"))
    text, _ = run("plan", file)
    assert "    project: SEC → OPS" in text
    assert f"    assignee: {editor.email} → new@example.com" in text


def test_it_applies_all_as_one_version(rules, file, editor):
    run("export", file)
    changed(
        file, ("query: team:a", "query: team:b"), ("name: C", "name: D"), ("- secret", "- secret")
    )
    text, code = run("apply", file, "--by", editor.email)
    assert (code, text.splitlines()[-1]) == (0, "Applied as version 4 of the rules.")
    assert order() == "ABD"
    version = RuleSetVersion.objects.first()
    assert (version.version, version.created_by) == (4, editor)
    assert Rule.objects.get(name="A").query == "team:b"
    assert Rule.objects.get(name="D").created_by == editor
    assert Rule.objects.get(name="B").modified_at == rules[1].modified_at


def test_applying_twice_changes_nothing_more(rules, file):
    run("export", file)
    changed(file, ("query: team:a", "query: team:b"))
    run("apply", file)
    assert run("plan", file) == ("No changes.\n", 0)
    assert run("apply", file) == ("No changes.\n", 0)
    assert RuleSetVersion.objects.count() == 4


def test_it_puts_rules_in_the_order_of_the_file(rules, file):
    run("export", file)
    head, *items = file.read_text().split("- name")
    file.write_text("- name".join([head, *reversed(items)]))
    text, code = run("plan", file)
    assert (code, text.splitlines()[0]) == (2, "↕ order: C, B, A")
    run("apply", file)
    assert order() == "CBA"
    assert RuleSetVersion.objects.count() == 4
    assert [rule.position for rule in Rule.objects.all()] == [0, 1, 2]


def test_it_keeps_the_id_of_a_rule_that_is_renamed_by_id(rules, file):
    run("export", "--ids", file)
    changed(file, ("name: A", "name: Renamed"))
    text, _ = run("apply", file)
    assert "~ edited rule 1: Renamed" in text
    assert Rule.objects.get(name="Renamed").pk == rules[0].pk


def test_it_makes_the_same_rules_elsewhere(rules, file, editor):
    run("export", "--ids", file)
    before = [(rule.pk, services.data_of(rule)) for rule in Rule.objects.all()]
    for rule in rules:
        services.delete_rule(rule.pk, actor=editor)
    run("apply", file)
    assert [(rule.pk, services.data_of(rule)) for rule in Rule.objects.all()] == before


def test_it_deletes_what_the_file_does_not_have(rules, file):
    file.write_text("rules: []\n")
    text, _ = run("apply", file)
    assert text.count("- deleted rule") == 3
    assert not Rule.objects.exists()


def test_it_repairs_a_broken_rule(rules, file):
    run("export", file)
    services.break_rule(rules[0].pk, reason="Gone.")
    text, code = run("plan", file)
    assert (code, "    enabled: false → true" in text) == (2, True)
    run("apply", file)
    assert Rule.objects.get(name="A").auto_disabled_reason == ""


def test_it_names_the_file_and_the_line_of_every_fault(rules, file):
    run("export", file)
    changed(file, ("project: SEC", "project: NOPE"))
    with pytest.raises(CommandError) as raised:
        run("apply", file)
    lines = str(raised.value).splitlines()
    assert [line.partition(" ")[0] for line in lines] == [f"{file}:{n}:" for n in (13, 19, 27)]
    assert order() == "ABC"


def test_it_applies_nothing_if_somebody_changes_the_rules_meanwhile(
    rules, file, admin, monkeypatch
):
    run("export", file)
    changed(file, ("query: team:a", "query: team:b"))

    def meanwhile(*args, **kwargs):
        services.disable_rule(rules[1].pk, actor=admin)
        return apply_plan(*args, **kwargs)

    monkeypatch.setattr("automation.management.commands.rules.apply_plan", meanwhile)
    with pytest.raises(CommandError, match=r"Nothing was applied\. Ada Admin changed this"):
        run("apply", file)
    assert Rule.objects.get(name="A").query == "team:a"


def test_it_applies_nothing_if_it_dies_halfway(rules, file, monkeypatch):
    run("export", file)
    changed(file, ("query: team:a", "query: team:b"), ("name: C", "name: D"))
    monkeypatch.setattr(services, "place", _die)
    with pytest.raises(RuntimeError):
        run("apply", file)
    assert (order(), Rule.objects.get(name="A").query) == ("ABC", "team:a")


def _die(*args):
    raise RuntimeError("killed")


@pytest.mark.parametrize("args", [("plan", "nowhere.yaml"), ("apply", "-", "--by", "x@y.example")])
def test_it_says_what_it_was_not_given(args, monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO("rules: []"))
    with pytest.raises(CommandError):
        run(*args)


def test_it_applies_for_nobody_who_may_not_write_rules(rules, file, viewer, analyst):
    run("export", file)
    changed(file, ("name: A", "name: Z"))
    for person in (viewer, analyst):
        with pytest.raises(CommandError, match=f"{person.name} may not change rules"):
            run("apply", file, "--by", person.email)
    assert order() == "ABC"


def test_it_reads_standard_input(rules, monkeypatch):
    text, _ = run("export")
    monkeypatch.setattr("sys.stdin", StringIO(text))
    assert run("plan", "-") == ("No changes.\n", 0)


# --- Every kind ------------------------------------------------------------------------------

OTHERS = """\
mute_rules:
- name: Accepted
  finding_types: [secret]
  reason: risk_accepted
  expire_at: '2100-01-01T00:00:00Z'
due_date_rules:
- name: Due
  finding_types: [secret]
  due_from: first_seen
  due_days_per_severity:
  - {severity: critical, due_in_days: 7}
"""


def test_it_leaves_kinds_alone_that_the_file_does_not_name(rules, file):
    file.write_text(OTHERS)
    text, code = run("apply", file)
    assert (code, text.splitlines()) == (
        0,
        [
            "+ created mute rule 1: Accepted",
            "+ created due date rule 1: Due",
            "",
            "Open findings are looked at again within two hours.",
            "Applied as version 1 of the mute rules.",
            "Applied as version 1 of the due date rules.",
        ],
    )
    assert Rule.objects.filter(kind=NAME).count() == 3
    assert run("apply", file) == ("No changes.\n", 0)


def test_it_says_what_would_change_member_by_member(file):
    file.write_text(OTHERS)
    run("apply", file)
    changed(
        file,
        ("risk_accepted", "no_fix"),
        ("2100-01-01T00:00:00Z", "2101-01-01"),
        ("due_in_days: 7", "due_in_days: 9"),
    )
    text, code = run("plan", file)
    assert code == 2
    assert text.splitlines()[:6] == [
        "~ edited mute rule 1: Accepted",
        "    reason: risk_accepted → no_fix",
        "    expire_at: 2100-01-01T00:00:00Z → 2101-01-01T00:00:00Z",
        "~ edited due date rule 1: Due",
        '    due_days_per_severity: [{"severity": "critical", "due_in_days": 7}] → '
        '[{"severity": "critical", "due_in_days": 9}]',
        "",
    ]


def test_it_puts_several_kinds_in_force_together_or_not_at_all(rules, file, monkeypatch):
    run("export", file)
    mute_rules = OTHERS.partition("due_date_rules")[0]
    changed(file, ("query: team:a", "query: team:b"), ("mute_rules: []\n", mute_rules))
    place = services.place

    def die(ids, change):
        if change.kind.name == NAME:
            raise RuntimeError("killed")
        place(ids, change)

    monkeypatch.setattr(services, "place", die)
    with pytest.raises(RuntimeError):
        run("apply", file)
    assert not Rule.objects.exclude(kind=NAME).exists()
    monkeypatch.setattr(services, "place", place)
    run("apply", file)
    assert Rule.objects.get(kind="mute").name == "Accepted"
    assert Rule.objects.get(name="A").query == "team:b"


def test_it_warns_of_a_rule_that_has_expired(file):
    file.write_text(OTHERS.replace("2100", "2020"))
    text, _ = run("apply", file)
    assert text.startswith("warning: line 2: It does nothing any more: Invalid expiration date.")
    assert run("apply", file)[0].endswith("No changes.\n")


def test_it_switches_the_rules_that_come_with_the_product(rules, file):
    file.write_text("default_inbox_rules: [secret_default_rule]\n")
    text, _ = run("apply", file)
    assert text.splitlines() == [
        "~ enabled default inbox rule: Secrets that are critical or high",
        "",
        "Open findings are looked at again within two hours.",
        "Applied as version 1 of the inbox rules.",
    ]
    assert DefaultRule.objects.get().enabled
    run("export", file)
    assert "default_inbox_rules:\n- secret_default_rule\n" in file.read_text()
    assert run("plan", file) == ("No changes.\n", 0)
    changed(file, ("default_inbox_rules:\n- secret_default_rule\n", "default_inbox_rules: []\n"))
    assert run("apply", file)[0].startswith("~ disabled default inbox rule: Secrets")
    assert not DefaultRule.objects.get().enabled
