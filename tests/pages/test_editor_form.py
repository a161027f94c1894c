from __future__ import annotations

import uuid

import pytest

from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule
from automation.rules import services
from automation.rules.data import action_of
from tests.factories import UserFactory

LIST = "/settings/findings-automation"
NEW = f"{LIST}/create_ticket/new"


@pytest.fixture
def filled(project):
    """A form as a person fills it in; the named fields differ."""

    def fill(**said):
        return {
            "name": "Exposed secrets",
            "types": ["secret"],
            "query": "",
            "severities": [],
            "project": str(project.pk),
            "assignee": "",
            "limit": "20",
            **said,
        }

    return fill


def test_it_creates_a_rule(as_user, editor, filled, project):
    grace = UserFactory(name="Grace Hopper")
    said = filled(query="env:prod", severities=["critical", "high"], assignee=str(grace.pk))

    response = as_user(editor).post(NEW, said)

    rule = Rule.objects.get()
    assert response.url == f"{LIST}?rule={rule.pk}#rule-{rule.pk}"
    assert rule.query == "@severity:(critical OR high) env:prod"
    assert (action_of(rule).project_id, action_of(rule).assignee_id) == (project.pk, grace.pk)
    assert (rule.enabled, action_of(rule).max_tickets_per_day, rule.modified_by) == (
        True,
        20,
        editor,
    )


def test_it_says_that_a_rule_was_saved(as_user, editor, filled):
    page = as_user(editor).post(NEW, filled(), follow=True).content.decode()

    assert "Rule Exposed secrets saved" in page
    assert "Applies to new findings from now on." in page


@pytest.mark.parametrize(
    ("types", "wire", "narrowed"),
    [
        (["host_vulnerability"], ["host_and_container_vulnerability"], "OR -@resource_type"),
        (
            ["container_image_vulnerability", "secret"],
            ["secret", "host_and_container_vulnerability"],
            "OR @resource_type",
        ),
        (
            ["container_image_vulnerability", "host_vulnerability"],
            ["host_and_container_vulnerability"],
            "",
        ),
    ],
)
def test_it_tells_hosts_from_container_images(as_user, editor, filled, types, wire, narrowed):
    browser = as_user(editor)
    browser.post(NEW, filled(types=types))

    rule = Rule.objects.get()
    assert rule.finding_types == wire
    assert narrowed in rule.query
    form = browser.get(f"{LIST}/{rule.pk}/edit").context["form"]
    assert set(form["types"].value()) == set(types)
    assert form["query"].value() == ""


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"name": ""}, "Enter a rule name."),
        ({"name": "   "}, "Enter a rule name."),
        ({"types": []}, "Select at least one finding type."),
        ({"project": ""}, "Select a project."),
        ({"project": str(uuid.uuid4())}, "Select a project."),
        ({"assignee": str(uuid.uuid4())}, "Select a person."),
        ({"query": "(env:prod"}, "opened at column 1 is never closed"),
        ({"query": "@status:open"}, "@status"),
        *(
            ({"limit": limit}, "Enter a whole number from 1 to 500.")
            for limit in ("", "0", "501", "1.5", "abc", "-1", "1e2", "９９９", "9" * 5000)
        ),
    ],
)
def test_it_says_what_to_do_about_a_wrong_field(as_user, editor, filled, said, sentence):
    response = as_user(editor).post(NEW, filled(**said))

    assert response.status_code == 422
    page = response.content.decode()
    assert sentence in page
    assert "Fix 1 field to save this rule." in page
    assert 'aria-invalid="true"' in page
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    "said",
    [
        {"name": "x" * 256},
        {"name": "nul\0"},
        {"types": ["secret", "no_such_type"]},
        {"severities": ["dreadful"]},
        {"query": "x" * 30_001},
        {"query": "nul\0"},
        {"query": "(" * 100},
        {"project": "nonsense"},
        {"assignee": "nonsense"},
    ],
    ids=[
        "long name",
        "nul name",
        "type",
        "severity",
        "long query",
        "nul query",
        "deep query",
        "project",
        "assignee",
    ],
)
def test_it_refuses_what_no_page_sends(as_user, editor, filled, said):
    assert as_user(editor).post(NEW, filled(**said)).status_code == 422
    assert not Rule.objects.exists()


def test_it_takes_a_name_of_255_characters(as_user, editor, filled):
    assert as_user(editor).post(NEW, filled(name="x" * 255)).status_code == 302


def test_it_counts_the_fields_to_fix_and_links_to_them(as_user, editor, filled):
    page = as_user(editor).post(NEW, filled(name="", types=[], limit="0")).content.decode()

    assert "Fix 3 fields to save this rule." in page
    for field in ("id_name", "id_types", "id_limit"):
        assert f'href="#{field}"' in page
        assert f'id="{field}"' in page


def test_it_names_what_is_wrong_from_top_to_bottom(as_user, editor, filled):
    wrong = filled(name="", types=[], target="jira", limit="0")
    page = as_user(editor).post(NEW, wrong).content.decode()

    fields = ("id_name", "id_types", "id_account", "id_limit")
    places = [page.index(f'<a href="#{field}"') for field in fields]
    assert places == sorted(places)


def test_it_shows_where_a_query_is_wrong(as_user, editor, filled):
    page = as_user(editor).post(NEW, filled(query="env:prod <b> )")).content.decode()

    assert "env:prod &lt;b&gt; <mark>)</mark>" in page


def test_it_keeps_what_was_typed(as_user, editor, filled):
    said = filled(name="", query="team:x a", types=["secret", "attack_path"], limit="77")

    form = as_user(editor).post(NEW, said).context["form"]

    assert form["query"].value() == "team:x a"
    assert form["types"].value() == ["secret", "attack_path"]
    assert form["limit"].value() == "77"


def test_it_escapes_what_was_typed(as_user, editor, filled):
    evil = '"></textarea><script>alert(1)</script>'
    page = as_user(editor).post(NEW, filled(name=evil, query=evil, limit=evil)).content.decode()

    assert "<script>alert(1)" not in page


def test_it_refuses_a_name_that_is_taken(as_user, editor, filled, make_rule):
    make_rule("Exposed secrets")

    page = as_user(editor).post(NEW, filled()).content.decode()

    assert "Another rule is already called “Exposed secrets”." in page


def test_it_starts_from_a_template(as_user, editor):
    page = as_user(editor).get(f"{NEW}?name=Prod&types=secret&query=env%3Aprod&severities=high")

    form = page.context["form"]
    assert form["name"].value() == "Prod"
    assert form["types"].value() == ["secret"]
    assert form["query"].value() == "env:prod"
    assert form["severities"].value() == ["high"]
    assert not form.errors


def test_it_takes_a_link_with_nonsense_for_what_it_is(as_user, editor):
    response = as_user(editor).get(f"{NEW}?types=x&severities=y&project=z&limit=w&query=%28&seen=1")

    assert response.status_code == 200


def test_it_lets_no_viewer_create_a_rule(as_user, viewer, filled):
    browser = as_user(viewer)

    assert browser.get(NEW).status_code == 403
    assert browser.post(NEW, filled()).status_code == 403
    assert not Rule.objects.exists()


def test_it_creates_a_project_on_the_way_without_scripts(as_user, editor, filled):
    said = filled(name="", project="", project_key="NEW", project_name="Brand new")

    response = as_user(editor).post("/rules/projects", said)

    form = response.context["form"]
    assert f'value="{form["project"].value()}" selected>NEW Brand new' in response.content.decode()
    assert form["limit"].value() == "20"
    assert not form.errors


def test_it_says_why_a_project_cannot_be_created(as_user, editor, filled):
    said = filled(project_key="risk!", project_name="Cloud Risk")

    response = as_user(editor).post("/rules/projects", said, headers={"HX-Request": "true"})

    assert response.status_code == 422
    page = response.content.decode()
    assert "Use 1 to 10 capital letters or digits, starting with a letter." in page
    assert 'value="risk!"' in page


def test_it_lets_no_viewer_create_a_project(as_user, viewer, analyst):
    for person in (viewer, analyst):
        said = {"project_key": "NEW", "project_name": "New"}
        assert as_user(person).post("/rules/projects", said).status_code == 403


def test_it_answers_only_what_it_knows(as_user, editor):
    browser = as_user(editor)

    assert browser.get("/rules/projects").status_code == 405
    assert browser.put(NEW).status_code == 405
    assert browser.get(f"{LIST}/{uuid.uuid4()}/edit").status_code == 404
    assert browser.post(f"{LIST}/{uuid.uuid4()}/edit").status_code == 404
    assert browser.get(f"{LIST}/nonsense/edit").status_code == 404
    assert services.current_version(NAME) == 0
