"""The editor of the kinds of rules that act on findings themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.kinds.base import EffectKind
from automation.kinds.due_date.action import DueDays, DueFrom, SetDueDate
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.registry import ORDER
from automation.kinds.severity.action import Delta, Level, SetSeverity, ShiftSeverity
from automation.models import Rule
from automation.rules import services
from automation.rules.data import RuleData, action_of
from automation.views import effect_editor
from config.lib import ui_tags
from config.lib.ui_tags import SUBMISSION_ID
from findings.facts import Severity
from tests.conftest import NOON
from tests.factories import FindingFactory

LIST = "/settings/findings-automation"
SLUGS = [kind.slug for kind in ORDER if isinstance(kind, EffectKind)]
MIDNIGHT = 1_804_032_000_000  # 3 March 2027, 00:00 UTC
FIRST = {"due_from": "first_seen"}

# What a person fills in, and what the rule then does.
ACTIONS = [
    (
        "modify_severity",
        {"change": "set", "level": "critical", "description": "Exposed."},
        SetSeverity(severity=Level.CRITICAL, description="Exposed."),
    ),
    (
        "modify_severity",
        {"change": "shift", "delta": "down_one"},
        ShiftSeverity(severity_delta=Delta.DOWN_ONE),
    ),
    (
        "mute",
        {"reason": "risk_accepted", "expires": "date", "expires_on": "2027-03-03"},
        MuteFinding(reason=Reason.RISK_ACCEPTED, expire_at=MIDNIGHT),
    ),
    (
        "mute",
        {
            "reason": "no_fix",
            "expires": "never",
            "expires_on": "2020-01-01",
            "description": "a\r\nb",
        },
        MuteFinding(reason=Reason.NO_FIX, reason_description="a\nb"),
    ),
    ("add_to_inbox", {"description": "Look."}, AddToInbox(description="Look.")),
    ("add_to_inbox", {}, AddToInbox()),
    (
        "set_due_date",
        {"days_critical": "7", "days_unknown": "365", "due_from": "fix_available"},
        SetDueDate(
            due_from=DueFrom.FIX_AVAILABLE,
            due_days_per_severity=[
                DueDays(severity=Severity.CRITICAL, due_in_days=7),
                DueDays(severity=Severity.UNKNOWN, due_in_days=365),
            ],
        ),
    ),
]
VALID = {slug: said for slug, said, _ in reversed(ACTIONS)}


def filled(slug, **said):
    return {"name": "R", "types": ["library_vulnerability"], "query": "", **VALID[slug], **said}


def make(action, name="R", query="", **said) -> Rule:
    types = ["library_vulnerability"]
    data = RuleData(name=name, finding_types=types, query=query, action=action, **said)
    return services.create_rule(data, actor=None)


def as_shown(response) -> dict[str, object]:
    """What a browser would send back of the page's form."""
    form = response.context["form"]
    said = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in said.items()}


@pytest.mark.parametrize(("slug", "said", "action"), ACTIONS)
def test_it_creates_a_rule_and_shows_it_again_as_it_is(as_user, editor, frozen, slug, said, action):
    browser = as_user(editor)
    form = {"name": "R", "types": ["library_vulnerability"], "query": "env:prod", **said}

    page = browser.post(f"{LIST}/{slug}/new", form, follow=True).content.decode()

    rule = Rule.objects.get()
    assert (action_of(rule), rule.query, rule.enabled) == (action, "env:prod", True)
    assert "R saved." in page
    assert "Re-checking open findings." in page
    edit = f"{LIST}/{rule.pk}/edit"
    assert browser.post(edit, as_shown(browser.get(edit)) | {"name": "Other"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.name, action_of(rule), rule.query) == ("Other", action, "env:prod")


@pytest.mark.parametrize(
    ("slug", "said", "sentence"),
    [
        ("modify_severity", {"level": ""}, "Select a severity."),
        ("modify_severity", {"level": "terrible"}, "Select a severity."),
        ("modify_severity", {"change": "shift"}, "Select up or down."),
        (
            "modify_severity",
            {"level": "info_none", "types": ["secret"]},
            "Info / None is not possible for Secret. Its lowest severity is Low.",
        ),
        (
            "modify_severity",
            {"query": "@severity:high"},
            "@severity can&#x27;t be used here. Use @severity_details.adjusted.value.",
        ),
        ("mute", {"reason": ""}, "Select a reason."),
        *(
            ("mute", {"expires": "date", "expires_on": day}, "Pick a day after today.")
            for day in ("", "2026-11-23", "2020-01-01", "soon")
        ),
        ("set_due_date", {"days_critical": "", "days_unknown": ""}, "Enter days for at least one"),
        *(
            ("set_due_date", {"days_critical": days}, "Enter a whole number from 1 to 365.")
            for days in ("0", "366", "-1", "1.5", "x")
        ),
        (
            "set_due_date",
            {"types": ["library_vulnerability", "secret"]},
            "Fix available needs CVE types only: Library, Container Image and Host Vulnerability.",
        ),
        ("add_to_inbox", {"description": "x" * 20_001}, "at most 20000 characters"),
        *((slug, {"name": ""}, "Enter a rule name.") for slug in SLUGS),
        *((slug, {"types": []}, "Select at least one finding type.") for slug in SLUGS),
        *((slug, {"query": "(a:b"}, "is never closed") for slug in SLUGS),
    ],
)
def test_it_says_what_to_do_about_a_wrong_field(as_user, editor, frozen, slug, said, sentence):
    response = as_user(editor).post(f"{LIST}/{slug}/new", filled(slug, **said))

    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert "Fix 1 field to save this rule." in page
    assert 'aria-invalid="true"' in page
    assert not Rule.objects.exists()


@pytest.mark.parametrize("slug", SLUGS)
def test_it_notices_what_somebody_else_saved(as_user, editor, slug):
    browser = as_user(editor)
    browser.post(f"{LIST}/{slug}/new", filled(slug))
    edit = f"{LIST}/{Rule.objects.get().pk}/edit"
    mine = as_shown(browser.get(edit)) | {"name": "Mine"}
    browser.post(edit, as_shown(browser.get(edit)) | {"name": "Theirs"})

    refused = browser.post(edit, mine)

    assert refused.status_code == 409
    assert "Edith Editor changed this rule at" in refused.content.decode()
    assert browser.post(edit, as_shown(refused)).status_code == 302
    assert Rule.objects.get().name == "Mine"


@pytest.mark.parametrize("slug", SLUGS)
def test_a_form_sent_twice_makes_one_rule(as_user, editor, slug):
    browser = as_user(editor)
    form = filled(slug) | {SUBMISSION_ID: "once"}
    for _ in range(2):
        assert browser.post(f"{LIST}/{slug}/new", form).status_code == 302
    assert Rule.objects.count() == 1


@pytest.mark.parametrize("slug", SLUGS)
def test_a_reader_sees_what_a_rule_says(as_user, editor, viewer, slug):
    as_user(editor).post(f"{LIST}/{slug}/new", filled(slug))
    edit = f"{LIST}/{Rule.objects.get().pk}/edit"
    browser = as_user(viewer)

    page = browser.get(edit).content.decode()

    assert '<fieldset class="stack" disabled>' in page
    assert "open findings match. The rule will wait for new ones." in page
    assert ">Save</button>\n        </div>" not in page
    assert browser.post(edit, filled(slug)).status_code == 403
    assert browser.get(f"{LIST}/{slug}/new").status_code == 403
    assert browser.post(f"/rules/{slug}/preview", filled(slug)).status_code == 403


@pytest.mark.parametrize("slug", ["nothing", "severity_modifier"])
def test_there_are_no_other_kinds(as_user, editor, slug):
    browser = as_user(editor)
    assert browser.get(f"{LIST}/{slug}/new").status_code == 404
    assert browser.post(f"/rules/{slug}/preview", {}).status_code == 404


def test_a_rule_is_previewed_as_what_it_is(as_user, editor):
    rule = make(AddToInbox())
    form = filled("mute", rule=str(rule.pk))
    assert as_user(editor).post("/rules/mute/preview", form).status_code == 404


def test_severities_are_those_of_the_scanner(as_user, editor):
    browser = as_user(editor)
    form = filled("modify_severity", severities=["high", "medium"], query="env:prod")
    browser.post(f"{LIST}/modify_severity/new", form)

    rule = Rule.objects.get()
    assert rule.query == "@severity_details.adjusted.value:(high OR medium) env:prod"
    page = browser.get(f"{LIST}/{rule.pk}/edit")
    assert page.context["form"]["severities"].value() == ("high", "medium")
    assert page.context["form"]["query"].value() == "env:prod"
    assert "Severity from the scanner" in page.content.decode()


def test_it_leads_to_the_expiry(as_user, editor, frozen):
    rule = make(MuteFinding(reason=Reason.OTHER, expire_at=MIDNIGHT))
    frozen.move_to(NOON + timedelta(days=365))
    browser = as_user(editor)

    page = browser.get(f"{LIST}/{rule.pk}/edit?field=expire_at").content.decode()

    [day] = [line for line in page.splitlines() if 'name="expires_on"' in line]
    assert "autofocus" in day
    assert 'value="2027-03-03"' in day
    assert day not in browser.get(f"{LIST}/{rule.pk}/edit?field=query").content.decode()


def test_an_expiry_between_two_days_stays_while_the_day_does(as_user, editor, frozen):
    rule = make(MuteFinding(reason=Reason.OTHER, expire_at=MIDNIGHT + 5_000))
    browser = as_user(editor)
    edit = f"{LIST}/{rule.pk}/edit"

    browser.post(edit, as_shown(browser.get(edit)) | {"name": "Other"})

    rule.refresh_from_db()
    assert (rule.name, action_of(rule).expire_at) == ("Other", MIDNIGHT + 5_000)


@pytest.mark.parametrize(("slug", "said", "action"), ACTIONS)
def test_a_copy_opens_in_the_same_editor(as_user, editor, slug, said, action):
    rule = make(action)

    page = as_user(editor).post(f"/rules/{rule.pk}/duplicate", follow=True)

    copy = Rule.objects.exclude(pk=rule.pk).get()
    assert (action_of(copy), copy.enabled) == (action, False)
    assert page.context["form"].rule == copy
    assert page.context["kind"].slug == slug


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize(("number", "said"), [(1, "1 open or muted finding "), (3, "3"), (4, "3+")])
def test_it_counts_what_it_re_checks_no_further_than_it_says(
    number, said, slug, as_user, editor, monkeypatch
):
    for module in (effect_editor, ui_tags):
        monkeypatch.setattr(module, "MAX_COUNTED", 3)
    FindingFactory.create_batch(number)
    FindingFactory(status="resolved")
    with CaptureQueriesContext(connection) as asked:
        page = as_user(editor).get(f"{LIST}/{slug}/new").content.decode()
    assert f"Re-checks {said}" in page
    counts = [each["sql"] for each in asked if "unevaluated_since" in each["sql"]]
    assert [sql for sql in counts if "LIMIT 4" not in sql] == []
