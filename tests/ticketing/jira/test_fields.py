"""Fields against the sandbox's create metadata, which is checked against Jira's own schema."""

import pytest

from ticketing.fields.spec import FieldKind, Option, offered
from ticketing.trackers.jira.fields import field_specs, missing, problems

CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"
AGILE = "com.pyxis.greenhopper.jira:"
TEAM = FieldKind.TEAM


def entry(field_id="customfield_1", name="Team", *, type="string", **more):
    schema = {"type": type} | {k: more.pop(k) for k in ("custom", "system", "items") if k in more}
    return {"fieldId": field_id, "name": name, "required": False, "schema": schema} | more


def spec(**more):
    [found] = field_specs([entry(**more)])
    return found


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, FieldKind.TEXT),
        ({"type": "string", "custom": CUSTOM + "textarea"}, FieldKind.PARAGRAPH),
        ({"type": "string", "custom": CUSTOM + "url"}, FieldKind.URL),
        ({"type": "number", "custom": CUSTOM + "float"}, FieldKind.NUMBER),
        ({"type": "date", "system": "duedate"}, FieldKind.DATE),
        ({"type": "datetime", "custom": CUSTOM + "datetime"}, FieldKind.DATETIME),
        ({"type": "array", "items": "string", "system": "labels"}, FieldKind.LABELS),
        ({"type": "option", "custom": CUSTOM + "radiobuttons"}, FieldKind.SELECT),
        ({"type": "array", "items": "option"}, FieldKind.MULTI_SELECT),
        ({"type": "option-with-child"}, FieldKind.CASCADING),
        ({"type": "priority", "system": "priority"}, FieldKind.PRIORITY),
        ({"type": "array", "items": "component"}, FieldKind.COMPONENTS),
        ({"type": "array", "items": "version"}, FieldKind.VERSIONS),
        ({"type": "version", "custom": CUSTOM + "version"}, FieldKind.VERSION),
        ({"type": "user"}, FieldKind.USER),
        ({"type": "array", "items": "user"}, FieldKind.USERS),
        ({"type": "group"}, FieldKind.GROUP),
        ({"type": "any", "custom": "com.pyxis.greenhopper.jira:gh-epic-link"}, FieldKind.EPIC_LINK),
        ({"type": "string", "custom": "com.pyxis.greenhopper.jira:gh-epic-label"}, FieldKind.TEXT),
        ({"type": "array", "items": "json", "custom": AGILE + "gh-sprint"}, FieldKind.SPRINT),
        ({"type": "securitylevel", "system": "security"}, FieldKind.SECURITY_LEVEL),
        ({"type": "any", "custom": "com.atlassian.teams:rm-teams-custom-field-team"}, TEAM),
        ({"type": "team", "custom": CUSTOM + "atlassian-team"}, FieldKind.TEAM),
        ({"type": "any", "custom": "com.atlassian.servicedesk:vp-origin"}, FieldKind.REQUEST_TYPE),
        ({"type": "sd-customerrequesttype", "custom": "x:y"}, FieldKind.REQUEST_TYPE),
        ({"type": "array", "items": "cmdb-object-field", "custom": "x:y"}, FieldKind.ASSETS),
        ({"type": "project", "custom": CUSTOM + "project"}, FieldKind.PROJECT),
        ({"type": "any", "custom": "com.acme:strange"}, FieldKind.RAW),
        ({"type": "any", "custom": "com.acme:select"}, FieldKind.RAW),
        ({"type": "array", "items": "string", "custom": "com.acme:words"}, FieldKind.RAW),
        ({"type": "timetracking", "system": "timetracking"}, FieldKind.RAW),
        ({"type": "string", "custom": CUSTOM + "readonlyfield"}, FieldKind.RAW),
        ({"type": 5}, FieldKind.RAW),
    ],
)
def test_it_knows_the_kind(schema, kind):
    assert spec(**schema).kind is kind


def test_it_reads_both_shapes_of_metadata():
    cloud = entry(hasDefaultValue=False, key="customfield_1", operations=["set"])
    data_center = {"customfield_1": entry()}
    assert field_specs([cloud]) == field_specs(data_center)


def test_a_field_with_a_default_need_not_be_supplied():
    assert spec(required=True).is_required
    assert not spec(required=True, hasDefaultValue=True).is_required


def test_it_reads_options_with_what_is_below_them():
    values = [
        {"id": 1, "value": "Europe", "children": [{"id": "2", "value": "Dublin"}]},
        {"id": "3", "value": "Gone", "disabled": True},
        {"id": "4", "name": "1.0", "archived": True},
        {"value": "no id"},
    ]
    found = spec(type="option-with-child", allowedValues=values)
    assert found.options == (Option("1", "Europe", (Option("2", "Dublin"),)),)


@pytest.mark.parametrize("junk", [None, "x", 3, [None], [{}], [{"name": "Team"}]])
def test_what_names_no_field_is_left_out(junk):
    assert field_specs(junk) == []


@pytest.mark.parametrize("odd", [{"fieldId": "a"}, {"fieldId": "a", "schema": 2}])
def test_a_field_that_is_not_understood_is_offered_all_the_same(odd):
    [found] = offered(field_specs([odd | {"required": True}]))
    assert (found.id, found.kind, found.is_required) == ("a", FieldKind.RAW, True)


def test_it_requires_nothing_that_every_ticket_has():
    ours = ("summary", "description", "project", "issuetype", "reporter", "labels")
    specs = field_specs([entry(field_id, field_id, required=True) for field_id in ours])
    assert missing(specs, {}) == []


def test_it_offers_required_fields_first_and_not_what_is_ours():
    specs = field_specs(
        [
            entry("summary", "Summary", required=True),
            entry("reporter", "Reporter", type="user", required=True),
            entry("assignee", "Assignee", type="user"),
            entry("attachment", "Attachment", type="array", items="attachment"),
            entry("customfield_1", "beta"),
            entry("customfield_2", "Alpha"),
            entry("customfield_3", "Team", required=True),
            entry("customfield_4", "Links", operations=["add"]),
        ]
    )
    names = ["Team", "Alpha", "beta", "Links", "Reporter"]
    assert [found.name for found in offered(specs)] == names
    assert [found.is_only_added_to for found in offered(specs)] == [False] * 3 + [True, False]
    assert [found.name for found in missing(specs, {})] == ["Team"]
    assert missing(specs, {"customfield_3": "x"}) == []


def test_it_says_what_jira_would_refuse():
    region = {"id": "1", "value": "Europe", "children": [{"id": "2", "value": "Dublin"}]}
    specs = field_specs(
        [
            entry("customfield_1", "Team", required=True),
            entry("customfield_2", "Region", type="option-with-child", allowedValues=[region]),
            entry("components", "Components", type="array", items="component", allowedValues=[]),
            entry(
                "priority", "Priority", type="priority", allowedValues=[{"id": "1", "name": "P"}]
            ),
            entry("customfield_5", "Risk", type="any", required=True, allowedValues=[{"id": "1"}]),
            entry("customfield_6", "Points", type="number", required=True),
            entry(
                "customfield_7",
                "Product",
                type="option",
                allowedValues=[{"id": "1", "value": "A"}],
                autoCompleteUrl="https://acme.test/options?query=",
            ),
        ]
    )
    fields = {
        "summary": "{{title}}",
        "customfield_2": {"id": "1", "child": {"id": "9"}},
        "customfield_9": "x",
        "components": [{"id": "7"}],
        "priority": {"name": "{{severity}}"},
        "customfield_5": {"id": "no such thing", "score": []},
        "customfield_6": 0,
        "customfield_7": {"id": "one of those that were not listed"},
    }
    assert {
        problem.field_id: problem.sentence for problem in problems(specs, fields, space="SEC")
    } == {
        "customfield_1": "Field Team is now required in SEC.",
        "customfield_2": "A value of field Region no longer exists in SEC.",
        "customfield_9": "Field customfield_9 can no longer be set in SEC.",
    }


def test_it_says_nothing_of_a_screen_that_it_cannot_read():
    assert problems([], {"customfield_1": "x"}, space="SEC") == []
