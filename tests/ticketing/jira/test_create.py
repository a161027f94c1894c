"""A create through the sandbox: what is sent, and what its refusals come to."""

from __future__ import annotations

import pytest

from tests.desk import DESK_ID, REQUIRED
from tests.ticketing.jira.conftest import SEC_TASK, credentials, draft, failure
from ticketing.trackers.base import Destination, Fault, IssueRef
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.credentials import Deployment, Markup
from ticketing.trackers.jira.sandbox.defaults import (
    ASSETS,
    DANA,
    IVAN,
    NUMBER,
    PROJECT_PICKER,
    SECURITY,
    SELECT,
    SPRINT,
    TEXT,
    TEXT_AREA,
)
from ticketing.trackers.jira.tracker import JiraTracker

PROPERTY = "findings-automation.ticket"


def create(tracker, *, report=lambda _: None, **values):
    return tracker.create(draft(**values), key="fa-abc", attempt="a-1", report=report)


def sent(sandbox):
    (exchange,) = sandbox.log.matching("POST /issue$")
    return exchange.json


def test_it_writes_the_key_into_the_issue(sandbox_jira, tracker):
    ref = create(tracker, fields={"labels": ["security"]})
    issue = sandbox_jira.issue(ref.key)
    assert ref == IssueRef(str(issue.id), "SEC-1")
    assert issue.properties == {PROPERTY: {"key": "fa-abc", "attempt": "a-1"}}
    assert issue.fields["labels"] == ["fa-abc", "security"]


def test_it_sends_one_request_where_it_knows_the_fields(sandbox_jira, tracker):
    create(tracker, fields={"priority": {"id": "2"}, "assignee": {"id": DANA.account_id}})
    assert len(sandbox_jira.log.all()) == 1
    fields = sent(sandbox_jira)["fields"]
    assert fields["project"] == {"id": "10000"}
    assert fields["issuetype"] == {"id": "10001"}
    assert fields["assignee"] == {"accountId": DANA.account_id}
    assert fields["description"] == "A *secret*."


def test_it_assigns_by_name_on_data_center(sandbox_data_center, dc_tracker):
    create(dc_tracker, fields={"assignee": {"id": "dana"}})
    assert sent(sandbox_data_center)["fields"]["assignee"] == {"name": "dana"}


def test_it_writes_values_as_their_fields_want_them(sandbox_jira, tracker):
    fields = {NUMBER.id: "7.5", SELECT.id: {"value": "blue"}, TEXT.id: "two\nlines"}
    create(tracker, fields=fields)
    written = sent(sandbox_jira)["fields"]
    assert written[NUMBER.id] == 7.5
    assert written[SELECT.id] == {"id": "10301"}
    assert written[TEXT.id] == "two lines"


def test_it_writes_documents_where_jira_wants_them(sandbox_jira):
    own = sandbox_jira.credentials
    there = credentials(own.site_url, email=own.email, token=own.token, markup=Markup.DOCUMENT)
    with JiraClient(there) as client:
        create(JiraTracker(client), fields={TEXT_AREA.id: "Bad", "environment": "prod"})
    written = sent(sandbox_jira)["fields"]
    for field in ("description", "environment", TEXT_AREA.id):
        assert written[field]["type"] == "doc"


@pytest.mark.parametrize(
    ("summary", "written"),
    [
        ("two\r\nlines\u2028here", "two lines here"),
        ("nul\x00l", "nul\ufffdl"),
        ("  ", "Untitled"),
        ("x" * 300, "x" * 253 + "…"),
        ("😀" * 200, "😀" * 126 + "…"),
    ],
)
def test_it_makes_a_summary_that_jira_takes(sandbox_jira, tracker, summary, written):
    create(tracker, summary=summary)
    assert sent(sandbox_jira)["fields"]["summary"] == written


def test_it_makes_labels_that_jira_takes(sandbox_jira, tracker):
    create(tracker, fields={"labels": ["web app", "", "web app", "x" * 300]})
    assert sent(sandbox_jira)["fields"]["labels"] == ["fa-abc", "web-app", "x" * 255]


def test_it_shortens_what_was_too_long(sandbox_jira, tracker):
    long = {"summary": "x" * 300, "description": "word " * 9000}
    create(tracker, **long, fields={"labels": ["a"]}, remedies=("truncate",))
    fields = sent(sandbox_jira)["fields"]
    assert len(fields["summary"]) == 127
    assert 10_000 < len(fields["description"]) <= 16_384
    assert fields["labels"] == ["fa-abc"]


def test_it_is_found_by_its_property_where_labels_are_dropped(sandbox_jira, tracker):
    sandbox_jira.drop_field("SEC", "labels")
    error = failure(lambda: create(tracker))
    assert (error.fault, error.field, error.remedy) == (Fault.REJECTED, "labels", "drop:labels")
    ref = create(tracker, remedies=(error.remedy,))
    assert sandbox_jira.issue(ref.key).properties[PROPERTY]["key"] == "fa-abc"


# --- Fields of every kind ------------------------------------------------------------------

DESK_TASK = Destination(DESK_ID, "DESK", "10001")


@pytest.mark.parametrize(
    ("jira_name", "name"), [("sandbox_jira", "tracker"), ("sandbox_data_center", "dc_tracker")]
)
def test_it_writes_what_few_spaces_ask_for(request, jira_name, name):
    sandbox, tracker = request.getfixturevalue(jira_name), request.getfixturevalue(name)
    other = sandbox.create_issue("SEC", "Before")
    links = [{"type": {"name": "Blocks"}, "outwardIssue": {"key": other.key}}]
    fields = REQUIRED | {
        SPRINT.id: "37",
        ASSETS.id: [{"key": "ITSM-1"}, {"id": "w:88"}],
        PROJECT_PICKER.id: {"key": "PLAT"},
        "issuelinks": links,
    }
    assert tracker.check(DESK_TASK, fields) is None
    create(tracker, destination=DESK_TASK, fields=fields)
    written = sent(sandbox)
    assert written["update"] == {"issuelinks": [{"add": links[0]}]}
    assert {name: written["fields"][name] for name in REQUIRED} == REQUIRED
    assert written["fields"][SPRINT.id] == 37
    assert written["fields"][ASSETS.id] == [{"key": "ITSM-1"}, {"id": "w:88"}]
    assert written["fields"][PROJECT_PICKER.id] == {"key": "PLAT"}


@pytest.mark.parametrize("field", REQUIRED)
def test_its_refusal_lands_at_the_field_of_a_kind_that_we_do_not_know(tracker, field):
    wrong = "nonsense" if field != SECURITY.id else {"name": "nonsense"}
    fields = REQUIRED | {field: wrong}
    assert tracker.check(DESK_TASK, fields) is None  # Jira alone is the judge
    error = failure(
        lambda: create(tracker, destination=DESK_TASK, fields=fields, constants=frozenset(fields))
    )
    assert (error.fault, error.field) == (Fault.CONFIG, field)


def test_it_reports_what_is_left_out_before_it_sends(sandbox_jira, tracker):
    told = []
    create(
        tracker,
        fields={NUMBER.id: "high", "duedate": "soon", "labels": ["a"]},
        left_out={SELECT.id: "the finding has no value for it"},
        remedies=("truncate", "drop:labels"),
        report=lambda left_out: told.extend((*left_out, len(sandbox_jira.issues()))),
    )
    assert told == [
        ("CVSS score", "“high” is not a number"),
        ("Due date", "“soon” is not a date"),
        ("Team", "the finding has no value for it"),
        ("Labels", "not on the create screen"),
        0,
    ]


def test_it_reports_nothing_where_all_is_sent(tracker):
    create(tracker, fields={NUMBER.id: "7.5"}, report=pytest.fail)


def test_a_field_that_this_ticket_cannot_fill_is_no_fault_of_the_rule(sandbox_jira, tracker):
    sandbox_jira.require_field("SEC", SELECT.id)
    error = failure(lambda: create(tracker, left_out={SELECT.id: "the finding has no value"}))
    assert (error.fault, error.field) == (Fault.REJECTED, SELECT.id)
    assert error.reason == "Team is required in SEC, and there is nothing to fill it with."


# --- Refusals ------------------------------------------------------------------------------


def archive(jira):
    jira.archive("SEC")


def delete_space(jira):
    jira.delete_project("SEC")


def take_permission(jira):
    jira.deny("CREATE_ISSUES", "SEC")


def drop_type(jira):
    jira.drop_issue_type("SEC", "Task")


def require_team(jira):
    jira.require_field("SEC", SELECT.id)


def drop_team(jira):
    jira.drop_field("SEC", SELECT.id)


def drop_blue(jira):
    jira.drop_option("SEC", SELECT.id, "Blue")


def nothing(jira):
    pass


BLUE = {SELECT.id: {"id": "10301"}}
TO_IVAN = {"assignee": {"id": IVAN.account_id}}
REFUSALS = [
    (archive, {}, "project", "Jira space SEC is archived."),
    (delete_space, {}, "project", "Jira space SEC is no longer valid (HTTP 404)."),
    (take_permission, {}, "", "The account may not create tickets in SEC."),
    (drop_type, {}, "issuetype", "The ticket type no longer exists in SEC."),
    (require_team, {}, SELECT.id, "Field Team is now required in SEC."),
    (drop_team, BLUE, SELECT.id, f"Field {SELECT.id} can no longer be set in SEC."),
    (drop_blue, BLUE, SELECT.id, "A value of field Team no longer exists in SEC."),
    (nothing, TO_IVAN, "assignee", "Assignee Ivan Inactive can't be assigned in SEC."),
]


@pytest.mark.parametrize(("change", "fields", "field", "reason"), REFUSALS)
def test_it_says_what_of_the_configuration_is_wrong(
    sandbox_jira, tracker, change, fields, field, reason
):
    change(sandbox_jira)
    error = failure(lambda: create(tracker, fields=fields, constants=frozenset(fields)))
    assert (error.fault, error.field, error.reason) == (Fault.CONFIG, field, reason)
    assert (error.whole_account, error.remedy) == (False, "")
    assert len(sandbox_jira.log.matching("POST /issue$")) == 1


@pytest.mark.parametrize(("change", "fields", "field", "reason"), REFUSALS)
def test_it_warns_of_it_before(sandbox_jira, tracker, change, fields, field, reason):
    tracker.check(SEC_TASK, {SELECT.id: {"value": "{{severity}}"}, TEXT.id: "{{title}}"})
    change(sandbox_jira)
    error = failure(lambda: tracker.check(SEC_TASK, fields))
    assert (error.fault, error.field, error.reason) == (Fault.CONFIG, field, reason)
    assert sandbox_jira.log.matching("POST .") == []


@pytest.mark.parametrize(("change", "fields", "field", "reason"), REFUSALS)
def test_it_says_the_same_of_data_center(
    sandbox_data_center, dc_tracker, change, fields, field, reason
):
    change(sandbox_data_center)
    if fields is TO_IVAN:
        fields = {"assignee": {"name": "ivan"}}
    error = failure(lambda: create(dc_tracker, fields=fields, constants=frozenset(fields)))
    assert (error.fault, error.field, error.reason) == (Fault.CONFIG, field, reason)


def test_it_warns_of_a_type_that_never_was(tracker):
    error = failure(lambda: tracker.check(Destination("10000", "SEC", "4711"), {}))
    assert (error.fault, error.field) == (Fault.CONFIG, "issuetype")


def test_it_takes_a_derived_value_for_the_ticket_s_own_fault(sandbox_jira, tracker):
    said = {"errorMessages": [], "errors": {"summary": "Verboten."}}
    sandbox_jira.faults.answer("POST /issue$", 400, said)
    error = failure(lambda: create(tracker))
    assert (error.fault, error.field, error.remedy) == (Fault.REJECTED, "summary", "truncate")
    assert error.reason == "Jira refused the value of Summary: Verboten."
    assert "Verboten" in error.response


def test_it_takes_a_constant_for_the_rule_s_fault(sandbox_jira, tracker):
    said = {"errorMessages": [], "errors": {"priority": "?"}}
    sandbox_jira.faults.answer("POST /issue$", 400, said)
    fields = {"priority": {"id": "2"}}
    error = failure(lambda: create(tracker, fields=fields, constants=frozenset(fields)))
    assert (error.fault, error.field) == (Fault.CONFIG, "priority")


def test_it_blames_no_rule_for_a_value_that_could_not_be_sent(sandbox_jira, tracker):
    sandbox_jira.require_field("SEC", NUMBER.id)
    error = failure(lambda: create(tracker, fields={NUMBER.id: "not a number"}))
    assert (error.fault, error.field) == (Fault.REJECTED, NUMBER.id)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_it_classifies_without_looking_where_it_cannot_look(sandbox_jira, tracker, status):
    sandbox_jira.require_field("SEC", SELECT.id)
    sandbox_jira.faults.answer("GET .", status, "busy", times=None)
    error = failure(lambda: create(tracker))
    assert (error.fault, error.field) == (Fault.CONFIG, SELECT.id)


def test_it_survives_answers_of_any_shape_when_it_looks(sandbox_jira, tracker):
    sandbox_jira.require_field("SEC", SELECT.id)
    sandbox_jira.faults.answer("GET .", 200, [1, 2], times=None)
    assert failure(lambda: create(tracker)).fault is Fault.CONFIG


def test_it_takes_a_refusal_to_a_stranger_for_one_of_the_credentials(sandbox_jira, tracker):
    sandbox_jira.expire_token()
    error = failure(lambda: create(tracker))
    assert (error.fault, error.whole_account) == (Fault.AUTH, True)


def test_it_takes_a_space_that_is_hidden_from_a_stranger_for_no_fault_of_the_rule(wire):
    """A proxy may have taken the headers away by which a stranger is known."""
    wire.says(404, b'{"errorMessages": ["No project"]}')
    with JiraClient(credentials(wire.url, deployment=Deployment.DATA_CENTER)) as client:
        error = failure(lambda: JiraTracker(client).check(SEC_TASK, {}))
    assert wire.requests[-1].startswith(b"GET /rest/api/2/myself")
    assert error.fault is not Fault.CONFIG


def test_it_keeps_the_key_of_an_issue_whose_first_step_failed(sandbox_jira, tracker):
    """Row 18: created, with a warning; it is not sent again."""
    body = {"id": "7", "key": "SEC-7", "transition": {"status": 400, "errorCollection": {}}}
    sandbox_jira.faults.answer("POST /issue$", 201, body)
    assert create(tracker) == IssueRef("7", "SEC-7")


@pytest.mark.parametrize(
    "fields",
    [{"parent": {"id": float("nan")}}, {"parent": {"id": {1, 2}}}, {"customfield_9": object()}],
)
def test_it_tells_values_that_cannot_be_written(sandbox_jira, tracker, fields):
    assert failure(lambda: create(tracker, fields=fields)).fault is Fault.REJECTED
    assert sandbox_jira.issues() == []


def test_it_looks_at_nothing_where_the_answer_says_enough(sandbox_jira, tracker):
    headers = {"RateLimit-Reason": "jira-per-issue-on-write", "Retry-After": "2"}
    sandbox_jira.faults.answer("POST /issue$", 429, "busy", headers=headers)
    error = failure(lambda: create(tracker))
    assert (error.fault, error.retry_after, error.whole_account) == (Fault.TRANSIENT, 2, False)
    assert len(sandbox_jira.log.all()) == 1


def test_it_warns_of_no_person_that_it_may_not_look_for(sandbox_jira, tracker):
    said = {"errorMessages": ["You are not authorized to view users."]}
    sandbox_jira.faults.answer("GET /user/assignable/search$", 403, said)
    tracker.check(SEC_TASK, {"assignee": {"id": DANA.account_id}})


def test_it_blames_only_what_jira_has_named(sandbox_jira, tracker):
    said = {"errorMessages": [], "errors": {"summary": "Verboten."}}
    sandbox_jira.faults.answer("POST /issue$", 400, said)
    error = failure(lambda: create(tracker, fields=TO_IVAN))
    assert (error.fault, error.field) == (Fault.REJECTED, "summary")
