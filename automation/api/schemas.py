"""What the OpenAPI document says of rules, made of what the rules of a kind may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, get_args

from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from automation.api.requests import Action, Name, RuleRequest, Scope
from automation.kinds.base import RuleKind
from config.accounts import idempotency
from config.lib.datadog_api import schemas
from config.lib.datadog_api.schemas import Schema, answers, page_parameters, schema_of
from config.lib.datadog_api.shapes import Attributes, Document, EpochMs, Type, documented, of, only
from config.lib.request_body import JSON

MAX_PAGE = 1000
_ID = OpenApiParameter("rule_id", str, OpenApiParameter.PATH, description="A UUID.")
_DEFAULT_ID = OpenApiParameter("rule_id", str, OpenApiParameter.PATH)
_Reason = Annotated[
    str | UnsetType,
    Meta(description="Why the system disabled the rule; there only when it did."),
    documented(readOnly=True),
]


class Who(Struct):
    type: Literal["user", "system"]
    id: str
    name: str


class RuleShown(Struct, Generic[Action]):
    name: Name
    enabled: bool
    rule: Scope
    action: Action
    created_at: EpochMs
    created_by: Who
    modified_at: EpochMs
    modified_by: Who


class DefaultRule(Struct, Generic[Type, Attributes]):
    id: str
    type: Type
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations on rules of one kind, each the decorator of the method that serves it."""

    kind: RuleKind

    def list(self) -> Any:
        shown = of(RuleShown, _shown(self.kind))
        return self._operation(
            "list",
            self._several,
            summary=f"List {self._in_words}s",
            description="In the order in which they are tried.",
            parameters=page_parameters(default=MAX_PAGE, most=MAX_PAGE),
            responses=answers(200, schemas.many(shown, type_=self._several)),
        )

    def create(self) -> Any:
        acts = "new findings and, within two hours, on those that are open"
        return self._operation(
            "create",
            self._one,
            summary=f"Create {self._a_rule}",
            description="It becomes the last of the list, and acts on "
            f"{acts if self.kind.acts_on_existing else 'findings from now on'}.",
            parameters=[idempotency.PARAMETER],
            request={JSON: schemas.create(self._sent, type_=self._several)},
            responses=answers(201, self._answer, 409, 422),
        )

    def show(self) -> Any:
        return self._operation(
            "get",
            self._one,
            summary=f"Show {self._a_rule}",
            parameters=[_ID],
            responses=answers(200, self._answer),
        )

    def replace(self) -> Any:
        return self._operation(
            "update",
            self._one,
            summary=f"Replace {self._a_rule}",
            description="What is absent is cleared. Enabling a broken rule clears the reason.",
            parameters=[_ID],
            request={JSON: schemas.update(self._sent, type_=self._several)},
            responses=answers(200, self._answer, 422),
        )

    def delete(self) -> Any:
        goes = "What it set on findings goes, unless another rule matches."
        stays = "The tickets it made stay as they are."
        return self._operation(
            "delete",
            self._one,
            summary=f"Delete {self._a_rule}",
            description=goes if self.kind.acts_on_existing else stays,
            parameters=[_ID],
            responses=answers(204, None),
        )

    def reorder(self) -> Any:
        order = schemas.order(self._several)
        return self._operation(
            "reorder",
            self._several,
            summary=f"Put the {self._in_words}s in order",
            description="Names every rule once. Of two orders at once the later one stands, whole.",
            request={JSON: order},
            responses=answers(200, order, 422),
        )

    def list_defaults(self) -> Any:
        return self._operation(
            "list",
            f"default_{self._several}",
            summary=f"List the default {self._in_words}s",
            description="They are tried after all others, and are off until somebody enables them.",
            responses=answers(200, schema_of(of(Document, of(list, self._default)))),
        )

    def one_default(self, verb: str) -> Any:
        refusals = () if verb == "get" else (422,)
        return self._operation(
            verb,
            f"default_{self._one}",
            summary=f"{verb.replace('get', 'show').capitalize()} a default {self._in_words}",
            parameters=[_DEFAULT_ID],
            request=None,
            responses=answers(200, schema_of(of(Document, self._default)), *refusals),
        )

    def _operation(self, verb: str, of: str, **said: Any) -> Any:
        name = f"{verb}_security_findings_automation_{of}"
        return extend_schema(operation_id=name, **said)

    @property
    def _several(self) -> str:
        return self.kind.resource_type

    @property
    def _one(self) -> str:
        return self._several.removesuffix("s")

    @property
    def _in_words(self) -> str:
        return self._one.replace("_", " ")

    @property
    def _a_rule(self) -> str:
        return f"{'an' if self._one[0] in 'aeiou' else 'a'} {self._in_words}"

    @property
    def _sent(self) -> Any:
        return of(RuleRequest, self.kind.Action)

    @property
    def _answer(self) -> Schema:
        return schemas.one(of(RuleShown, _shown(self.kind)), type_=self._several)

    @property
    def _default(self) -> Any:
        type_ = Annotated[str, only(f"default_{self._several}")]
        return of(DefaultRule, type_, of(RuleShown, self.kind.Action))


def _shown(kind: RuleKind) -> Any:
    """The action as it is answered: with the reason if the rule is broken."""
    shown: Any = None
    for action in get_args(kind.Action) or (kind.Action,):
        name = f"{action.__name__}Shown"
        reason = [("auto_disabled_reason", _Reason, UNSET)]
        struct = defstruct(name, reason, bases=(action,), frozen=True, kw_only=True)
        shown = struct if shown is None else shown | struct
    return shown
