from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from ticketing.trackers.jira.sandbox import SandboxJira


def test_it_starts_and_stops_at_once():
    def once() -> float:
        started = time.perf_counter()
        with SandboxJira():
            pass
        return time.perf_counter() - started

    assert min(once() for _ in range(5)) < 0.05


def test_many_callers_at_once_get_a_key_each(api):
    def create(number: int) -> str:
        return api.create(str(number)).json()["key"]

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(create, range(40)))

    assert set(keys) == {f"SEC-{number}" for number in range(1, 41)}


def test_it_comes_back_at_the_same_address(sandbox_jira):
    address = f"{sandbox_jira.url}/rest/api/2/serverInfo"
    sandbox_jira.create_issue("SEC", "Still here")
    sandbox_jira.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)

    sandbox_jira.start()

    assert requests.get(address, timeout=5).status_code == 200
    assert len(sandbox_jira.issues()) == 1


def test_it_answers_over_ipv6():
    with SandboxJira(host="::1") as jira:
        assert requests.get(f"{jira.url}/rest/api/2/serverInfo", timeout=5).ok


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_it_listens_on_loopback_alone(host):
    with pytest.raises(ValueError, match="not a loopback address"):
        SandboxJira(host=host).start()


def test_a_page_that_is_not_there_is_html_and_a_wrong_method_is_refused(api):
    missing = api("GET", "nothing/here")

    assert missing.status_code == 404
    assert missing.headers["Content-Type"].startswith("text/html")
    assert api("DELETE", "myself").status_code == 405
    assert api("POST", "issue", data="{").status_code == 400
