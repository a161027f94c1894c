"""A machine that asks the public API, and reads what it is told."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client

JSON_API = "application/vnd.api+json"


class Machine:
    """`machine.post("/cases", {...})` asks under /api/v2 with a key."""

    def __init__(self, client: Client, key: str) -> None:
        self._client = client
        self._headers = {"DD-API-KEY": key, "DD-APPLICATION-KEY": key}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self._client, method)(
            f"/api/v2{path}", headers=self._headers | headers, **sent
        )

    def get(self, path: str) -> HttpResponse:
        return self.ask("get", path)

    def post(self, path: str, body: Any) -> HttpResponse:
        return self.ask("post", path, body)

    def put(self, path: str, body: Any) -> HttpResponse:
        return self.ask("put", path, body)

    def patch(self, path: str, body: Any) -> HttpResponse:
        return self.ask("patch", path, body)

    def delete(self, path: str, body: Any = None) -> HttpResponse:
        return self.ask("delete", path, body)


def refusal(answer: HttpResponse) -> tuple[int, str, str | None]:
    """(status, detail, where) of the one error of an answer."""
    [error] = answer.json()["errors"]
    assert answer["Content-Type"] == JSON_API
    source = error.get("source", {})
    where = source.get("pointer") or source.get("parameter")
    return answer.status_code, error.get("detail", error["title"]), where
