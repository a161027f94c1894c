"""The site a newcomer finds: four projects, six people, a field of every kind."""

from __future__ import annotations

from ticketing.trackers.jira.sandbox.model import (
    Field,
    IssueType,
    Kind,
    Option,
    Person,
    Project,
    Status,
    Transition,
)

BOT = Person("712020:findings-bot", "findings-bot", "Findings Bot", "bot@example.com")
DANA = Person("712020:dana", "dana", "Dana Developer", "dana@example.com")
SAM = Person("712020:sam", "sam", "Sam Support")
OLIVIA = Person("712020:olivia", "olivia", "Olivia Operations")
PRIYA = Person("712020:priya", "priya", "Priya Platform", "priya@example.com")
IVAN = Person("712020:ivan", "ivan", "Ivan Inactive", is_active=False)
PEOPLE = (BOT, DANA, SAM, OLIVIA, PRIYA, IVAN)

TO_DO = Status("10000", "To Do", "new")
IN_PROGRESS = Status("3", "In Progress", "indeterminate")
IN_REVIEW = Status("10001", "In Review", "indeterminate")
DONE = Status("10002", "Done", "done")
WONT_DO = Status("10003", "Won't Do", "done")
STATUSES = (TO_DO, IN_PROGRESS, IN_REVIEW, DONE, WONT_DO)

TASK = IssueType("10001", "Task")
BUG = IssueType("10004", "Bug")
STORY = IssueType("10002", "Story")
SUBTASK = IssueType("10003", "Sub-task", -1)
EPIC = IssueType("10000", "Epic", 1)
TYPES = (TASK, BUG, STORY, SUBTASK, EPIC)

PRIORITIES = tuple(
    Option(str(number), name)
    for number, name in enumerate(("Highest", "High", "Medium", "Low", "Lowest"), start=1)
)
MEDIUM = PRIORITIES[2]


def _options(start: int, *names: str) -> tuple[Option, ...]:
    return tuple(Option(str(start + offset), name) for offset, name in enumerate(names))


COMPONENTS = _options(10100, "API", "Web", "Infrastructure")
VERSIONS = _options(10200, "1.0", "1.1", "2.0")
TEAMS = _options(10300, "Red", "Blue", "Green")
REGIONS = (
    Option("10400", "Europe", _options(10410, "Frankfurt", "Dublin")),
    Option("10401", "America", _options(10420, "Virginia", "Oregon")),
)

TEXT = Field(id="customfield_10010", name="Service", kind=Kind.TEXT)
TEXT_AREA = Field(id="customfield_10011", name="Impact", kind=Kind.TEXT_AREA)
NUMBER = Field(id="customfield_10012", name="CVSS score", kind=Kind.NUMBER)
DATE = Field(id="customfield_10013", name="Fix by", kind=Kind.DATE)
DATE_TIME = Field(id="customfield_10014", name="Detected at", kind=Kind.DATE_TIME)
URL = Field(id="customfield_10015", name="Runbook", kind=Kind.URL)
LABELS = Field(id="customfield_10016", name="Tags", kind=Kind.LABELS)
SELECT = Field(id="customfield_10020", name="Team", kind=Kind.SELECT, options=TEAMS)
RADIO = Field(
    id="customfield_10021",
    name="Environment kind",
    kind=Kind.RADIO,
    options=_options(10310, "Production", "Staging"),
)
MULTI_SELECT = Field(
    id="customfield_10022",
    name="Regulations",
    kind=Kind.MULTI_SELECT,
    options=_options(10320, "PCI DSS", "SOC 2", "ISO 27001"),
)
CHECKBOXES = Field(
    id="customfield_10023",
    name="Reviewed by",
    kind=Kind.CHECKBOXES,
    options=_options(10330, "Security", "Legal"),
)
CASCADING = Field(id="customfield_10024", name="Region", kind=Kind.CASCADING, options=REGIONS)
USER = Field(id="customfield_10030", name="Owner", kind=Kind.USER)
USERS = Field(id="customfield_10031", name="Approvers", kind=Kind.USERS)
GROUP = Field(id="customfield_10032", name="On-call group", kind=Kind.GROUP)
VERSION = Field(id="customfield_10033", name="Found in", kind=Kind.VERSION, options=VERSIONS)
EPIC_NAME = Field(id="customfield_10040", name="Epic Name", kind=Kind.EPIC_NAME)
EPIC_LINK = Field(id="customfield_10041", name="Epic Link", kind=Kind.EPIC_LINK)
ORG_TEAMS = tuple(
    Option(f"36885b3c-1bf0-4f85-a357-c5b858c31d{number:02}", name)
    for number, name in enumerate(("Cloud security", "Payments", "Platform & tools"))
)
REQUEST_TYPES = _options(26, "Report a vulnerability", "Ask for access")
ORG_TEAM = Field(id="customfield_10050", name="Team", kind=Kind.TEAM, required=True)
SECURITY = Field(
    id="security",
    name="Security level",
    kind=Kind.SECURITY_LEVEL,
    options=_options(10500, "Staff only", "Security team only"),
    required=True,
)
REQUEST_TYPE = Field(
    id="customfield_10051", name="Request type", kind=Kind.REQUEST_TYPE, required=True
)
OF_AN_APP = Field(id="customfield_10052", name="Risk", kind=Kind.OF_AN_APP, required=True)
SPRINT = Field(id="customfield_10053", name="Sprint", kind=Kind.SPRINT)
ASSETS = Field(id="customfield_10054", name="Affected services", kind=Kind.ASSETS)
PROJECT_PICKER = Field(
    id="customfield_10055",
    name="Product",
    kind=Kind.PROJECT_PICKER,
    options=(Option("10000", "Security Engineering"), Option("10001", "Platform")),
)
ISSUE_LINKS = Field(id="issuelinks", name="Linked Issues", kind=Kind.ISSUE_LINKS)
DESK_FIELDS = (
    ORG_TEAM,
    SECURITY,
    REQUEST_TYPE,
    OF_AN_APP,
    SPRINT,
    ASSETS,
    PROJECT_PICKER,
    ISSUE_LINKS,
)
CUSTOM_FIELDS = (
    TEXT,
    TEXT_AREA,
    NUMBER,
    DATE,
    DATE_TIME,
    URL,
    LABELS,
    SELECT,
    RADIO,
    MULTI_SELECT,
    CHECKBOXES,
    CASCADING,
    USER,
    USERS,
    GROUP,
    VERSION,
)

RESOLUTIONS = (
    Option("10000", "Done"),
    Option("10001", "Won't Do"),
    Option("10002", "Duplicate"),
    Option("10003", "Obsolete"),
)
RESOLUTION = Field(id="resolution", name="Resolution", kind=Kind.RESOLUTION, options=RESOLUTIONS)
ROOT_CAUSE = Field(id="customfield_10060", name="Root cause", kind=Kind.TEXT_AREA, required=True)
FIXED_BY = Field(id="customfield_10061", name="Fixed by", kind=Kind.LABELS, required=True)
CLOSING_FIELDS = (ROOT_CAUSE, FIXED_BY)  # on no create screen

SYSTEM_FIELDS = (
    Field(id="project", name="Project", kind=Kind.PROJECT, required=True),
    Field(id="issuetype", name="Issue Type", kind=Kind.ISSUE_TYPE, required=True),
    Field(id="summary", name="Summary", kind=Kind.TEXT, required=True),
    Field(id="description", name="Description", kind=Kind.TEXT_AREA),
    Field(
        id="priority",
        name="Priority",
        kind=Kind.PRIORITY,
        options=PRIORITIES,
        default={"id": MEDIUM.id},
    ),
    Field(id="labels", name="Labels", kind=Kind.LABELS),
    Field(id="assignee", name="Assignee", kind=Kind.USER),
    Field(id="reporter", name="Reporter", kind=Kind.USER, required=True, default="caller"),
    Field(id="components", name="Components", kind=Kind.COMPONENTS, options=COMPONENTS),
    Field(id="fixVersions", name="Fix versions", kind=Kind.VERSIONS, options=VERSIONS),
    Field(id="versions", name="Affects versions", kind=Kind.VERSIONS, options=VERSIONS),
    Field(id="duedate", name="Due date", kind=Kind.DATE),
    Field(id="environment", name="Environment", kind=Kind.TEXT_AREA),
    Field(id="parent", name="Parent", kind=Kind.PARENT),
)


def fields_of(kind: IssueType, *, is_cloud: bool) -> dict[str, Field]:
    """The create screen: Data Center keeps epics in fields of their own."""
    fields = {field.id: field for field in (*SYSTEM_FIELDS, *CUSTOM_FIELDS)}
    if kind == SUBTASK:
        fields["parent"] = Field(id="parent", name="Parent", kind=Kind.PARENT, required=True)
    elif not is_cloud:
        del fields["parent"]
        own = EPIC_NAME if kind == EPIC else EPIC_LINK
        fields[own.id] = own
    return fields


def _everywhere(*statuses: Status) -> tuple[Transition, ...]:
    """From any status to any other, as a team-managed board has it."""
    return tuple(
        Transition(str(11 + 10 * place), target.name, source.id, target.id)
        for source in statuses
        for place, target in enumerate(statuses)
        if source != target
    )


def _steps(*steps: tuple[str, Status, Status]) -> tuple[Transition, ...]:
    return tuple(
        Transition(str(11 + 10 * place), name, source.id, target.id)
        for place, (name, source, target) in enumerate(steps)
    )


SECURITY_WORKFLOW = _everywhere(TO_DO, IN_PROGRESS, IN_REVIEW, DONE, WONT_DO)
PLATFORM_WORKFLOW = _steps(
    ("Start", TO_DO, IN_PROGRESS),
    ("Ask for review", IN_PROGRESS, IN_REVIEW),
    ("Approve", IN_REVIEW, DONE),
    ("Close", IN_PROGRESS, DONE),
    ("Close", TO_DO, DONE),
    ("Reject", TO_DO, WONT_DO),
    ("Reopen", DONE, TO_DO),
    ("Reopen", WONT_DO, TO_DO),
    ("Stop", IN_PROGRESS, TO_DO),
)
ONE_WAY_WORKFLOW = _steps(  # done is done: there is no way back
    ("Start", TO_DO, IN_PROGRESS),
    ("Close", IN_PROGRESS, DONE),
    ("Close", TO_DO, DONE),
)


def project(
    identity: str, key: str, name: str, transitions: tuple[Transition, ...], *, is_cloud: bool
) -> Project:
    return Project(
        id=identity,
        key=key,
        name=name,
        transitions=transitions,
        fields={kind.id: fields_of(kind, is_cloud=is_cloud) for kind in TYPES},
    )


def projects(*, is_cloud: bool) -> list[Project]:
    return [
        project("10000", "SEC", "Security Engineering", SECURITY_WORKFLOW, is_cloud=is_cloud),
        project("10001", "PLAT", "Platform", PLATFORM_WORKFLOW, is_cloud=is_cloud),
        project("10002", "OPS", "Operations", ONE_WAY_WORKFLOW, is_cloud=is_cloud),
        _service_desk(is_cloud=is_cloud),
    ]


def _service_desk(*, is_cloud: bool) -> Project:
    """A project that asks for what only some sites have, and for what an app alone knows."""
    desk = project("10003", "DESK", "Service Desk", SECURITY_WORKFLOW, is_cloud=is_cloud)
    desk.request_types = REQUEST_TYPES
    for fields in desk.fields.values():
        fields.update({field.id: field for field in DESK_FIELDS})
    return desk
