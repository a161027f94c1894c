"""The rule editor for Jira, against a Jira that answers: every step works without scripts."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from automation.kinds.ticket_creation.action import Target
from automation.models import Rule
from automation.rules import services
from automation.rules.data import action_of
from tests.desk import DESK_ID, REQUIRED, TEAM_ID, TYPED
from tests.factories import DestinationFactory, FindingFactory, JiraAccountFactory, UserFactory
from ticketing.models import Destination, JiraAccount, JiraSpace, JiraUser, Project
from ticketing.trackers.jira.sandbox.defaults import DANA, OF_AN_APP, ORG_TEAM

LIST = "/settings/findings-automation"
NEW = f"{LIST}/create_ticket/new"
CHOOSE = "/rules/destination"
TEAM, REGION, OWNER = "customfield_10020", "customfield_10024", "customfield_10030"


@pytest.fixture(autouse=True)
def _forget():
    cache.clear()


@pytest.fixture
def account(db, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    access = sandbox_jira.access
    return JiraAccountFactory(
        name="acme",
        site_url=sandbox_jira.url,
        api_url=sandbox_jira.url,
        email=access.email,
        token=access.token,
        user_id=sandbox_jira.credentials.user_id,
        rate=50,
    )


@pytest.fixture
def task(sandbox_jira, account):
    """The id of the type Task."""
    return "10001"


@pytest.fixture
def filled(account, task):
    def fill(**said):
        return {
            "name": "Exposed secrets",
            "types": ["secret"],
            "query": "",
            "limit": "20",
            "target": "jira",
            "account": str(account.pk),
            "space": "10000",
            "type": task,
            "jira_assignee": "",
            "extra": [],
            **said,
        }

    return fill


def choose(browser, said, **more):
    response = browser.post(CHOOSE, said | more)
    assert response.status_code == 200
    return response


def test_it_offers_jira_with_what_is_connected(as_user, editor, account):
    page = as_user(editor).get(NEW).content.decode()

    assert "1 account connected" in page
    assert 'name="target" value="jira" hx-post' in page


def test_it_leads_to_connecting_an_account(as_user, editor):
    page = as_user(editor).get(NEW).content.decode()

    assert "Connect an account" in page
    assert "Jira Account" not in page


def test_each_choice_brings_the_next(as_user, editor, account, filled):
    browser = as_user(editor)
    first = choose(browser, filled(space="", type="")).content.decode()
    assert "SEC Security Engineering" in first
    second = choose(browser, filled(type="")).content.decode()
    assert ">Task</option>" in second
    assert "Webhook not verified" in second
    third = choose(browser, filled()).content.decode()
    assert "Add Optional Field" in third
    assert ">Labels</button>" in third
    assert 'value="Exposed secrets"' in third


def test_it_answers_a_script_with_the_card_alone(as_user, editor, filled):
    response = as_user(editor).post(CHOOSE, filled(), headers={"HX-Request": "true"})

    page = response.content.decode()
    assert page.strip().startswith('<div class="card destination"')
    assert response["HX-Trigger-After-Settle"] == "destination"


def test_it_adds_and_removes_a_field(as_user, editor, filled):
    browser = as_user(editor)
    added = choose(browser, filled(add="labels")).content.decode()
    assert 'id="id_field_labels"' in added
    removed = choose(browser, filled(extra=["labels"], drop="labels")).content.decode()
    assert 'id="id_field_labels"' not in removed


def test_it_creates_a_rule_and_the_project_of_its_place(as_user, editor, filled, sandbox_jira):
    sandbox_jira.require_field("SEC", TEAM)
    said = filled(
        extra=["labels", "priority", REGION, "customfield_10012", "customfield_10022"],
        field_labels="security-auto {{tags.team}}",
        field_priority="{{severity}}",
        field_customfield_10020="10300",
        field_customfield_10024=["10400", "10410"],
        field_customfield_10012="{{@cvss.score}}",
        field_customfield_10022=["10320", "10321"],
        summary_template="[{{severity}}] {{title}}",
    )

    page = as_user(editor).post(NEW, said, follow=True).content.decode()

    assert "was created for its tickets" in page
    rule = Rule.objects.get()
    assert action_of(rule).target == "jira"
    assert Destination.objects.get(project=action_of(rule).project_id).space_key == "SEC"
    assert action_of(rule).fields == {
        "summary": "[{{severity}}] {{title}}",
        "labels": ["security-auto", "{{tags.team}}"],
        "priority": {"name": "{{severity}}"},
        TEAM: {"id": "10300"},
        REGION: {"id": "10400", "child": {"id": "10410"}},
        "customfield_10012": "{{@cvss.score}}",
        "customfield_10022": [{"id": "10320"}, {"id": "10321"}],
    }


def test_it_shows_a_saved_rule_as_it_was_said(as_user, editor, filled, sandbox_jira):
    browser = as_user(editor)
    said = filled(
        extra=["labels", REGION],
        field_labels="security-auto {{tags.team}}",
        field_customfield_10024=["10400", "10410"],
        description_template="Fix **{{title}}**.",
    )
    browser.post(NEW, said)
    rule = Rule.objects.get()

    form = browser.get(f"{LIST}/{rule.pk}/edit").context["form"]

    assert form["field_labels"].value() == ["security-auto {{tags.team}}"]
    assert form["field_customfield_10024"].value() == ["10400", "10410"]
    assert form["description_template"].value() == "Fix **{{title}}**."
    browser.post(f"{LIST}/{rule.pk}/edit", said | {"seen": rule.modified_at.isoformat()})
    before = action_of(rule).fields
    rule.refresh_from_db()
    assert action_of(rule).fields == before


def test_it_uses_the_project_that_is_there(as_user, editor, account, filled):
    linked = DestinationFactory(account=account)

    page = as_user(editor).post(NEW, filled(), follow=True).content.decode()

    assert f"Its cases are in {linked.project.name}." in page
    assert action_of(Rule.objects.get()).project_id == linked.project_id
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"account": "nonsense"}, "Select a Jira account."),
        ({"space": "", "type": ""}, "Select a space."),
        ({"type": ""}, "Select a ticket type."),
        ({"type": "9999"}, "Select a ticket type."),
        ({}, "Team is required for Task in SEC. Select a value."),
        ({"field_customfield_10020": "1"}, "This value of Team does not exist."),
        ({"field_customfield_10020": "10300", "summary_template": "{{no}}"}, "{{no}}"),
        (
            {"field_customfield_10020": "10300", "extra": ["duedate"], "field_duedate": "soon"},
            "enter a date",
        ),
    ],
)
def test_it_says_what_to_do_about_a_wrong_field(
    as_user, editor, filled, sandbox_jira, said, sentence
):
    sandbox_jira.require_field("SEC", TEAM)

    response = as_user(editor).post(NEW, filled(**said))

    assert response.status_code == 422
    page = response.content.decode()
    assert sentence in page.replace("&#x27;", "'")
    assert "Fix 1 field to save this rule." in page
    assert not Rule.objects.exists()
    assert not Destination.objects.exists()


def test_it_shows_required_fields_at_once(as_user, editor, filled, sandbox_jira):
    sandbox_jira.require_field("SEC", TEAM)

    page = choose(as_user(editor), filled()).content.decode()

    assert 'id="id_field_customfield_10020"' in page
    assert ">Required</span>" in page
    assert ">Red</option>" in page


def test_it_searches_people(as_user, editor, account, filled):
    browser = as_user(editor)
    found = browser.get(f"/rules/people?account={account.pk}&space=SEC&typed=dana").json()
    [dana] = found["choices"]
    assert "Dana" in dana["label"]
    page = choose(browser, filled(typed_jira_assignee="dana")).content.decode()
    assert dana["label"] in page


def test_it_assigns_to_whom_the_person_is_here_as_well(as_user, editor, account, filled):
    person = UserFactory()
    JiraUser.objects.create(account=account, user_id=DANA.account_id, name="Dana", person=person)

    as_user(editor).post(NEW, filled(jira_assignee=DANA.account_id))

    rule = Rule.objects.get()
    assert action_of(rule).fields == {"assignee": {"accountId": DANA.account_id}}
    assert action_of(rule).assignee_id == person.pk


def test_it_shows_by_name_whom_a_field_names(as_user, editor, account, filled):
    JiraUser.objects.create(account=account, user_id="5b1", name="Priya")
    chosen = {"field_customfield_10030": "5b1", "field_reporter": "5b2"}

    page = choose(as_user(editor), filled(extra=["customfield_10030", "reporter"], **chosen))

    rows = {row.spec.id: row.options for row in page.context["form"].jira_rows}
    assert rows == {
        "customfield_10030": [("5b1", "Priya", True)],
        "reporter": [("5b2", "5b2", True)],
    }


@pytest.mark.parametrize("is_other", [False, True])
def test_a_person_of_one_account_is_nobody_of_another(as_user, editor, account, filled, is_other):
    """Both have a user of this id."""
    other = JiraAccountFactory(site_url=account.site_url, api_url=account.api_url, rate=50)
    for each, name in ((account, "Jane Smith"), (other, "John Smith")):
        JiraUser.objects.create(account=each, user_id=DANA.account_id, name=name)
    offered_of = str(other.pk if is_other else account.pk)
    said = filled(jira_assignee=DANA.account_id, people_of=offered_of, extra=[OWNER])
    said[f"field_{OWNER}"] = DANA.account_id

    shown = choose(as_user(editor), said).text
    as_user(editor).post(NEW, said)

    assert ("Jane Smith" in shown, "John Smith" in shown) == (not is_other, False)
    assert shown.count(f'<option value="{DANA.account_id}" selected>') == (0 if is_other else 2)
    assert f'name="people_of" value="{account.pk}"' in shown
    assert Rule.objects.exists() is not is_other


def test_it_searches_spaces(as_user, editor, account):
    address = f"/rules/spaces?account={account.pk}&typed=plat"

    found = as_user(editor).get(address).json()

    assert found == {"choices": [{"value": "10001", "label": "PLAT Platform"}]}


def test_it_lets_no_viewer_search(as_user, viewer, account):
    browser = as_user(viewer)

    assert browser.get(f"/rules/spaces?account={account.pk}").status_code == 403
    assert browser.get(f"/rules/people?account={account.pk}").status_code == 403
    assert browser.post(CHOOSE).status_code == 403


@pytest.mark.parametrize("account_id", ["", "nonsense", "11111111-1111-1111-1111-111111111111"])
def test_an_unknown_account_is_not_found(as_user, editor, account, account_id):
    assert as_user(editor).get(f"/rules/spaces?account={account_id}").status_code == 404


# --- A space that asks for what few ask for ------------------------------------------------


@pytest.fixture
def desk(filled):
    def fill(**said):
        return filled(space=DESK_ID, **said)

    return fill


def test_it_offers_every_field_of_the_screen(as_user, editor, desk, sandbox_jira):
    page = choose(as_user(editor), desk()).content.decode()

    screen = sandbox_jira.project("DESK").fields["10001"].values()
    own_control = {"project", "issuetype", "summary", "description", "assignee"}
    for field in screen:
        is_there = f'value="{field.id}"' in page or f'id="id_field_{field.id}"' in page
        assert is_there or field.id in own_control, field.name
    assert '<option value="10501">Security team only</option>' in page.replace(" >", ">")
    assert '<option value="26">Report a vulnerability</option>' in page.replace(" >", ">")
    assert f'<option value="{TEAM_ID}">Payments</option>' in page.replace(" >", ">")
    assert "JSON as Jira wants it" in page


def test_it_saves_them_as_jira_wants_them_and_shows_them_again(as_user, editor, desk):
    browser = as_user(editor)
    assert browser.post(NEW, desk(**TYPED)).status_code == 302
    rule = Rule.objects.get()
    assert action_of(rule).fields == REQUIRED

    form = choose(browser, desk(rule=str(rule.pk))).context["form"]
    said = {row.name: row.text for row in form.jira_rows}
    assert (
        browser.post(
            f"{LIST}/{rule.pk}/edit", desk(**said, seen=rule.modified_at.isoformat())
        ).status_code
        == 302
    )
    rule.refresh_from_db()
    assert action_of(rule).fields == REQUIRED


def test_it_previews_them_in_words(as_user, editor, desk):
    FindingFactory(finding_type="secret")

    page = as_user(editor).post("/rules/preview", desk(**TYPED), headers={"HX-Request": "true"})

    words = dict(page.context["ticket_words"])
    assert words["Team"] == "Payments"
    assert words["Request type"] == "Report a vulnerability"
    assert words["Security level"] == "Security team only"
    assert words["Risk"].startswith('{"score": 7.5')


def test_it_says_where_raw_json_is_wrong_and_loses_nothing(as_user, editor, desk):
    typed = '{"score": 7.5,\r\n "of"}'
    response = as_user(editor).post(NEW, desk(**TYPED | {f"field_{OF_AN_APP.id}": typed}))

    page = response.content.decode()
    assert response.status_code == 422
    assert "Risk: this is not valid JSON: line 2, column 6" in page
    assert "{&quot;score&quot;: 7.5,\r\n &quot;of&quot;}</textarea>" in page
    described = f'id_field_{OF_AN_APP.id}_error id_field_{OF_AN_APP.id}_help"'
    assert f'aria-describedby="{described}' in page


def test_ids_are_typed_where_jira_lists_none(as_user, editor, desk, sandbox_jira):
    for path in ("GET .*suggestions", "GET .*servicedesk"):
        sandbox_jira.faults.answer(path, 403, None, times=None)
    browser = as_user(editor)

    page = choose(browser, desk()).content.decode()
    assert f'<input class="input" name="field_{ORG_TEAM.id}"' in page
    assert browser.post(NEW, desk(**TYPED)).status_code == 302
    assert action_of(Rule.objects.get()).fields == REQUIRED


def test_it_searches_teams_with_scripts_and_without(as_user, editor, account, desk):
    browser = as_user(editor)
    address = f"/rules/teams?account={account.pk}&field={ORG_TEAM.id}&typed=pay"
    assert browser.get(address).json() == {"choices": [{"value": TEAM_ID, "label": "Payments"}]}
    unknown = browser.get(f"/rules/teams?account={account.pk}&field=nope&typed=x").json()
    assert (unknown["choices"], bool(unknown["problem"])) == ([], True)

    stranger = {f"field_{ORG_TEAM.id}": "of-another-page"}
    page = choose(browser, desk(**stranger, **{f"typed_field_{ORG_TEAM.id}": "pay"}))
    [row] = [row for row in page.context["form"].jira_rows if row.spec.id == ORG_TEAM.id]
    assert (TEAM_ID, "Payments", False) in row.options
    assert ("of-another-page", "of-another-page", True) in row.options


@pytest.fixture
def stored(account, make_rule):
    destination = DestinationFactory(account=account)
    return make_rule(
        target=Target.JIRA,
        project_id=destination.project_id,
        fields={"labels": ["x"], TEAM: {"id": "10300"}, "summary": "{{title}}"},
    )


def saved(filled, rule, **said):
    return filled(name=rule.name, seen=rule.modified_at.isoformat(), limit="7", **said)


def test_a_silent_jira_loses_nothing(as_user, editor, stored, filled, sandbox_jira):
    sandbox_jira.faults.answer("*", 503, None, times=None)
    browser = as_user(editor)

    page = choose(browser, saved(filled, stored) | {"rule": str(stored.pk)}).content.decode()
    assert "The saved destination is kept." in page
    said = saved(filled, stored, summary_template="{{title}}")
    assert browser.post(f"{LIST}/{stored.pk}/edit", said).status_code == 302

    stored.refresh_from_db()
    assert action_of(stored).max_tickets_per_day == 7
    assert action_of(stored).fields == {
        "labels": ["x"],
        TEAM: {"id": "10300"},
        "summary": "{{title}}",
    }


def test_a_silent_jira_is_a_sentence_at_a_new_place(as_user, editor, filled, sandbox_jira):
    sandbox_jira.faults.answer("*", 503, None, times=None)

    response = as_user(editor).post(NEW, filled())

    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()


def test_a_removed_account_loses_nothing_either(as_user, editor, stored, filled, frozen):
    JiraAccount.objects.update(deleted_at="2026-11-20T00:00Z")
    browser = as_user(editor)

    page = browser.get(f"{LIST}/{stored.pk}/edit").content.decode()
    assert "acme (removed)" in page
    assert "SEC Security Engineering" in page
    response = browser.post(f"{LIST}/{stored.pk}/edit", saved(filled, stored))
    assert response.status_code == 422
    assert "Select a Jira account." in response.content.decode()
    stored.refresh_from_db()
    assert action_of(stored).fields["labels"] == ["x"]


def test_it_opens_without_asking_jira(as_user, editor, stored, sandbox_jira):
    page = as_user(editor).get(f"{LIST}/{stored.pk}/edit").content.decode()

    assert sandbox_jira.log.matching("GET ") == []
    assert 'hx-trigger="load"' in page


def test_it_asks_anew_once_jira_asks_for_something_else(
    as_user, editor, stored, filled, sandbox_jira
):
    browser = as_user(editor)
    choose(browser, filled(rule=str(stored.pk)))  # remembered from here on
    sandbox_jira.require_field("SEC", TEAM)
    services.break_rule(stored.pk, reason="Field Team is now required in SEC.", field=TEAM)

    page = choose(browser, filled(rule=str(stored.pk))).content.decode()

    assert 'Team <span class="badge bad">Required</span>' in page


def test_it_leads_to_the_field_at_fault(as_user, editor, stored, filled, sandbox_jira):
    services.break_rule(stored.pk, reason="Field Team is now required in SEC.", field=TEAM)
    browser = as_user(editor)
    choose(browser, filled(rule=str(stored.pk)))  # remembered from here on

    page = browser.get(f"{LIST}/{stored.pk}/edit?field={TEAM}").content.decode()

    row = page[page.index('id="id_field_customfield_10020"') :][:200]
    assert "autofocus" in row


def test_it_remembers_the_field_at_fault_while_jira_is_asked(as_user, editor, stored, filled):
    services.break_rule(stored.pk, reason="Field Team is now required in SEC.", field=TEAM)
    browser = as_user(editor)

    page = browser.get(f"{LIST}/{stored.pk}/edit?field={TEAM}").content.decode()
    assert f'hx-post="{CHOOSE}?field={TEAM}"' in page
    said = saved(filled, stored) | {"rule": str(stored.pk), "extra": [TEAM]}
    card = browser.post(f"{CHOOSE}?field={TEAM}", said, headers={"HX-Request": "true"})

    row = card.content.decode()
    assert "autofocus" in row[row.index('id="id_field_customfield_10020"') :][:200]


def test_it_says_what_can_no_longer_be_set(as_user, editor, stored, filled, sandbox_jira):
    sandbox_jira.drop_field("SEC", TEAM)

    said = saved(filled, stored) | {"rule": str(stored.pk), "extra": ["labels"]}
    page = choose(as_user(editor), said).content.decode()

    assert f"{TEAM} can no longer be set in SEC. Saving leaves it out." in page


def test_it_saves_how_the_project_is_kept_in_step(as_user, editor, filled):
    said = filled(
        **{
            "sync-no_way_back": "leave",
            "sync-sync_title": "once",
            "sync-sync_description": "once",
            "sync-sync_status": "off",
            "sync-sync_assignee": "two_way",
            "sync-sync_priority": "once",
            "sync-sync_comments": "two_way",
        }
    )

    as_user(editor).post(NEW, said)

    destination = Destination.objects.get()
    assert (destination.sync_status, destination.no_way_back) == ("off", "leave")


def test_a_rule_can_go_back_to_cases(as_user, editor, stored, filled, project):
    said = saved(filled, stored, target="case_management", project=str(project.pk))

    response = as_user(editor).post(f"{LIST}/{stored.pk}/edit", said)
    assert response.status_code == 302, response.context["form"].errors

    stored.refresh_from_db()
    action = action_of(stored)
    assert (action.target, action.project_id, action.fields) == (
        "case_management",
        project.pk,
        None,
    )


def test_it_previews_the_ticket_as_it_will_be(as_user, editor, filled):
    FindingFactory(finding_type="secret", title="Key in code", tags=["team:payments"])
    said = filled(
        extra=["labels", "priority", REGION],
        field_labels="security-auto {{tags.team}}",
        field_priority="{{severity}}",
        field_customfield_10024=["10400", "10410"],
        summary_template="[{{severity}}] {{title}}",
        description_template="Fix {{title}}",
    )

    page = as_user(editor).post("/rules/preview", said, headers={"HX-Request": "true"})

    text = page.content.decode()
    assert "SEC-•••• · Task" in text
    assert "<h3>[High] Key in code</h3>" in text
    assert "<dt>Labels</dt><dd>security-auto, payments</dd>" in text
    assert "<dt>Priority</dt><dd>High</dd>" in text
    assert "<dt>Region</dt><dd>Europe › Frankfurt</dd>" in text
    assert "Fix Key in code" in text


@pytest.mark.parametrize(
    ("severity", "said", "shown"),
    [
        ("critical", {}, "Highest"),
        ("high", {}, "High"),
        ("info", {}, "Lowest"),
        ("critical", {"extra": ["priority"], "field_priority": "{{severity}}"}, "Highest"),
        ("critical", {"extra": ["priority"], "field_priority": "4"}, "Low"),
    ],
)
def test_it_previews_the_priority_that_the_ticket_gets(
    as_user, editor, filled, severity, said, shown
):
    FindingFactory(finding_type="secret", severity=severity)
    page = as_user(editor).post("/rules/preview", filled(**said), headers={"HX-Request": "true"})
    assert f"<dt>Priority</dt><dd>{shown}</dd>" in page.content.decode()


def test_a_viewer_sees_the_rule_without_asking_jira(as_user, viewer, stored, sandbox_jira):
    FindingFactory(finding_type="secret", title="Key in code")

    page = as_user(viewer).get(f"{LIST}/{stored.pk}/edit").content.decode()

    assert "SEC-•••• · Task" in page
    assert 'hx-trigger="load"' not in page
    assert sandbox_jira.log.matching("GET ") == []


def test_it_shows_a_viewer_no_place_but_the_stored_one(as_user, viewer, account, stored):
    hidden = {"space_id": "777", "key": "HID", "name": "Hidden space"}
    JiraSpace.objects.create(account=account, is_allowed=True, **hidden)
    elsewhere = JiraAccountFactory(name="elsewhere")

    page = as_user(viewer).get(f"{LIST}/{stored.pk}/edit?account={elsewhere.pk}&space=777")

    shown = page.context["form"].choices
    assert (shown.account, shown.space_key) == (account, "SEC")
    assert "Hidden space" not in page.content.decode()
    assert "elsewhere" not in page.content.decode()
