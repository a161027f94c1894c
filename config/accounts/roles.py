"""Who may do what, in one place: roles for people, the same permissions as scopes for keys.

Permission names mirror the public ones, so a role or a key reads the same here and there.
"""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    FINDINGS_READ = "security_monitoring_findings_read"
    FINDINGS_WRITE = "security_monitoring_findings_write"
    FINDINGS_INTAKE = "security_monitoring_findings_intake"
    CASES_READ = "cases_read"
    CASES_WRITE = "cases_write"
    PROJECTS_WRITE = "cases_shared_settings_write"
    RULES_READ = "security_pipelines_read"
    RULES_WRITE = "security_pipelines_write"
    INTEGRATIONS = "manage_integrations"
    API_KEYS = "api_keys_write"
    USERS = "user_access_manage"
    AUDIT_READ = "audit_logs_read"


class Role(StrEnum):
    VIEWER = "viewer"
    ANALYST = "analyst"
    EDITOR = "automation_editor"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


_VIEWER = frozenset({Permission.FINDINGS_READ, Permission.CASES_READ, Permission.RULES_READ})
_ANALYST = _VIEWER | {Permission.FINDINGS_WRITE, Permission.CASES_WRITE}
_EDITOR = _ANALYST | {Permission.RULES_WRITE, Permission.PROJECTS_WRITE}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.ANALYST: _ANALYST,
    Role.EDITOR: _EDITOR,
    Role.ADMIN: frozenset(Permission),
}


def lowest_role_with(permission: Permission) -> Role:
    """The role to ask for when one lacks `permission`; `Role` is written lowest first."""
    return next(role for role in Role if permission in PERMISSIONS[role])
