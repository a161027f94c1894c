"""From a request to Jira's answer: limits, credentials, routes, refusals. No sockets here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote

from ticketing.trackers.jira.sandbox.access import Access, refuse_stranger
from ticketing.trackers.jira.sandbox.calls import Answer, Call, Route
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.limits import RateLimit
from ticketing.trackers.jira.sandbox.model import Person
from ticketing.trackers.jira.sandbox.site import CLOUD_ID, Site

_EDGE = "/_edge/"  # in front of Jira: knows of no credentials
_GATEWAY = f"/ex/jira/{CLOUD_ID}"


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        """Of a parameter given twice, the values joined by commas, as Jira reads its lists."""
        parameters: dict[str, str] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
        return parameters


@dataclass(kw_only=True)
class Dispatcher:
    site: Site
    access: Access
    limit: RateLimit
    routes: Iterable[Route]
    after_change: Callable[[], None] = lambda: None

    def answer(self, request: Request) -> Answer:
        is_cloud = self.site.is_cloud
        if wait := self.limit.take():
            return self.limit.refusal(wait, is_cloud=is_cloud)
        by_gateway = is_cloud and request.path.startswith(_GATEWAY)
        if by_gateway:
            request = replace(request, path=request.path.removeprefix(_GATEWAY))
        is_edge = request.path.startswith(_EDGE)
        person: Person | None = None
        try:
            if not is_edge:
                person = self.access.person(self.site, request.headers, by_gateway=by_gateway)
            answer = self._routed(request, person)
        except Refused as refusal:
            refused = refusal.translated() if self.site.is_translated else refusal
            answer = Answer.json(refused.body, refused.status, refused.headers)
        headers = {
            **self.limit.headers(is_cloud=is_cloud),
            **({} if is_edge else self.access.headers(self.site, request.headers, person)),
            **answer.headers,
        }
        return replace(answer, headers=headers)

    def _routed(self, request: Request, person: Person | None) -> Answer:
        is_known = False
        for route in self.routes:
            match = route.pattern.fullmatch(request.path)
            if match is None or route.only_on not in ("", self.site.deployment.value):
                continue
            is_known = True
            if route.method != request.method:
                continue
            if person is None and not route.serves_strangers:
                raise refuse_stranger(self.site)
            parts = {name: unquote(part) for name, part in match.groupdict().items() if part}
            version = "3" if parts.pop("version", "2") == "3" and self.site.is_cloud else "2"
            with self.site.lock:
                try:
                    return route.handler(self._call(request, person, version, parts))
                finally:  # a refused create has used up a number
                    if request.method != "GET":
                        self.after_change()
        if is_known:
            raise Refused(405, "Method Not Allowed")
        return Answer(
            status=404,
            body=b"<html><title>Oops, you've found a dead link</title>",
            content_type="text/html;charset=UTF-8",
        )

    def _call(
        self, request: Request, person: Person | None, version: str, parts: Mapping[str, str]
    ) -> Call:
        return Call(
            site=self.site,
            method=request.method,
            path=request.path,
            query=request.parameters,
            headers=request.headers,
            body=request.body,
            person=person,
            version=version,
            parts=parts,
        )
