import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.fields.spec import FieldError, FieldKind, FieldSpec, Option, is_empty
from ticketing.placeholders import is_constant
from ticketing.trackers.jira.field_forms import from_form, to_form

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
        (FieldKind.SECURITY_LEVEL, ["3"], {"id": "3"}),
        (FieldKind.SECURITY_LEVEL, ["{{tags.level}}"], {"name": "{{tags.level}}"}),
        (FieldKind.TEAM, ["3"], "3"),
        (FieldKind.TEAM, ["{{tags.team}}"], "{{tags.team}}"),
        (FieldKind.REQUEST_TYPE, ["1"], "1"),
        (FieldKind.SPRINT, ["37"], 37),
        (FieldKind.SPRINT, ["{{tags.sprint}}"], "{{tags.sprint}}"),
        (FieldKind.PROJECT, ["1"], {"id": "1"}),
        (FieldKind.PROJECT, ["{{tags.product}}"], {"key": "{{tags.product}}"}),
        (FieldKind.ASSETS, ["ITSM-1 {{tags.host}}"], [{"key": "ITSM-1"}, {"key": "{{tags.host}}"}]),
        (FieldKind.ASSETS, ["a1b2:88 88"], [{"id": "a1b2:88"}, {"id": "88"}]),
        (FieldKind.ASSETS, ['[{"objectId": "8"}]'], [{"objectId": "8"}]),
        (FieldKind.RAW, ['{"score": 7.5, "a": [null, []]}'], {"score": 7.5, "a": [None, []]}),
        (FieldKind.RAW, ['["a b", {"id": "1"}]'], ["a b", {"id": "1"}]),
        (FieldKind.RAW, ["10112"], 10112),
        (FieldKind.RAW, ['"10112"'], "10112"),
        (FieldKind.RAW, ["false"], False),
        (FieldKind.RAW, ["0"], 0),
        (FieldKind.RAW, ["36885b3c-1bf0"], "36885b3c-1bf0"),
        (FieldKind.RAW, ["Red and blue\n} team"], "Red and blue\n} team"),
        (FieldKind.RAW, ["{{tags.team}} a"], "{{tags.team}} a"),
        (FieldKind.RAW, ['{"id": "{{tags.team}}"}'], {"id": "{{tags.team}}"}),
    ],
)
def test_what_is_entered_comes_back(kind, raw, value):
    assert read(kind, *raw) == value
    assert to_form(spec(kind), value) == [str(text) for text in raw]


def test_a_moment_is_kept_as_jira_writes_it():
    assert read(FieldKind.DATETIME, "2026-11-23T10:00") == "2026-11-23T10:00:00.000+0000"
    assert to_form(spec(FieldKind.DATETIME), "2026-11-23T10:00:00.000+0000") == ["2026-11-23T10:00"]


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (FieldKind.SELECT, "10112", {"id": "10112"}),
        (FieldKind.SELECT, "Red", {"value": "Red"}),
        (FieldKind.VERSION, "1.0", {"name": "1.0"}),
        (FieldKind.TEAM, "36885b3c-1bf0", "36885b3c-1bf0"),
        (FieldKind.REQUEST_TYPE, "desk/report", "desk/report"),
        (FieldKind.PROJECT, "SEC", {"key": "SEC"}),
        (FieldKind.PROJECT, "10000", {"id": "10000"}),
    ],
)
def test_what_jira_does_not_list_is_typed(kind, typed, value):
    unlisted = FieldSpec(id="customfield_1", name="Team", kind=kind)
    assert from_form(unlisted, [typed], type_name="Task", space="SEC") == value
    assert to_form(unlisted, value) == [typed]


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
        (FieldKind.TEXT, "😀" * 128, "Team is longer than 254 characters."),
        (FieldKind.LABELS, "😀" * 128, "Team is longer than 255 characters."),
        (FieldKind.TEAM, "9", "This value of Team does not exist. Select another."),
        (FieldKind.SPRINT, "3.5", "Team: enter the number of a sprint, as in 37."),
        (FieldKind.SPRINT, "next", "Team: enter a number."),
        (
            FieldKind.RAW,
            '{\r\n  "id": 1,\r\n}',
            "Team: this is not valid JSON: line 3, column 1: Expecting property name enclosed in "
            "double quotes. Text that begins like JSON needs quotes around it.",
        ),
        (
            FieldKind.RAW,
            "[SEC] all",
            "Team: this is not valid JSON: line 1, column 2: Expecting value. "
            "Text that begins like JSON needs quotes around it.",
        ),
        (FieldKind.RAW, "[NaN]", "Team: NaN is not JSON."),
        (FieldKind.RAW, "[1e999]", "Team: a number in it is too large."),
        (FieldKind.RAW, f"[{'9' * 5000}]", "Team: a number in it is too large."),
        (FieldKind.RAW, "[" * 60 + "]" * 60, "Team: this JSON is nested too deeply."),
        (FieldKind.RAW, "[" * 9000 + "]" * 9000, "Team: this JSON is nested too deeply."),
        (
            FieldKind.RAW,
            '{"\\ud800": 1}',
            "Team: this holds a character that cannot be stored, as \\u0000.",
        ),
        (
            FieldKind.RAW,
            '["\\u0000"]',
            "Team: this holds a character that cannot be stored, as \\u0000.",
        ),
        (FieldKind.RAW, "null", "Team is required for Task in SEC. Enter a value."),
        (FieldKind.RAW, "{ }", "Team is required for Task in SEC. Enter a value."),
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


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab{", max_size=3), inner),
    max_leaves=9,
)


@given(JSON)
def test_any_json_comes_back_from_the_form_as_it_was(value):
    shown = to_form(spec(FieldKind.RAW), value)
    if not is_empty(value) and is_constant(value) and "{{" not in str(value):
        assert read(FieldKind.RAW, *shown) == value
