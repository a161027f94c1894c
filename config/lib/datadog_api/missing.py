"""Operations of the public API that are not built: what their 404 says to use instead.

This table is the only place that knows them: the answers, the documentation and the tests are
made from it. Whoever builds one takes its row out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

_FINDINGS = "/api/v2/security/findings"
_CASES = "/api/v2/cases"

_TRACKERS = f"Tickets go to Case Management and Jira; use {_FINDINGS}/jira_issues or /cases."
_CASE_TRACKERS = (
    f"Cases are linked with Jira only; use {_CASES}/{{case_id}}/relationships/jira_issues."
)
_CASE_RULES = "Cases have no automation rules; rules act on findings."
_NOTICES = "Nobody is notified by e-mail or chat; follow the tickets in Jira."
_TYPES = f"There is one case type; GET {_CASES}/types shows it."
_VIEWS = f"Each project has its default view; GET {_CASES}/views shows it."
_ONE_BY_ONE = "Change cases one by one."
_LEGACY_MUTE = f"Mute findings by PATCH {_FINDINGS}/mute."


class Missing(NamedTuple):
    method: str
    path: str  # with {placeholders}
    instead: str


def _notification_rules(path: str) -> Iterator[Missing]:
    for method, tail in (
        ("GET", ""),
        ("POST", ""),
        ("GET", "/{id}"),
        ("PATCH", "/{id}"),
        ("DELETE", "/{id}"),
    ):
        yield Missing(method, f"{path}{tail}", _NOTICES)


def _cases(rows: str, instead: str) -> Iterator[Missing]:
    """Rows of "METHOD /path" under /api/v2/cases."""
    for row in rows.split("\n"):
        method, path = row.split()
        yield Missing(method, f"{_CASES}{path}", instead)


MISSING: tuple[Missing, ...] = (
    Missing("POST", f"{_FINDINGS}/linear_issues", _TRACKERS),
    Missing("PATCH", f"{_FINDINGS}/linear_issues", _TRACKERS),
    Missing("POST", f"{_FINDINGS}/servicenow_tickets", _TRACKERS),
    Missing("PATCH", f"{_FINDINGS}/servicenow_tickets", _TRACKERS),
    *_cases("POST /bulk", _ONE_BY_ONE),
    *_cases("GET /link\nPOST /link\nDELETE /link/{link_id}", "Cases are not linked to each other."),
    *_cases(
        "GET /projects/favorites\n"
        "POST /projects/{project_id}/favorites\n"
        "DELETE /projects/{project_id}/favorites",
        "Projects have no favourites.",
    ),
    *_cases(
        "GET /projects/{project_id}/notification_rules\n"
        "POST /projects/{project_id}/notification_rules\n"
        "PUT /projects/{project_id}/notification_rules/{notification_rule_id}\n"
        "DELETE /projects/{project_id}/notification_rules/{notification_rule_id}",
        _NOTICES,
    ),
    *_cases(
        "GET /projects/{project_id}/rules\n"
        "POST /projects/{project_id}/rules\n"
        "GET /projects/{project_id}/rules/{rule_id}\n"
        "PUT /projects/{project_id}/rules/{rule_id}\n"
        "DELETE /projects/{project_id}/rules/{rule_id}\n"
        "POST /projects/{project_id}/rules/{rule_id}/enable\n"
        "POST /projects/{project_id}/rules/{rule_id}/disable",
        _CASE_RULES,
    ),
    *_cases(
        "POST /types\n"
        "PUT /types/{case_type_id}\n"
        "DELETE /types/{case_type_id}\n"
        "POST /types/{case_type_id}/custom_attributes\n"
        "PUT /types/{case_type_id}/custom_attributes/{custom_attribute_id}\n"
        "DELETE /types/{case_type_id}/custom_attributes/{custom_attribute_id}",
        _TYPES,
    ),
    *_cases("POST /views\nPUT /views/{view_id}\nDELETE /views/{view_id}", _VIEWS),
    *_cases(
        "POST /{case_id}/custom_attributes/{custom_attribute_key}\n"
        "DELETE /{case_id}/custom_attributes/{custom_attribute_key}",
        f"Cases have no custom attributes; use {_CASES}/{{case_id}}/attributes.",
    ),
    *_cases(
        "PUT /{case_id}/insights\nDELETE /{case_id}/insights",
        f"A case's insights are its findings; use {_FINDINGS}/cases.",
    ),
    *_cases(
        "POST /{case_id}/relationships/incidents\n"
        "POST /{case_id}/relationships/notebook\n"
        "POST /{case_id}/relationships/servicenow_tickets",
        _CASE_TRACKERS,
    ),
    *_cases(
        "GET /{case_id}/watchers\n"
        "POST /{case_id}/watchers/{user_uuid}\n"
        "DELETE /{case_id}/watchers/{user_uuid}",
        _NOTICES,
    ),
    *_notification_rules("/api/v2/security/signals/notification_rules"),
    *_notification_rules("/api/v2/security/vulnerabilities/notification_rules"),
    Missing("PATCH", "/api/v2/posture_management/findings", _LEGACY_MUTE),
)


def what_instead(method: str, path: str) -> str | None:
    """What to use instead of an operation that is not built; None if it is none of these."""
    for row, pattern in _patterns():
        if row.method == method and pattern.fullmatch(path):
            return f"{row.method} {row.path} is not built here. {row.instead}"
    return None


@cache
def _patterns() -> tuple[tuple[Missing, re.Pattern[str]], ...]:
    # A path's fixed parts hold nothing that a regular expression would read.
    return tuple((row, re.compile(re.sub(r"\{\w+\}", "[^/]+", row.path))) for row in MISSING)
