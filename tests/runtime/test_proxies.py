"""`manage.py up` behind as many proxies as PROXY_COUNT says: who it takes the client for."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest

from config.runtime import children
from tests.proxies import NGINX, appending, nginx

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.slow,
    pytest.mark.timeout(400),
]  # several processes and some thirty slow hashes

CHAINS = {0: [()], 1: [(appending,), (nginx,)], 2: [(appending, appending), (nginx, appending)]}
HOST = "findings.example.com"
ME, OTHER = "127.0.0.7", "127.0.0.8"
LIST = """
from axes.models import AccessAttempt; import json
print(json.dumps(list(AccessAttempt.objects.values_list("username", "ip_address"))))
"""


@pytest.fixture(params=CHAINS)
def deployed(request, start, tmp_path) -> Iterator[tuple[int, list[int]]]:
    """PROXY_COUNT, and the port of every way to put that many proxies in front of a machine."""
    settings = {"BASE_URL": f"https://{HOST}", "ALLOWED_HOSTS": f"{HOST},127.0.0.1"}
    machine = start("--workers", "0", PROXY_COUNT=str(request.param), **settings)
    with contextlib.ExitStack() as stack:
        found = []
        for number, chain in enumerate(CHAINS[request.param]):
            if nginx in chain and NGINX is None:
                continue
            port = machine.port
            for depth, proxy in enumerate(chain):
                folder = tmp_path / f"proxy-{number}-{depth}"
                folder.mkdir()
                port = stack.enter_context(proxy(folder, port))
            found.append(port)
        yield request.param, found


class Browser:
    def __init__(self, port: int, *, address: str = ME) -> None:
        self._port, self._address = port, address

    def send(self, method: str, body: str = "", headers=()) -> http.client.HTTPResponse:
        source = (self._address, 0)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, 30, source)
        connection.putrequest(method, "/login", skip_host=True)
        for name, value in (("Host", HOST), ("Content-Length", str(len(body))), *headers):
            connection.putheader(name, value)
        connection.endheaders(body.encode())
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    def sign_in(self, email: str, *invented: tuple[str, str]) -> http.client.HTTPResponse:
        page = self.send("GET")
        cookies = SimpleCookie(page.headers["Set-Cookie"])
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        form = {"csrfmiddlewaretoken": token, "username": email, "password": "wrong"}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"https://{HOST}",
            "Cookie": "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items()),
        }
        return self.send("POST", urlencode(form), (*headers.items(), *invented))


def seen_at(place) -> list[tuple[str, str]]:
    rows = json.loads(place.run("shell", "--no-imports", "--command", LIST).stdout)
    return [tuple(row) for row in rows]


def invented(*addresses: str, name: str = "X-Forwarded-For") -> list[tuple[str, str]]:
    return [(name, address) for address in addresses]


TRIES = [
    [],
    invented("203.0.113.1"),
    invented("203.0.113.1, 203.0.113.2"),
    invented("203.0.113.1, 203.0.113.2, [2001:db8::1]:443"),
    [*invented("unknown", "203.0.113.1", "::"), *invented("for=203.0.113.1", name="Forwarded")],
]
# To WSGI this is the same header, unless the server drops it.
if not any("granian" in word for word in children.web(host="", port=0, environment={}).command):
    TRIES[1] += invented("203.0.113.4", name="X_Forwarded_For")


def test_it_knows_the_client_whatever_addresses_it_invents(deployed, place):
    """Five wrong passwords are one client's five tries, so that the last is paused."""
    proxies, ports = deployed
    for port in ports:
        page = Browser(port).send("GET", headers=invented("https", name="X-Forwarded-Proto"))
        assert page.headers["Set-Cookie"].startswith("__Host-csrftoken=")
        said = page.headers.get("Strict-Transport-Security")
        assert said == ("max-age=31536000; includeSubDomains" if proxies else None)
        answers = [Browser(port).sign_in(f"{port}@example.com", *headers) for headers in TRIES]
        assert [answer.status for answer in answers] == [200, 200, 200, 200, 429]
        assert 800 <= int(answers[-1].headers["Retry-After"]) <= 900
        assert Browser(port, address=OTHER).sign_in(f"{port}@example.com").status == 200
    rows = [(f"{port}@example.com", address) for port in ports for address in (ME, OTHER)]
    assert sorted(seen_at(place)) == sorted(rows)
