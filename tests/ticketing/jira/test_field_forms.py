import pytest

from ticketing.trackers.jira.field_forms import FieldError, from_form, to_form
from ticketing.trackers.jira.fields import FieldKind, FieldSpec, Option

OPTIONS = (Option("1", "Europe", (Option("2", "Dublin"),)), Option("3", "America"))


def spec(kind, *, required=False):
    options = OPTIONS if kind.has_options else ()
    return FieldSpec(
        id="customfield_1", name="Team", kind=kind, is_required=required, options=options
    )


def read(kind, *raw, required=False):
    return from_form(spec(kind, required=required), raw, type_name="Task", space="SEC")


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (FieldKind.TEXT, ["a {{title}}"], "a {{title}}"),
        (FieldKind.PARAGRAPH, ["a\nb"], "a\nb"),
        (FieldKind.URL, ["https://a.test"], "https://a.test"),
        (FieldKind.NUMBER, ["3.5"], 3.5),
        (FieldKind.NUMBER, ["{{@score}}"], "{{@score}}"),
        (FieldKind.DATE, ["2026-11-23"], "2026-11-23"),
        (FieldKind.DATE, ["{{due_date}}"], "{{due_date}}"),
        (FieldKind.LABELS, ["a b {{tags.team}}"], ["a", "b", "{{tags.team}}"]),
        (FieldKind.SELECT, ["3"], {"id": "3"}),
        (FieldKind.SELECT, ["{{tags.team}}"], {"value": "{{tags.team}}"}),
        (FieldKind.PRIORITY, ["{{severity}}"], {"name": "{{severity}}"}),
        (FieldKind.MULTI_SELECT, ["1", "3"], [{"id": "1"}, {"id": "3"}]),
        (FieldKind.COMPONENTS, ["1"], [{"id": "1"}]),
        (FieldKind.CASCADING, ["1", "2"], {"id": "1", "child": {"id": "2"}}),
        (FieldKind.CASCADING, ["3"], {"id": "3"}),
        (FieldKind.USER, ["5b1"], {"id": "5b1"}),
        (FieldKind.USERS, ["5b1", "5b2"], [{"id": "5b1"}, {"id": "5b2"}]),
        (FieldKind.GROUP, ["ops"], {"name": "ops"}),
        (FieldKind.PARENT, ["SEC-1"], {"key": "SEC-1"}),
        (FieldKind.EPIC_LINK, ["SEC-1"], "SEC-1"),
    ],
)
def test_what_is_entered_comes_back(kind, raw, value):
    assert read(kind, *raw) == value
    assert to_form(spec(kind), value) == [str(text) for text in raw]


def test_a_moment_is_kept_as_jira_writes_it():
    assert read(FieldKind.DATETIME, "2026-11-23T10:00") == "2026-11-23T10:00:00.000+0000"
    assert to_form(spec(FieldKind.DATETIME), "2026-11-23T10:00:00.000+0000") == ["2026-11-23T10:00"]


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        (FieldKind.SELECT, "", "Team is required for Task in SEC. Select a value."),
        (FieldKind.TEXT, " ", "Team is required for Task in SEC. Enter a value."),
        (FieldKind.SELECT, "9", "This value of Team does not exist. Select another."),
        (FieldKind.TEXT, "x" * 255, "Team is longer than 254 characters."),
        (FieldKind.URL, "javascript:x", "Team: enter an address that starts with https://."),
        (FieldKind.NUMBER, "1e999", "Team: enter a number."),
        (FieldKind.DATE, "23.11.2026", "Team: enter a date, as in 2026-11-23."),
        (FieldKind.PARENT, "none", "Team: enter the key of an issue, as in SEC-123."),
        (FieldKind.USER, "{{title}}", "Team cannot be filled from the finding."),
        (FieldKind.TEXT, "{{title", "“{{” at character 1 is not closed. Add “}}”."),
        (FieldKind.UNSUPPORTED, "x", "Team cannot be set from here."),
    ],
)
def test_it_says_what_to_do(kind, raw, sentence):
    with pytest.raises(FieldError) as caught:
        read(kind, raw, required=True)
    assert (caught.value.field_id, str(caught.value)) == ("customfield_1", sentence)


@pytest.mark.parametrize("kind", FieldKind)
def test_nothing_entered_is_no_value(kind):
    assert read(kind, "", " ") is None
    assert to_form(spec(kind), None) == []


@pytest.mark.parametrize("value", [{"accountId": "5b1"}, {"name": "5b1"}, {"id": "5b1"}])
def test_the_form_shows_a_person_however_the_api_named_them(value):
    assert to_form(spec(FieldKind.USER), value) == ["5b1"]
