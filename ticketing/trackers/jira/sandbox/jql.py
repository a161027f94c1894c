"""The part of JQL that this product asks in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from ticketing.trackers.jira.sandbox import markup
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.model import Issue
from ticketing.trackers.jira.sandbox.site import Site

_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<sign>!=|>=|<=|!~|[=~><(),])"
    r"|(?P<word>[^\s\"'=~><(),!]+))"
)
_AGO = re.compile(r"-(\d+)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_NAMED = frozenset({"project", "key", "issuekey", "issue", "id"})

Test = Callable[[Site, Issue], bool]
_SORTS: dict[str, Callable[[Site, Issue], object]] = {
    "key": lambda site, issue: (site.project_of(issue).key, issue.number),
    "created": lambda _, issue: (issue.created_at, issue.id),
    "updated": lambda site, issue: (site.updated_in_index(issue), issue.id),
    "id": lambda _, issue: issue.id,
}


class Query(NamedTuple):
    tests: tuple[Test, ...]
    order: tuple[tuple[str, bool], ...]  # field, descending
    named: tuple[tuple[str, str], ...] = ()  # field, value: what has to exist

    def run(self, site: Site, issues: list[Issue]) -> list[Issue]:
        found = [issue for issue in issues if all(test(site, issue) for test in self.tests)]
        for name, descending in reversed(self.order):
            found.sort(key=lambda issue: _SORTS[name](site, issue), reverse=descending)  # type: ignore[arg-type,return-value]
        return found


def parse(jql: str) -> Query:
    return _Parser(jql).parse()


class _Parser:
    def __init__(self, jql: str) -> None:
        self._tokens = self._split(jql.strip())
        self._place = 0
        self._named: list[tuple[str, str]] = []

    def _split(self, jql: str) -> list[tuple[str, str]]:
        tokens = []
        position = 0
        while position < len(jql):
            match = _TOKEN.match(jql, position)
            if match is None or match.lastgroup is None:
                raise _bad(f"The character at position {position + 1} is not understood.")
            tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        return tokens

    def parse(self) -> Query:
        tests: list[Test] = []
        if not self._is_word("order"):
            tests.append(self._condition())
            while self._is_word("and"):
                self._next()
                tests.append(self._condition())
        order = self._order() if self._is_word("order") else (("id", True),)
        if self._place < len(self._tokens):
            raise _bad(f"Expecting either 'AND' but got '{self._tokens[self._place][1]}'.")
        return Query(tuple(tests), order, tuple(self._named))

    def _is_word(self, word: str) -> bool:
        if self._place >= len(self._tokens):
            return False
        kind, text = self._tokens[self._place]
        return kind == "word" and text.lower() == word

    def _next(self) -> tuple[str, str]:
        if self._place >= len(self._tokens):
            raise _bad("The query ends too early.")
        self._place += 1
        return self._tokens[self._place - 1]

    def _condition(self) -> Test:
        name = self._value().lower()
        operator = self._next()[1].lower()
        if operator == "not":
            operator = f"not {self._next()[1].lower()}"
        values = self._values() if operator in {"in", "not in"} else [self._value()]
        maker = _TESTS.get(name)
        if maker is None:
            raise _bad(f"Field '{name}' does not exist or you do not have permission to view it.")
        self._named += [(name, value) for value in values if name in _NAMED]
        return maker(operator, values)

    def _values(self) -> list[str]:
        values = []
        if self._next()[1] != "(":
            raise _bad("Expecting '(' after 'in'.")
        while True:
            values.append(self._value())
            sign = self._next()[1]
            if sign == ")":
                return values
            if sign != ",":
                raise _bad(f"Expecting ',' but got '{sign}'.")

    def _value(self) -> str:
        kind, text = self._next()
        if kind == "sign":
            raise _bad(f"Expecting a value but got '{text}'.")
        return re.sub(r"\\(.)", r"\1", text[1:-1]) if kind == "string" else text

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._next()
        if not self._is_word("by"):
            raise _bad("Expecting 'by'.")
        order = []
        while True:
            self._next()  # "by", or a comma
            name = self._value().lower()
            name = "id" if name == "issue" else name
            if name not in _SORTS:
                raise _bad(f"Field '{name}' cannot be sorted by.")
            descending = self._is_word("desc")
            if descending or self._is_word("asc"):
                self._next()
            order.append((name, descending))
            if self._place >= len(self._tokens) or self._tokens[self._place][1] != ",":
                return tuple(order)


def _bad(reason: str) -> Refused:
    return Refused(400, f"Error in the JQL Query: {reason}")


def _equal(read: Callable[[Site, Issue], set[str]]) -> Callable[[str, list[str]], Test]:
    """Tests of what an issue has, whatever the case, as JQL compares."""

    def make(operator: str, values: list[str]) -> Test:
        wanted = {value.lower() for value in values}
        if operator in {"=", "in"}:
            return lambda site, issue: bool({one.lower() for one in read(site, issue)} & wanted)
        if operator in {"!=", "not in"}:
            return lambda site, issue: not {one.lower() for one in read(site, issue)} & wanted
        raise _bad(f"The operator '{operator}' is not supported here.")

    return make


def _key(operator: str, values: list[str]) -> Test:
    def test(site: Site, issue: Issue) -> bool:
        ids = {found.id for value in values if (found := site.find_issue(value))}
        return (issue.id in ids) == (operator in {"=", "in"})

    if operator not in {"=", "in", "!=", "not in"}:
        raise _bad(f"The operator '{operator}' is not supported here.")
    return test


def _time(read: Callable[[Site, Issue], datetime]) -> Callable[[str, list[str]], Test]:
    def make(operator: str, values: list[str]) -> Test:
        def test(site: Site, issue: Issue) -> bool:
            limit = _moment(site, values[0])
            at = read(site, issue)
            match operator:
                case ">=":
                    return at >= limit
                case ">":
                    return at > limit
                case "<=":
                    return at <= limit
                case "<":
                    return at < limit
            raise _bad(f"The operator '{operator}' is not supported here.")

        return test

    return make


def _moment(site: Site, text: str) -> datetime:
    now = site.clock()
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    for pattern in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=now.tzinfo)
        except ValueError:
            continue
    raise _bad(f"Date value '{text}' is invalid.")


def _text(name: str) -> Callable[[str, list[str]], Test]:
    def make(operator: str, values: list[str]) -> Test:
        if operator != "~":
            raise _bad(f"The operator '{operator}' is not supported by the '{name}' field.")
        words = values[0].strip('"').lower()
        return lambda _, issue: words in markup.as_wiki(issue.fields.get(name) or "").lower()

    return make


_key_test = _key
_TESTS: dict[str, Callable[[str, list[str]], Test]] = {
    "project": _equal(
        lambda site, issue: {
            issue.project_id,
            site.project_of(issue).key,
            site.project_of(issue).name,
        }
    ),
    "labels": _equal(lambda _, issue: set(issue.fields.get("labels") or ())),
    "status": _equal(lambda site, issue: {issue.status_id, site.statuses[issue.status_id].name}),
    "statuscategory": _equal(
        lambda site, issue: _category_words(site.statuses[issue.status_id].category)
    ),
    "issuetype": _equal(lambda site, issue: {issue.type_id, site.types[issue.type_id].name}),
    "assignee": _equal(lambda _, issue: {issue.fields.get("assignee") or "empty"}),
    "key": _key_test,
    "issuekey": _key_test,
    "issue": _key_test,
    "id": _key_test,
    "created": _time(lambda _, issue: issue.created_at),
    "updated": _time(lambda site, issue: site.updated_in_index(issue)),
    "description": _text("description"),
    "summary": _text("summary"),
}


def _category_words(category: str) -> set[str]:
    names = {"new": "To Do", "indeterminate": "In Progress", "done": "Done"}
    return {category, names[category]}
