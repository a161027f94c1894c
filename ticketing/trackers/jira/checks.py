"""Does the connection to a Jira work, and what may we do there? Also its webhooks.

A check that fails is a result with a reason, not an exception.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from config.lib.deadline import Deadline
from ticketing.trackers.base import Fault, RemoteUser, TrackerError
from ticketing.trackers.catalogue import Space
from ticketing.trackers.jira import sites
from ticketing.trackers.jira.catalogue import JiraCatalogue
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.credentials import Credentials, Deployment
from ticketing.trackers.jira.faults import Answer, Refused

_MOST_SPACES_ASKED = 20  # one by one: Jira has no way to ask for all that it has everywhere
_WEBHOOKS = "/rest/webhooks/1.0/webhook"
_TENANT = "/_edge/tenant_info"
_PRODUCTS = {Deployment.CLOUD: "Jira Cloud", Deployment.DATA_CENTER: "Jira Data Center"}


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Check(NamedTuple):
    name: str
    sentence: str
    outcome: Outcome
    detail: str = ""
    reason: str = ""  # why it failed, and what may help
    milliseconds: int = 0


class SpaceAccess(NamedTuple):
    """What we may do in a space; one that was not asked for counts as open to us."""

    space: Space
    may_create: bool
    may_comment: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The five checks in their order, and what they found out."""

    checks: tuple[Check, ...]
    user: RemoteUser | None = None
    deployment: Deployment | None = None  # what is there, whatever was said
    version: str = ""
    api_url: str = ""  # where the token would be accepted, if not where it was tried
    spaces: tuple[SpaceAccess, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether tickets can be created. Webhooks are not needed for that."""
        return all(c.outcome is Outcome.OK for c in self.checks if c.name != "webhooks")

    def outcome(self, name: str) -> Outcome:
        return next(check.outcome for check in self.checks if check.name == name)


class Gateway(NamedTuple):
    """How to find and try the address that takes tokens with scopes."""

    address: Callable[[str], str] = sites.gateway  # cloud id → address
    hosts: tuple[str, ...] = (sites.CLOUD_HOST,)  # of the sites that have one


def check_connection(
    credentials: Credentials,
    *,
    webhook_url: str = "",
    pace: Callable[[str], None] = lambda _: None,
    gateway: Gateway = Gateway(),  # noqa: B008 - a constant
    deadline: Deadline | None = None,
) -> Report:
    """Site, identity, browsing, creating, webhooks. What depends on a failure is skipped."""
    with JiraClient(credentials, pace=pace, deadline=deadline) as client:
        return _Test(client, webhook_url=webhook_url, pace=pace, gateway=gateway).run()


@dataclass(slots=True, kw_only=True)
class _Findings:
    """What the checks found out, until it is a report."""

    user: RemoteUser | None = None
    deployment: Deployment | None = None
    version: str = ""
    api_url: str = ""
    spaces: list[SpaceAccess] = field(default_factory=list)


class _Failure(Exception):
    """A check that got an answer it cannot go on with."""

    def __init__(self, detail: str, reason: str) -> None:
        super().__init__(reason)
        self.detail = detail
        self.reason = reason


class _Test:
    def __init__(
        self, client: JiraClient, *, webhook_url: str, pace: Callable[[str], None], gateway: Gateway
    ) -> None:
        self._client = client
        self._catalogue = JiraCatalogue(client)
        self._webhook_url = webhook_url
        self._pace = pace
        self._gateway = gateway
        self._visible = 0
        self._found = _Findings()

    def run(self) -> Report:
        is_safe = self._client.credentials.api_url.startswith("https://")
        checks: list[Check] = []
        for name, sentence, check in (
            ("site", "Site answers over TLS" if is_safe else "Site answers", self._site),
            ("identity", "Sign in", self._identity),
            ("browse", "Can browse projects", self._browse),
            ("create", "Can create issues and add comments", self._create),
            ("webhooks", "Can create webhooks", self._webhooks),
        ):
            is_in = name == "site" or all(c.outcome is Outcome.OK for c in checks[:2])
            checks.append(_checked(name, sentence, check if is_in else None))
        if user := self._found.user:
            checks[1] = checks[1]._replace(sentence=f"Signed in as {self._login(user)}")
        found = self._found
        return Report(
            checks=tuple(checks),
            user=found.user,
            deployment=found.deployment,
            version=found.version,
            api_url=found.api_url,
            spaces=tuple(found.spaces),
        )

    def _login(self, user: RemoteUser) -> str:
        return self._client.credentials.email.partition("@")[0] or user.id

    # --- The five -----------------------------------------------------------------------

    def _site(self) -> str:
        try:
            info = self._client.get("serverInfo")
        except TrackerError as error:
            if error.fault is not Fault.AUTH or not isinstance(error, Refused):
                raise
            self._found.deployment = self._signs_of(error.answer)
            return ""  # it answered; the next check says what is wrong
        if not isinstance(info, Mapping) or not info.get("version"):
            raise _Failure("", f"{self._client.host} is not a Jira site. Check the address.")
        is_cloud = info.get("deploymentType") == "Cloud"
        self._found.deployment = Deployment.CLOUD if is_cloud else Deployment.DATA_CENTER
        self._found.version = str(info["version"]).partition("-")[0]
        return f"{_PRODUCTS[self._found.deployment]} {self._found.version}"

    def _signs_of(self, answer: Answer) -> Deployment | None:
        """What it is, as far as a refusal shows."""
        if "x-ausername" in answer.headers or "x-arequestid" in answer.headers:
            return Deployment.DATA_CENTER
        return Deployment.CLOUD if self._client.host.endswith(sites.CLOUD_HOST) else None

    def _identity(self) -> str:
        try:
            self._found.user = _user(self._client.get("myself"), is_cloud=self._client.is_cloud)
        except TrackerError as error:
            if error.fault is not Fault.AUTH:
                raise
            raise _Failure(_status(error), self._advice() or error.reason) from None
        return self._found.user.name

    def _advice(self) -> str:
        """What may help where the credentials were not accepted."""
        there, said = self._found.deployment, self._client.credentials.deployment
        if there is Deployment.DATA_CENTER and said is Deployment.CLOUD:
            return "This is Jira Data Center. Choose it, and enter a personal access token."
        if there is Deployment.CLOUD and said is Deployment.DATA_CENTER:
            return "This is Jira Cloud. Choose it, and enter the e-mail address with the token."
        self._found.api_url = self._find_gateway()
        if self._found.api_url:
            return f"This token has scopes. It is accepted at {self._found.api_url} only."
        return ""

    def _find_gateway(self) -> str:
        """The gateway's address, if the token is accepted there."""
        ours = self._client.credentials
        host = urlsplit(ours.site_url).hostname or ""
        if not self._client.is_cloud or ours.api_url != ours.site_url:
            return ""
        if not host.endswith(self._gateway.hosts):
            return ""
        try:
            tenant = self._client.get(_TENANT)
            address = self._gateway.address(str(tenant["cloudId"]))
            there = replace(ours, api_url=address)
            with JiraClient(there, pace=self._pace) as client:
                _user(client.get("myself"), is_cloud=True)
        except (TrackerError, sites.BadAddress, LookupError, TypeError):
            return ""  # then the first refusal stands
        return address

    def _browse(self) -> str:
        self._visible = self._catalogue.visible_spaces()
        if not self._visible:
            raise _Failure("No space", "The account sees no space. It needs Browse Projects.")
        return f"{_spaces(self._visible)} visible"

    def _create(self) -> str:
        spaces = [space for space in self._catalogue.spaces() if not space.is_archived]
        asked = spaces[:_MOST_SPACES_ASKED]
        self._found.spaces += map(self._access, asked)
        # On Cloud these are spaces where we may create; elsewhere the first ticket tells.
        self._found.spaces += (
            SpaceAccess(space, may_create=True, may_comment=True) for space in spaces[len(asked) :]
        )
        of = self._visible if self._client.is_cloud else len(spaces)
        able = sum(access.may_create and access.may_comment for access in self._found.spaces)
        if not able:
            reason = "The account needs Create Issues and Add Comments in at least one space."
            raise _Failure(f"0 of {_spaces(of)}", reason)
        return f"{able} of {_spaces(max(of, able))}"

    def _access(self, space: Space) -> SpaceAccess:
        asked = {"projectId": space.id, "permissions": "CREATE_ISSUES,ADD_COMMENTS"}
        answer = self._client.get("mypermissions", params=asked)
        return SpaceAccess(space, _allows(answer, "CREATE_ISSUES"), _allows(answer, "ADD_COMMENTS"))

    def _webhooks(self) -> str:
        try:
            found = webhooks(self._client, self._webhook_url)
        except TrackerError as error:
            if error.status not in (401, 403, 404):
                raise
            reason = (
                "The account can't create webhooks. Tickets can be created, but changes made in "
                "Jira won't sync back. Ask a Jira admin for the Administer Jira permission, or "
                "paste the webhook in by hand in the next step."
            )
            raise _Failure(_status(error), reason) from None
        return "Webhook exists" if found else ""


def _checked(name: str, sentence: str, check: Callable[[], str] | None) -> Check:
    if check is None:
        return Check(name, sentence, Outcome.SKIPPED)
    started = time.perf_counter()
    detail = reason = ""
    outcome = Outcome.OK
    try:
        detail = check()
    except TrackerError as error:
        outcome, detail, reason = Outcome.FAILED, _status(error), error.reason
    except _Failure as failure:
        outcome, detail, reason = Outcome.FAILED, failure.detail, failure.reason
    spent = round((time.perf_counter() - started) * 1000)
    if name == "site" and outcome is Outcome.OK:
        detail = " · ".join(filter(None, (detail, f"{spent} ms")))
    return Check(name, sentence, outcome, detail, reason, spent)


def _status(error: TrackerError) -> str:
    return f"HTTP {error.status}" if error.status else ""


def _spaces(number: int) -> str:
    return f"{number:,} space" if number == 1 else f"{number:,} spaces"


def _user(raw: Any, *, is_cloud: bool) -> RemoteUser:
    identity = raw.get("accountId" if is_cloud else "name") if isinstance(raw, Mapping) else None
    if not identity:
        raise TrackerError(Fault.AUTH, "Jira did not say whose account this is.", status=200)
    return RemoteUser(
        str(identity),
        str(raw.get("displayName") or identity),
        str(raw.get("emailAddress") or ""),
    )


def _allows(answer: Any, permission: str) -> bool:
    permissions = answer.get("permissions") if isinstance(answer, Mapping) else None
    found = permissions.get(permission) if isinstance(permissions, Mapping) else None
    return isinstance(found, Mapping) and found.get("havePermission") is True


# --- Webhooks ---------------------------------------------------------------------------

_NAME = "Findings Automation"
_EVENTS = (
    *("jira:issue_created", "jira:issue_updated", "jira:issue_deleted"),
    *("comment_created", "comment_updated", "comment_deleted"),
)
_FILTER = "issue-related-events-section"


class Webhook(NamedTuple):
    id: str
    url: str
    is_enabled: bool
    jql: str


def webhooks(client: JiraClient, url: str) -> list[Webhook]:
    """The webhooks there that call this address. Needs the Administer Jira permission."""
    raws = client.get(_WEBHOOKS)
    hooks = map(_webhook, raws if isinstance(raws, list) else [])
    return [hook for hook in hooks if hook is not None and hook.url == url]


def register_webhook(client: JiraClient, url: str, *, secret: str, jql: str = "") -> Webhook:
    """Have Jira call the address for what happens to the issues of `jql`, signed.

    Doing it twice is harmless: the webhook that is there is changed.
    """
    body = {
        "name": _NAME,
        "url": url,
        "events": list(_EVENTS),
        "filters": {_FILTER: jql},
        "excludeBody": False,
        "enabled": True,
        "secret": secret,
    }
    if there := webhooks(client, url):
        raw = client.put(f"{_WEBHOOKS}/{there[0].id}", json=body)
    else:
        raw = client.post(_WEBHOOKS, json=body)
    if (hook := _webhook(raw)) is None:
        raise TrackerError(Fault.TRANSIENT, "Jira did not say which webhook it created.")
    return hook


def remove_webhook(client: JiraClient, webhook_id: str) -> None:
    """Have Jira call no more; it is fine if it did not."""
    try:
        client.delete(f"{_WEBHOOKS}/{webhook_id}")
    except TrackerError as error:
        if error.status != 404:
            raise


def _webhook(raw: Any) -> Webhook | None:
    if not isinstance(raw, Mapping):
        return None
    identity = str(raw.get("id") or str(raw.get("self") or "").rstrip("/").rpartition("/")[2])
    filters = raw.get("filters")
    jql = filters.get(_FILTER) if isinstance(filters, Mapping) else ""
    if not identity.isalnum():
        return None
    return Webhook(identity, str(raw.get("url")), raw.get("enabled") is not False, str(jql or ""))
