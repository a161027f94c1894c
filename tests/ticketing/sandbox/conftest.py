from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ticketing.trackers.jira.sandbox import SandboxJira


class Api:
    """A caller that adds nothing: one request, the answer as it came."""

    def __init__(self, jira: SandboxJira) -> None:
        self.jira = jira
        self.session = requests.Session()
        self.session.trust_env = False
        if jira.site.is_cloud:
            self.session.auth = (jira.access.email, jira.access.token)
        else:
            self.session.headers["Authorization"] = f"Bearer {jira.access.token}"

    def __call__(self, method: str, path: str, *, version: str = "2", **more: Any) -> Any:
        address = path if path.startswith("/") else f"/rest/api/{version}/{path}"
        more.setdefault("timeout", 5)
        return self.session.request(method, self.jira.url + address, allow_redirects=False, **more)

    def create(self, summary: str = "Leaked key", *, version: str = "2", **fields: Any) -> Any:
        given = {"project": {"key": "SEC"}, "issuetype": {"id": "10001"}, "summary": summary}
        return self("POST", "issue", version=version, json={"fields": given | fields})


@pytest.fixture
def api(sandbox_jira: SandboxJira) -> Iterator[Api]:
    caller = Api(sandbox_jira)
    yield caller
    caller.session.close()


@pytest.fixture
def dc_api(sandbox_data_center: SandboxJira) -> Iterator[Api]:
    caller = Api(sandbox_data_center)
    yield caller
    caller.session.close()
