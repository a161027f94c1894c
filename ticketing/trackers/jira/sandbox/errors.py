"""What Jira answers when it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FOREIGN = "Ez most nem lehetséges."


class Refused(Exception):
    """An answer that is not a success, in the shape of Jira's ErrorCollection."""

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status}: {messages or errors}")
        self.status = status
        self.messages = messages
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})

    def translated(self) -> Refused:
        """The same in the language of somebody whom nobody here understands."""
        errors = dict.fromkeys(self.errors, _FOREIGN)
        return Refused(
            self.status, *(_FOREIGN for _ in self.messages), errors=errors, headers=self.headers
        )

    @property
    def body(self) -> dict[str, Any]:
        return {"errorMessages": list(self.messages), "errors": self.errors}


class InvalidValue(Exception):
    """A value that its field does not take; the text is Jira's."""


def unauthorized() -> Refused:
    return Refused(401, "Client must be authenticated to access this resource.")


def no_issue() -> Refused:
    return Refused(404, "Issue does not exist or you do not have permission to see it.")


def no_project(key: str) -> Refused:
    return Refused(404, f"No project could be found with key '{key}'.")
