"""A search of cases: the query language, with the fields that a case has.

`status:open -assignee:me (priority:P1 OR priority:P2) "leaked key"`. A word without a field must be
in the key, the title or the key in Jira. A field that a case does not have is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, timedelta
from functools import reduce
from operator import and_, or_
from uuid import UUID

from django.db.models import Q, TextChoices
from django.db.models.lookups import IContains
from django.utils import timezone

from config.accounts.models import User
from config.lib.bytewise import Bytewise
from config.lib.echo import cut
from config.lib.search_text import MAX_CHARACTERS, MAX_TERMS, SearchTooLong, check_length
from config.lib.utc import midnight
from findings.facts import OPEN_STATUSES
from findings.models import Finding
from findings.query.ast import (
    And,
    AnyPiece,
    Exact,
    Exists,
    Field,
    Matcher,
    Node,
    Not,
    Or,
    Piece,
    QueryError,
    Root,
    Term,
    Wildcard,
    Words,
)
from findings.query.parse import parse
from findings.query.sql import condition
from ticketing.import_cases import is_of_an_import
from ticketing.models import Attachment, Case, ExternalIssue, JiraUser
from ticketing.models.jira_users import shown_name

MAX_NAMED = 200  # cases in a statement
_NAMES = {"status": "a status", "priority": "a priority", "origin": "an origin"}
_LOOKED_FOR = frozenset({"title", "key", "team", "import"})
_EVERYTHING, _NOTHING = ~Q(pk__in=()), Q(pk__in=())


class BadTerm(ValueError):
    """What is wrong with a search, and at which character (counted from 0)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message.rstrip('.')} (at character {position + 1}).")
        self.position = position


def reads_texts(text: str) -> bool:
    """Whether the search looks at each case's texts or findings, which no index does for it.
    Not of one that cannot be read."""
    try:
        return _reads_texts(parse(text[:MAX_CHARACTERS]).root)
    except QueryError:
        return False


def _reads_texts(node: Node) -> bool:
    match node:
        case Term():
            is_word = node.field.root is Root.TEXT and isinstance(node.matcher, Words)
            return is_word or node.field.name.lower() in _LOOKED_FOR
        case Not(inner):
            return _reads_texts(inner)
        case And(nodes) | Or(nodes):
            return any(map(_reads_texts, nodes))


def search_condition(text: str, *, me: User | None) -> Q:
    """What `Case.objects.filter()` takes to find what the search asks for. Raises BadTerm. One
    statement for each word, to find the issues whose keys hold it.

    `me` is whom `assignee:me` means; None where nobody is signed in.
    """
    try:
        check_length(text, terms=0)
    except SearchTooLong as error:
        raise BadTerm(str(error), MAX_CHARACTERS) from None
    try:
        root = parse(text).root
    except QueryError as error:
        raise BadTerm(error.message, error.position) from None
    return _Reader(text, me).condition(root)


def is_overdue() -> Q:
    """As `Case.is_overdue`."""
    today = timezone.now().astimezone(UTC).date()
    return Q(due_date__lt=today) & ~Q(status=Case.Status.CLOSED)


def of_team(team: str) -> Q:
    """Cases with an open finding that has the team's tag, and those assigned to its people."""
    if not team:
        return _NOTHING
    tagged = condition(Term(Field(Root.TAG, "team"), Exact(team)))
    findings = Finding.objects.filter(tagged, status__in=OPEN_STATUSES).order_by()
    attached = Attachment.objects.filter(finding__in=findings.values("pk"))
    return Q(assignee__team=team) | Q(pk__in=attached.values("case"))


class _Reader:
    def __init__(self, text: str, me: User | None) -> None:
        self._text = text
        self._me = me
        self._terms = 0

    def condition(self, node: Node) -> Q:
        match node:
            case Term():
                return self._term(node)
            case Not(inner):
                return ~self.condition(inner)
            case And(nodes):
                return reduce(and_, map(self.condition, nodes), Q())
            case Or(nodes):
                return reduce(or_, map(self.condition, nodes))

    def _term(self, term: Term) -> Q:
        self._terms += 1
        if self._terms > MAX_TERMS:
            message = f"A search of cases has at most {MAX_TERMS} terms"
            raise BadTerm(message, max(len(self._text) - 1, 0))
        if term.field.root is Root.TEXT:
            return self._words(term.matcher)
        name = term.field.name.lower()
        # The language writes `title:` without a sign, too.
        is_field = term.field.root is Root.TAG or name == "title"
        read = _FIELDS.get(name) if is_field else None
        if read is None:
            sign = "" if is_field else "@"
            message = f"A case has no “{cut(sign + term.field.name)}”. Use {', '.join(_FIELDS)}"
            raise self._bad(term, message)
        return read(self, term)

    def _words(self, matcher: Matcher) -> Q:
        if not isinstance(matcher, Words):
            return _EVERYTHING
        in_a_key = _holds_in_key("key", matcher.pieces)
        return _holds_in_title(matcher.pieces) | in_a_key | _of_issues(matcher.pieces)

    def _choice(self, term: Term, choices: type[TextChoices]) -> Q:
        name = term.field.name.lower()
        if isinstance(term.matcher, Exists):
            return _EVERYTHING
        chosen = _chosen(term.matcher, choices)
        if chosen is None:
            said = cut(_written(term.matcher))
            known = ", ".join(value.lower() for value in choices.values)
            raise self._bad(term, f"“{said}” is not {_NAMES[name]}. Use {known}")
        return Q((f"{name}__in", chosen))

    def _project(self, term: Term) -> Q:
        if isinstance(term.matcher, Exact):
            return Q(project__key=term.matcher.value.upper())
        return self._text_of(term, "project__key", whole=True)

    def _project_id(self, term: Term) -> Q:
        try:
            return Q(project=UUID(_written(term.matcher)))
        except ValueError:
            raise self._bad(term, "A project's id is a UUID; `project:` takes its key") from None

    def _import(self, term: Term) -> Q:
        return is_of_an_import(self._id(term, "an import"))

    def _rule(self, term: Term) -> Q:
        return Q(rule_id=self._id(term, "a rule"))

    def _id(self, term: Term, noun: str) -> UUID:
        try:
            return UUID(_written(term.matcher))
        except ValueError:
            raise self._bad(term, f"`{term.field.name}:` takes the id of {noun}, a UUID") from None

    def _assignee(self, term: Term) -> Q:
        value = term.matcher.value.lower() if isinstance(term.matcher, Exact) else ""
        if value == "me":
            if self._me is None:
                raise self._bad(term, "“me” means nobody here. Name a person")
            return Q(assignee=self._me)
        if value == "none":
            return Q(assignee=None, jira_assignee=None)
        if isinstance(term.matcher, Exists):
            return Q(assignee__isnull=False) | Q(jira_assignee__isnull=False)
        in_jira = JiraUser.objects.alias(shown_name=shown_name())
        return (
            self._text_of(term, "assignee__name")
            | self._text_of(term, "assignee__email")
            | Q(jira_assignee__in=in_jira.filter(self._text_of(term, "shown_name")))
        )

    def _key(self, term: Term) -> Q:
        keys = ExternalIssue.objects.filter(self._text_of(term, "issue_key"), detached_at=None)
        return self._text_of(term, "key") | Q(pk__in=keys.order_by().values("case"))

    def _created(self, term: Term) -> Q:
        try:
            start = midnight(date.fromisoformat(_written(term.matcher)))
            return Q(created_at__gte=start, created_at__lt=start + timedelta(days=1))
        except (ValueError, OverflowError):
            raise self._bad(term, "`created:` takes a UTC day, as in created:2026-11-30") from None

    def _title(self, term: Term) -> Q:
        return self._text_of(term, "title")

    def _due(self, term: Term) -> Q:
        if isinstance(term.matcher, Exists):
            return Q(due_date__isnull=False)
        said = _written(term.matcher).lower()
        if said == "none":
            return Q(due_date=None)
        if said == "overdue":
            return is_overdue()
        try:
            return Q(due_date=date.fromisoformat(said))
        except ValueError:
            message = f"“{cut(said)}” is not a day. Use overdue, none or YYYY-MM-DD"
            raise self._bad(term, message) from None

    def _team(self, term: Term) -> Q:
        if not isinstance(term.matcher, Exact):
            raise self._bad(term, "`team:` takes the name of a team")
        return of_team(term.matcher.value)

    def _text_of(self, term: Term, column: str, *, whole: bool = False) -> Q:
        match term.matcher:
            case Exact(value):
                return Q((f"{column}__icontains", value)) if value else _NOTHING
            case Wildcard(pieces):
                return _holds(column, pieces, whole=whole)
            case Exists():
                return _EVERYTHING
            case _:
                raise self._bad(term, f"`{term.field.name}:` takes a text")

    def _bad(self, term: Term, message: str) -> BadTerm:
        found = re.search(rf"(?<![\w.@])@?{re.escape(term.field.name)}:", self._text)
        return BadTerm(message, found.start() if found else 0)


_FIELDS: Mapping[str, Callable[[_Reader, Term], Q]] = {
    "status": lambda reader, term: reader._choice(term, Case.Status),  # noqa: SLF001
    "priority": lambda reader, term: reader._choice(term, Case.Priority),  # noqa: SLF001
    "origin": lambda reader, term: reader._choice(term, Case.Origin),  # noqa: SLF001
    "assignee": _Reader._assignee,  # noqa: SLF001
    "project": _Reader._project,  # noqa: SLF001
    "project_id": _Reader._project_id,  # noqa: SLF001
    "rule": _Reader._rule,  # noqa: SLF001
    "import": _Reader._import,  # noqa: SLF001
    "key": _Reader._key,  # noqa: SLF001
    "title": _Reader._title,  # noqa: SLF001
    "due": _Reader._due,  # noqa: SLF001
    "team": _Reader._team,  # noqa: SLF001
    "created": _Reader._created,  # noqa: SLF001
}


def _chosen(matcher: Matcher, choices: type[TextChoices]) -> list[str] | None:
    """The values of a closed list that the term names; None if there is no such value."""
    known = {value.lower(): value for value in choices.values}
    if isinstance(matcher, Wildcard):
        pattern = re.compile(_pattern(matcher.pieces), re.IGNORECASE)
        return [value for name, value in known.items() if pattern.fullmatch(name)]
    value = known.get(_written(matcher).lower().replace("-", "_"))
    return None if value is None else [value]


def _written(matcher: Matcher) -> str:
    return matcher.value if isinstance(matcher, Exact) else ""


def _holds(column: str, pieces: Sequence[Piece], *, whole: bool = False) -> Q:
    """Whether the column's text holds (or, `whole`, is) what the pieces stand for, in any case."""
    if not whole and all(isinstance(piece, str) for piece in pieces):
        return Q((f"{column}__icontains", "".join(map(str, pieces))))
    pattern = _pattern(pieces)
    return Q((f"{column}__iregex", f"^{pattern}$" if whole else pattern))


def _holds_in_title(pieces: Sequence[Piece]) -> Q:
    """As `_holds`. Words in ASCII are compared as bytes, which takes PostgreSQL a third."""
    word = "".join(map(str, pieces))
    if all(isinstance(piece, str) for piece in pieces) and word.isascii():
        return Q(IContains(Bytewise("title"), word))
    return _holds("title", pieces)


def _holds_in_key(column: str, pieces: Sequence[Piece]) -> Q:
    """As `_holds`, of keys, which are capitals, here and in Jira."""
    if all(isinstance(piece, str) for piece in pieces):
        return Q((f"{column}__contains", "".join(map(str, pieces)).upper()))
    return _holds(column, pieces)


def _of_issues(pieces: Sequence[Piece]) -> Q:
    """Cases whose key in Jira holds it. A few are named: of a subquery PostgreSQL thinks that it
    finds half of all, and plans for that."""
    issues = ExternalIssue.objects.filter(_holds_in_key("issue_key", pieces), detached_at=None)
    cases = issues.exclude(issue_key="").order_by().values_list("case", flat=True)
    few = list(cases[: MAX_NAMED + 1])
    return Q(pk__in=few if len(few) <= MAX_NAMED else cases)


def _pattern(pieces: Sequence[Piece]) -> str:
    """A regular expression that Python and PostgreSQL read alike."""
    wild = {AnyPiece.RUN: ".*", AnyPiece.CHAR: "."}
    return "".join(
        wild[piece] if isinstance(piece, AnyPiece) else re.sub(r"(\W)", r"\\\1", piece)
        for piece in pieces
    )
