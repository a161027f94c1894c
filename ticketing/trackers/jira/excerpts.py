"""What of an answer may be shown and kept: a piece of its text, without our credentials. Pure."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

from ticketing.trackers.jira.credentials import Credentials

LONGEST = 2000  # characters
_UNREAD = 8 * LONGEST  # of a body that is not JSON; what follows is not looked at
_HIDDEN = re.compile(r"(?is)<(script|style)\b.*?(</\1\s*>|\Z)")
_TAG = re.compile(r"<[^<>]*>?")


class Excerpts:
    """Takes out the token in each form in which a server could send it back."""

    def __init__(self, credentials: Credentials) -> None:
        token = credentials.token
        basic = base64.b64encode(f"{credentials.email}:{token}".encode()).decode()
        forms = {token, quote(token, safe=""), quote_plus(token), html.escape(token), basic}
        found = sorted((form for form in forms if form), key=len, reverse=True)
        self._secret = re.compile("|".join(map(re.escape, found)) if token else r"(?!)")

    def of(self, content: bytes, body: Any) -> str:
        if body is not None:
            return self._hide(json.dumps(self.without_secrets(body), ensure_ascii=False))[:LONGEST]
        text = content[:_UNREAD].decode(errors="replace")
        text = _TAG.sub(" ", _HIDDEN.sub(" ", text))
        return " ".join(self._hide(html.unescape(text)).split())[:LONGEST]

    def without_secrets(self, body: Any) -> Any:
        """JSON as it was, but for our credentials in its texts."""
        match body:
            case str():
                return self._hide(body)
            case list():
                return [self.without_secrets(item) for item in body]
            case dict():
                return {self._hide(str(k)): self.without_secrets(v) for k, v in body.items()}
            case _:
                return body

    def _hide(self, text: str) -> str:
        return self._secret.sub("…", text)
