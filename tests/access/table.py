"""Who may do what at every address: said here once, by permission, and nowhere read off the code.

A new address that is on no table fails `test_matrix`. Methods that an address does not have are
refused to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from config.accounts.roles import Permission as P
from tests.api.kinds import KINDS

ANYBODY: Final = "anybody"
SIGNED_IN: Final = "signed in"  # whatever the role or the scopes
SIGNATURE: Final = "signature"  # of the request itself
SAYS_WHO: Final = "says who"  # answers strangers itself, with 401
LOGS_OUT: Final = "logs out"  # anybody, and leads to the login page
KEY: Final = "key"  # whatever its scopes
Need = str | P | tuple[P, ...]
Access = Mapping[str, Need]


def _get(need: Need) -> Access:
    return {"GET": need}


def _post(need: Need) -> Access:
    return {"POST": need}


def _form(need: Need) -> Access:
    return {"GET": need, "POST": need}


def _each(need: Need, *methods: str) -> Access:
    return dict.fromkeys(methods, need)


_PEOPLE, _KEYS = "settings/users", "settings/api-keys"
_IMPORT = "settings/importers/<uuid:import_id>"
_JIRA = "settings/integrations/jira"
_ACCOUNT = f"{_JIRA}/<uuid:account_id>"
_RULES = "settings/findings-automation"
_CASE = "cases/<str:key>"
_PROJECT = "cases/projects/<str:key>"

PAGES: Mapping[str, Access] = {
    "": _each(ANYBODY, "GET", "POST", "PUT", "PATCH", "DELETE"),  # leads to the overview
    "overview": _get(P.FINDINGS_READ),
    "overview/<slug:card>.csv": _get(P.FINDINGS_READ),
    "overview/advice/<uuid:rule_id>/hide": _post(P.RULES_WRITE),
    "jump": _get(P.FINDINGS_READ),
    "login": _each(ANYBODY, "GET", "POST", "PUT"),
    "logout": _post(LOGS_OUT),
    "account/password": _form(SIGNED_IN),
    "account/team": _form(SIGNED_IN),
    "session": _form(SAYS_WHO),
    "undo/<uuid:act_id>": _post(P.FINDINGS_READ),  # only their own; the act's own permission, too
    "undo/<uuid:act_id>/left": _get(P.FINDINGS_READ),  # and only their own
    "counts": _get((P.FINDINGS_READ, P.CASES_READ)),
    "theme": _post(ANYBODY),
    "styleguide": _get(SIGNED_IN),
    "favicon.ico": _get(ANYBODY),
    "healthz": _get(ANYBODY),
    "readyz": _get(ANYBODY),
    # People, keys, the log
    _PEOPLE: _get(P.USERS),
    f"{_PEOPLE}/new": _form(P.USERS),
    f"{_PEOPLE}/<uuid:person_id>": _form(P.USERS),
    f"{_PEOPLE}/<uuid:person_id>/password": _form(P.USERS),
    "settings/audit": _get(P.AUDIT_READ),
    "settings/retention": _get(P.AUDIT_READ),
    "settings/audit.<slug:ending>": _get(P.AUDIT_READ),
    _KEYS: _get(P.API_KEYS),
    f"{_KEYS}/new": _form(P.API_KEYS),
    f"{_KEYS}/<uuid:key_id>/revoke": _form(P.API_KEYS),
    f"{_KEYS}/<uuid:key_id>/take-over": _form(P.API_KEYS),
    # Findings
    "settings/importers": _get(P.FINDINGS_READ),
    "settings/importers/upload": _form(P.FINDINGS_INTAKE),
    _IMPORT: _get(P.FINDINGS_READ),
    f"{_IMPORT}/begin": _post(P.FINDINGS_INTAKE),
    f"{_IMPORT}/columns": _post(P.FINDINGS_INTAKE),
    f"{_IMPORT}/discard": _post(P.FINDINGS_INTAKE),
    f"{_IMPORT}/undo": _form(P.FINDINGS_INTAKE),
    f"{_IMPORT}/resolve": _post(P.FINDINGS_WRITE),
    f"{_IMPORT}/keep": _post(P.FINDINGS_WRITE),
    "inbox": _get(P.FINDINGS_READ),
    "findings": _get(P.FINDINGS_READ),
    "findings/<str:finding_id>": _get(P.FINDINGS_READ),
    "explorer/facets": _get(P.FINDINGS_READ),
    "explorer/facets/<str:name>": _get(P.FINDINGS_READ),
    "explorer/histogram": _get(P.FINDINGS_READ),
    "explorer/group": _get(P.FINDINGS_READ),
    "explorer/counts": _get(P.FINDINGS_READ),
    "explorer/export": _get(P.FINDINGS_READ),
    "explorer/columns": _get(P.FINDINGS_READ),
    "explorer/suggest": _get(P.FINDINGS_READ),
    "explorer/views/new": _form(P.FINDINGS_READ),
    "explorer/views/<int:view_id>": _form(P.FINDINGS_READ),  # and only their own
    "explorer/views/<int:view_id>/delete": _post(P.FINDINGS_READ),
    "triage/mute": _post(P.FINDINGS_WRITE),
    "triage/assign": _post(P.FINDINGS_WRITE),
    "triage/status": _post(P.FINDINGS_WRITE),
    "triage/inbox": _post(P.FINDINGS_WRITE),
    "triage/severity": _post(P.FINDINGS_WRITE),
    # Cases and tickets
    "cases": _get(P.CASES_READ),
    "cases/counts": _get(P.CASES_READ),
    "cases/new": _form(P.CASES_WRITE),
    "cases/bulk": _post(P.CASES_WRITE),
    "cases/views/new": _form(P.CASES_READ),
    "cases/views/<int:view_id>": _form(P.CASES_READ),  # and only their own
    "cases/views/<int:view_id>/delete": _post(P.CASES_READ),
    "cases/projects": _form(P.PROJECTS_WRITE),
    _PROJECT: _form(P.PROJECTS_WRITE),
    f"{_PROJECT}/sync": _form(P.PROJECTS_WRITE),
    f"{_PROJECT}/unlink": _form(P.PROJECTS_WRITE),
    _CASE: _get(P.CASES_READ),
    f"{_CASE}/change": _post(P.CASES_WRITE),
    f"{_CASE}/column": _post(P.CASES_WRITE),
    f"{_CASE}/edit": _form(P.CASES_WRITE),
    f"{_CASE}/due": _post(P.CASES_WRITE),
    f"{_CASE}/comment": _post(P.CASES_WRITE),
    f"{_CASE}/comments/<int:entry_id>/edit": _form(P.CASES_WRITE),  # whose, the service says
    f"{_CASE}/comments/<int:entry_id>/delete": _form(P.CASES_WRITE),
    f"{_CASE}/comments/<int:entry_id>/revisions": _get(P.AUDIT_READ),
    f"{_CASE}/attach": _post(P.CASES_WRITE),
    f"{_CASE}/detach": _post(P.CASES_WRITE),
    f"{_CASE}/split": _post(P.CASES_WRITE),
    f"{_CASE}/move": _post(P.CASES_WRITE),
    f"{_CASE}/issue": _post(P.CASES_WRITE),
    f"{_CASE}/link": _post(P.CASES_WRITE),
    f"{_CASE}/archive": _form(P.CASES_WRITE),
    f"{_CASE}/unarchive": _form(P.CASES_WRITE),
    "tickets/new": _post(P.CASES_WRITE),
    "tickets/progress": _get(P.CASES_READ),
    "tickets/retry": _post(P.CASES_WRITE),
    "tickets/attach": _post(P.CASES_WRITE),
    "tickets/<str:finding_id>/popover": _get(P.CASES_READ),
    "tickets/<str:finding_id>/detach": _form(P.CASES_WRITE),
    "bulk": _get(P.FINDINGS_READ),
    "bulk/new/ticket": _post(P.CASES_WRITE),
    "bulk/new/<str:deed>": _post(P.FINDINGS_WRITE),
    "bulk/<uuid:run_id>": _get(P.FINDINGS_READ),
    "bulk/<uuid:run_id>/strip": _get(P.FINDINGS_READ),
    "bulk/<uuid:run_id>/toast": _get(P.FINDINGS_READ),
    "bulk/<uuid:run_id>/<str:deed>": _post(P.FINDINGS_WRITE),
    # Integrations
    "settings/integrations": _get(P.INTEGRATIONS),
    "settings/integrations/deliveries": _get(P.INTEGRATIONS),
    "settings/integrations/deliveries/<uuid:issue_id>/<str:deed>": _post(P.INTEGRATIONS),
    f"{_JIRA}/new": _form(P.INTEGRATIONS),
    f"{_JIRA}/sandbox": _post(P.INTEGRATIONS),
    f"{_ACCOUNT}/setup": _form(P.INTEGRATIONS),
    f"{_ACCOUNT}/webhook": _post(P.INTEGRATIONS),
    f"{_ACCOUNT}/spaces": _post(P.INTEGRATIONS),
    f"{_ACCOUNT}/test": _post(P.INTEGRATIONS),
    f"{_ACCOUNT}/probe": _post(P.INTEGRATIONS),
    f"{_ACCOUNT}/delete": _form(P.INTEGRATIONS),
    # Rules; what looks into Jira is for who may write them
    _RULES: _get(P.RULES_READ),
    f"{_RULES}/evaluations": _get(P.FINDINGS_READ),
    f"{_RULES}/create_ticket/new": _form(P.RULES_WRITE),
    f"{_RULES}/<slug:slug>/new": _form(P.RULES_WRITE),
    f"{_RULES}/<uuid:rule_id>/edit": {"GET": P.RULES_READ, "POST": P.RULES_WRITE},
    f"{_RULES}/deleted": _get(P.RULES_READ),
    f"{_RULES}/<uuid:rule_id>/history": _get(P.RULES_READ),
    f"{_RULES}/<uuid:rule_id>/history/<int:history_id>/restore": _post(P.RULES_WRITE),
    f"{_RULES}/<uuid:rule_id>/restore": _post(P.RULES_WRITE),
    f"{_RULES}/<uuid:rule_id>/move": _form(P.RULES_WRITE),
    f"{_RULES}/<uuid:rule_id>/delete": _form(P.RULES_WRITE),
    "rules/reorder": _post(P.RULES_WRITE),
    "rules/live": _get(P.RULES_READ),
    "rules/<slug:kind>/rows": _get(P.RULES_READ),
    "rules/<uuid:rule_id>/menu": _get(P.RULES_READ),
    "rules/<uuid:rule_id>/toggle": _post(P.RULES_WRITE),
    "rules/<uuid:rule_id>/duplicate": _post(P.RULES_WRITE),
    "rules/<uuid:rule_id>/deliver": _post(P.RULES_WRITE),
    "rules/preview": _post(P.RULES_WRITE),
    "rules/<slug:slug>/preview": _post(P.RULES_WRITE),
    "rules/<slug:kind>/change": _post(P.RULES_WRITE),
    "rules/<slug:kind>/defaults": _get(P.RULES_READ),
    "rules/<slug:kind>/defaults/<str:rule_id>/toggle": _post(P.RULES_WRITE),
    "rules/destination": _post(P.RULES_WRITE),
    "rules/spaces": _get(P.RULES_WRITE),
    "rules/people": _get(P.RULES_WRITE),
    "rules/teams": _get(P.RULES_WRITE),
    "rules/projects": _post(P.PROJECTS_WRITE),
    "rules/test": _post((P.RULES_WRITE, P.CASES_WRITE)),
    "rules/suggest": _get(P.FINDINGS_READ),
    "rules/terms": _get(P.RULES_READ),
    "tests/<uuid:run_id>": _get(P.RULES_WRITE),  # and only their own
    "tests/<uuid:run_id>/again": _post((P.RULES_WRITE, P.CASES_WRITE)),
    "tests/<uuid:run_id>/detach": _post(P.CASES_WRITE),
}

_FINDINGS_2 = "api/v2/security/findings"
_KINDS_2 = [f"{_FINDINGS_2}/automation/{kind.type}" for kind in KINDS]
_DEFAULTS_2 = f"{_FINDINGS_2}/automation/default_inbox_rules"
_RULE_2: Access = {"GET": P.RULES_READ, "PUT": P.RULES_WRITE, "DELETE": P.RULES_WRITE}
_CASE_2 = "api/v2/cases/<str:case_id>"
_TYPES_2 = "api/v2/cases/types"
_JIRA_2 = "api/v2/integration/jira"
_ONE_TEMPLATE = f"{_JIRA_2}/issue-templates/<str:issue_template_id>"

API: Mapping[str, Access] = {
    "metrics": _get(P.FINDINGS_READ),  # from elsewhere
    "api/v1/validate": _get(SIGNED_IN),
    "api/v2/validate": _get(KEY),
    "api/v2/validate_keys": _get(SIGNED_IN),
    "api/v2/current_user": _get(SIGNED_IN),
    "api/v2/users": _get(P.CASES_READ),
    "api/v2/users/<str:user_id>": _get(P.CASES_READ),
    "api/v1/findings": {"GET": P.FINDINGS_READ, "POST": P.FINDINGS_INTAKE},
    "api/v1/^findings/(?P<finding_id>[A-Za-z0-9_=-]{1,400})$": _get(P.FINDINGS_READ),
    "api/v1/imports": {"GET": P.FINDINGS_READ, "POST": P.FINDINGS_INTAKE},
    "api/v1/imports/<uuid:import_id>": _get(P.FINDINGS_READ),
    "api/v1/jira/webhooks/<uuid:account_id>": _post(SIGNATURE),
    **{rules: {"GET": P.RULES_READ, "POST": P.RULES_WRITE} for rules in _KINDS_2},
    **{f"{rules}/reorder": _post(P.RULES_WRITE) for rules in _KINDS_2},
    **{f"{rules}/<rule_id>": _RULE_2 for rules in _KINDS_2},
    _DEFAULTS_2: _get(P.RULES_READ),
    f"{_DEFAULTS_2}/<rule_id>": _get(P.RULES_READ),
    f"{_DEFAULTS_2}/<rule_id>/enable": _post(P.RULES_WRITE),
    f"{_DEFAULTS_2}/<rule_id>/disable": _post(P.RULES_WRITE),
    _FINDINGS_2: _get(P.FINDINGS_READ),
    f"{_FINDINGS_2}/search": _post(P.FINDINGS_READ),
    "api/v2/posture_management/findings": _get(P.FINDINGS_READ),
    "api/v2/posture_management/findings/<str:finding_id>": _get(P.FINDINGS_READ),
    f"{_FINDINGS_2}/mute": _each(P.FINDINGS_WRITE, "PATCH"),
    f"{_FINDINGS_2}/assignee": _each(P.FINDINGS_WRITE, "PATCH"),
    f"{_FINDINGS_2}/severity": _each(P.FINDINGS_WRITE, "PATCH"),
    f"{_FINDINGS_2}/cases": _each(P.FINDINGS_WRITE, "POST", "DELETE"),
    f"{_FINDINGS_2}/cases/<str:case_id>": _each(P.FINDINGS_WRITE, "PATCH"),
    f"{_FINDINGS_2}/jira_issues": _each(P.FINDINGS_WRITE, "POST", "PATCH"),
    "api/v2/cases": {"GET": P.CASES_READ, "POST": P.CASES_WRITE},
    "api/v2/cases/count": _get(P.CASES_READ),
    "api/v2/cases/aggregate": _post(P.CASES_READ),
    "api/v2/cases/projects": {"GET": P.CASES_READ, "POST": P.PROJECTS_WRITE},
    "api/v2/cases/projects/<str:project_id>": {
        "GET": P.CASES_READ,
        "PATCH": P.PROJECTS_WRITE,
        "DELETE": P.PROJECTS_WRITE,
    },
    _TYPES_2: _get(P.CASES_READ),
    f"{_TYPES_2}/custom_attributes": _get(P.CASES_READ),
    f"{_TYPES_2}/<str:case_type_id>/custom_attributes": _get(P.CASES_READ),
    "api/v2/cases/views": _get(P.CASES_READ),
    "api/v2/cases/views/<str:view_id>": _get(P.CASES_READ),
    _CASE_2: _get(P.CASES_READ),
    **{
        f"{_CASE_2}/{part}": _post(P.CASES_WRITE)
        for part in (
            *("status", "priority", "assign", "unassign", "title", "description", "due_date"),
            *("attributes", "resolved_reason", "archive", "unarchive", "comment"),
        )
    },
    f"{_CASE_2}/comment/<str:cell_id>": _each(P.CASES_WRITE, "PUT", "DELETE"),
    f"{_CASE_2}/timelines": _get(P.CASES_READ),
    f"{_CASE_2}/relationships/jira_issues": _each(P.CASES_WRITE, "POST", "PATCH", "DELETE"),
    f"{_CASE_2}/relationships/project": _each(P.CASES_WRITE, "PATCH"),
    f"{_JIRA_2}/accounts": _get(P.INTEGRATIONS),
    f"{_JIRA_2}/accounts/<str:account_id>": _each(P.INTEGRATIONS, "DELETE"),
    f"{_JIRA_2}/issue-templates": _each(P.INTEGRATIONS, "GET", "POST"),
    _ONE_TEMPLATE: _each(P.INTEGRATIONS, "GET", "PATCH", "DELETE"),
}

NOTHING_THERE = frozenset(
    {"api/^v2(?:/.*)?$", "api/v2/cases/link", "api/v2/cases/projects/favorites"}
)
"""Operations of the public API that are not built: 501 or 404, whoever asks."""
DOCUMENTS = frozenset({"api/schema", "api/docs/"})
"""What the API is like."""
OWN: Mapping[str, str] = {
    "explorer/views/<int:view_id>": "404",
    "cases/views/<int:view_id>": "404",
    "tests/<uuid:run_id>": "404",
    "undo/<uuid:act_id>/left": "404",
    "api/v2/cases/<str:case_id>/comment/<str:cell_id>": "403",
}
"""What of other people is not there, or refused, for those who may do so with their own."""
ADMIN = "admin/"
"""Everything below it is for admins, and for browsers; these are for others, too: they lead to the
login page or to one's own password."""
ADMIN_FOR_ALL = frozenset({"admin/login/", "admin/logout/", "admin/password_change/"})
