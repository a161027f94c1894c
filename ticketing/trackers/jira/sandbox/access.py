"""Who is calling: Basic with e-mail and token on Cloud, Bearer on Data Center."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ticketing.trackers.jira.sandbox.errors import Refused, unauthorized
from ticketing.trackers.jira.sandbox.model import Person
from ticketing.trackers.jira.sandbox.site import Site


class TokenState(StrEnum):
    VALID = "valid"
    REVOKED = "revoked"  # 401 everywhere
    EXPIRED = "expired"  # taken for a stranger: what strangers may read answers, but empty


@dataclass(kw_only=True)
class Access:
    email: str
    token: str = field(repr=False)
    state: TokenState = TokenState.VALID
    is_scoped: bool = False  # a scoped token works through the gateway alone

    def person(self, site: Site, headers: Mapping[str, str], *, by_gateway: bool) -> Person | None:
        """None is a stranger; wrong credentials are refused."""
        given = headers.get("authorization", "")
        if not given:
            return None
        if not hmac.compare_digest(given.encode(), self._expected(site).encode()):
            raise unauthorized()
        if self.is_scoped and not by_gateway:
            raise unauthorized()
        if self.state is TokenState.REVOKED:
            raise unauthorized()
        return site.bot if self.state is TokenState.VALID else None

    def _expected(self, site: Site) -> str:
        if not site.is_cloud:
            return f"Bearer {self.token}"
        return "Basic " + base64.b64encode(f"{self.email}:{self.token}".encode()).decode()

    def headers(
        self, site: Site, headers: Mapping[str, str], person: Person | None
    ) -> dict[str, str]:
        """Who Jira thinks it was: missing on Cloud, "anonymous" on Data Center, for a stranger."""
        if person is not None:
            return (
                {"X-AAccountId": person.account_id}
                if site.is_cloud
                else {"X-AUSERNAME": person.name}
            )
        shown = {} if site.is_cloud else {"X-AUSERNAME": "anonymous"}
        if "authorization" in headers:
            shown["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"
        return shown


def refuse_stranger(site: Site) -> Refused:
    word = 'Basic realm="Jira"' if site.is_cloud else "OAuth"
    refusal = unauthorized()
    refusal.headers["WWW-Authenticate"] = word
    return refusal
