from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.fields.spec import FieldKind, FieldSpec, Option
from ticketing.trackers.base import LeftOut
from ticketing.trackers.jira.credentials import Deployment, Markup
from ticketing.trackers.jira.field_values import render, render_fields

CLOUD, DATA_CENTER = Deployment.CLOUD, Deployment.DATA_CENTER
OBJECT = {"id": "8"}
OPTIONS = (Option("1", "Europe", (Option("2", "Dublin"),)), Option("3", "America"))


def spec(kind, field_id="customfield_1"):
    options = OPTIONS if kind.has_options else ()
    return FieldSpec(id=field_id, name="Team", kind=kind, options=options)


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        (FieldKind.TEXT, "a\n b", "a b"),
        (FieldKind.TEXT, ["js", "ts"], "js, ts"),
        (FieldKind.TEXT, 9.8, "9.8"),
        (FieldKind.PARAGRAPH, "*a*\n{code}", "\\*a\\*\n\\{code\\}"),
        (FieldKind.URL, "https://a.test/b", "https://a.test/b"),
        (FieldKind.URL, "javascript:alert(1)", None),
        (FieldKind.NUMBER, "9.8", 9.8),
        (FieldKind.NUMBER, 7, 7),
        (FieldKind.NUMBER, "nan", None),
        (FieldKind.NUMBER, "high", None),
        (FieldKind.DATE, "2026-11-23 08:38 UTC", "2026-11-23"),
        (FieldKind.DATE, "soon", None),
        (FieldKind.DATETIME, "2026-11-23 08:38 UTC", "2026-11-23T08:38:00.000+0000"),
        (FieldKind.LABELS, ["a b", "a b", "", ["c"], 5], ["a-b", "c", "5"]),
        (FieldKind.SELECT, {"id": "3"}, {"id": "3"}),
        (FieldKind.SELECT, {"value": "europe"}, {"id": "1"}),
        (FieldKind.SELECT, {"value": ["mars", "America"]}, {"id": "3"}),
        (FieldKind.SELECT, {"value": "mars"}, None),
        (FieldKind.MULTI_SELECT, [{"value": ["Europe", "America"]}], [{"id": "1"}, {"id": "3"}]),
        (FieldKind.PRIORITY, {"name": "AMERICA"}, {"id": "3"}),
        (
            FieldKind.CASCADING,
            {"id": "1", "child": {"value": "dublin"}},
            {"id": "1", "child": {"id": "2"}},
        ),
        (FieldKind.CASCADING, {"value": "Europe", "child": {"value": "?"}}, {"id": "1"}),
        (FieldKind.GROUP, {"name": "ops"}, {"name": "ops"}),
        (FieldKind.PARENT, {"key": "SEC-1"}, {"key": "SEC-1"}),
        (FieldKind.SECURITY_LEVEL, {"id": "3"}, {"id": "3"}),
        (FieldKind.SECURITY_LEVEL, {"name": "america"}, {"id": "3"}),
        (FieldKind.TEAM, "36885b3c", "36885b3c"),
        (FieldKind.TEAM, {"id": "36885b3c"}, "36885b3c"),
        (FieldKind.TEAM, 12, "12"),
        (FieldKind.REQUEST_TYPE, "26", "26"),
        (FieldKind.SPRINT, "37", 37),
        (FieldKind.SPRINT, [37], 37),
        (FieldKind.PROJECT, {"id": "1"}, {"id": "1"}),
        (FieldKind.PROJECT, {"key": "SEC"}, {"key": "SEC"}),
        (
            FieldKind.ASSETS,
            [{"id": "w:1"}, "ITSM-1", 8],
            [{"id": "w:1"}, {"key": "ITSM-1"}, OBJECT],
        ),
        (FieldKind.ASSETS, [{"key": ["ITSM-1", "ITSM-2"]}], [{"key": "ITSM-1"}, {"key": "ITSM-2"}]),
        (FieldKind.ASSETS, [{"objectId": "8"}], [{"objectId": "8"}]),
        (FieldKind.RAW, {"a": [None, [], {"b": 0}]}, {"a": [None, [], {"b": 0}]}),
        (FieldKind.RAW, ["a b"], ["a b"]),
        (FieldKind.RAW, False, False),
    ],
)
def test_it_sends(kind, value, sent):
    assert render(spec(kind), value, deployment=CLOUD) == sent


def test_a_long_or_strange_text_is_cut_as_jira_counts():
    sent = render(spec(FieldKind.TEXT), "\x00" + "😀" * 300, deployment=CLOUD)
    assert sent == "\ufffd" + "😀" * 126 + "…"
    assert render(spec(FieldKind.LABELS), ["x" * 300], deployment=CLOUD) == ["x" * 255]


@pytest.mark.parametrize("value", [{"id": "5b1"}, {"accountId": "5b1"}, {"name": "5b1"}])
def test_a_person_is_named_as_the_deployment_wants(value):
    assert render(spec(FieldKind.USER), value, deployment=CLOUD) == {"accountId": "5b1"}
    assert render(spec(FieldKind.USER), value, deployment=DATA_CENTER) == {"name": "5b1"}
    assert render(spec(FieldKind.USERS), [value], deployment=CLOUD) == [{"accountId": "5b1"}]


def test_long_text_is_a_document_where_jira_wants_one():
    sent = render(spec(FieldKind.PARAGRAPH), "*a*", deployment=CLOUD, markup=Markup.DOCUMENT)
    assert sent["content"] == [{"type": "paragraph", "content": [{"type": "text", "text": "*a*"}]}]


def test_an_option_that_jira_does_not_list_is_sent_by_its_name():
    unlisted = FieldSpec(id="fixVersions", name="Fix versions", kind=FieldKind.VERSIONS)
    assert render(unlisted, [{"name": "1.0"}], deployment=CLOUD) == [{"name": "1.0"}]


def test_an_option_beyond_those_that_jira_lists_is_sent_by_its_name():
    some = replace(spec(FieldKind.SELECT), has_more_options=True)
    rendered = render_fields([some], {"customfield_1": {"value": "mars"}}, deployment=CLOUD)
    assert rendered == ({"customfield_1": {"value": "mars"}}, ())


def test_what_jira_would_not_take_is_left_out_and_told():
    specs = [spec(FieldKind.NUMBER), spec(FieldKind.TEXT, "customfield_2")]
    fields = {"customfield_1": "high", "customfield_2": "x", "customfield_9": {"a": 1}, "x": None}
    rendered = render_fields(specs, fields, deployment=CLOUD)
    told = (LeftOut("Team", "“high” is not a number"),)
    assert rendered == ({"customfield_2": "x", "customfield_9": {"a": 1}}, told)


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        (FieldKind.TEXT, " ", "it has no text"),
        (FieldKind.URL, "javascript:x", "“javascript:x” is not an address that Jira takes"),
        (FieldKind.URL, "https://a.test/" + "x" * 255, "the address is too long"),
        (FieldKind.NUMBER, "9" * 50 + "?", "“" + "9" * 39 + "…” is not a number"),
        (FieldKind.SPRINT, "next", "“next” is not the number of a sprint"),
        (FieldKind.DATE, "soon", "“soon” is not a date"),
        (FieldKind.SELECT, {"value": "mars"}, "“mars” is not one of its options"),
        (FieldKind.MULTI_SELECT, [{"value": ["mars", "venus"]}], "“mars, venus” is not one of its"),
        # Only a part of it:
        (FieldKind.MULTI_SELECT, [{"value": ["mars", "Europe"]}], "“mars” is not one of its"),
        (FieldKind.CASCADING, {"value": "Europe", "child": {"value": "Rome"}}, "“Rome” is not"),
    ],
)
def test_it_tells_why_a_value_is_left_out(kind, value, why):
    [told] = render_fields([spec(kind)], {"customfield_1": value}, deployment=CLOUD).left_out
    assert told.name == "Team"
    assert told.why.startswith(why)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldKind.SELECT, {"value": ["mars", "Europe"]}),  # the first that fits is meant
        (FieldKind.MULTI_SELECT, [{"id": "99"}, {"value": "Europe"}]),
        (FieldKind.CASCADING, {"id": "1", "child": {"id": "2"}}),
        (FieldKind.RAW, {"value": "mars"}),
    ],
)
def test_it_tells_nothing_of_what_is_sent_whole(kind, value):
    assert render_fields([spec(kind)], {"customfield_1": value}, deployment=CLOUD).left_out == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "value", "name", "child", "key"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(st.sampled_from(FieldKind), JSON)
def test_no_value_breaks_it(kind, value):
    for deployment in Deployment:
        render_fields([spec(kind)], {"customfield_1": value}, deployment=deployment)
