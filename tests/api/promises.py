"""What the public API promises, operation by operation, and whether our document keeps it.

`promises.yaml` beside this file is an extract of the public schema: the part that a client
relies on. After adding an operation under /api/v2/, write it anew from the schema:

    OPENAPI_REFERENCE=datadog_schema.yaml python -m tests.api.promises
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

EXTRACT = Path(__file__).with_suffix(".yaml")
METHODS = ("get", "post", "put", "patch", "delete")
MAX_DEPTH = 12
Schema = dict[str, Any]
Node = dict[str, Any]
_LIMITS = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")


def our_document() -> Schema:
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(request=None, public=True)


def reference() -> Schema | None:
    path = os.environ.get("OPENAPI_REFERENCE")
    return yaml.load(Path(path).read_text(), yaml.CSafeLoader) if path else None


def operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    """("GET /api/v2/cases/{}", the operation): what a parameter is called is nobody's concern."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if path.startswith("/api/v2/") and method in methods:
                yield f"{method.upper()} {re.sub(r'{[^}]+}', '{}', path)}", methods[method]


def promise(operation: Schema, document: Schema) -> Schema:
    """The promise that an operation of a document makes."""
    responses = operation["responses"]
    success = next(status for status in sorted(responses) if status.startswith("2"))
    query = {
        parameter["name"]: _leaf(parameter.get("schema", {}))
        for parameter in map(_resolver(document), operation.get("parameters", ()))
        if parameter["in"] == "query"
    }
    made = {
        "success": int(success),
        "refusals": sorted(int(status) for status in responses if status[0] in "45"),
        "query": query,
        "request": _flat(operation.get("requestBody", {}), document),
        "response": _flat(responses[success], document),
    }
    return {name: part for name, part in made.items() if part}


def broken(promised: Schema, ours: Schema) -> list[str]:
    """How our promise falls short of the one that clients know; nothing if it does not."""
    faults = []
    if promised["success"] != ours["success"]:
        faults.append(f"answers {ours['success']}, not {promised['success']}")
    if missing := set(promised.get("refusals", ())) - set(ours.get("refusals", ())):
        faults.append(f"does not document {sorted(missing)}")
    for name, theirs in promised.get("query", {}).items():
        faults += _accepts_less(f"?{name}", theirs, ours.get("query", {}).get(name))
    faults += _request_faults(promised.get("request", {}), ours.get("request", {}))
    faults += _response_faults(promised.get("response", {}), ours.get("response", {}))
    return faults


def _request_faults(theirs: dict[str, Node], ours: dict[str, Node]) -> Iterator[str]:
    for path, node in theirs.items():
        if not _is_inside_anything(path, ours):
            yield from _accepts_less(f"request {path}", node, ours.get(path))
    for path, node in ours.items():
        if node.get("required") and not theirs.get(path, {}).get("required"):
            yield f"request {path} is required here alone"


def _accepts_less(what: str, theirs: Node, ours: Node | None) -> Iterator[str]:
    if ours is None:
        yield f"{what} is not known"
        return
    if not _same_type(theirs, ours):
        yield f"{what} is {ours.get('type')}, not {theirs.get('type')}"
    if "enum" in ours and (refused := set(theirs.get("enum", ())) - set(ours["enum"])):
        yield f"{what} refuses {sorted(refused)}"
    for limit in _LIMITS:
        if limit in ours and limit not in theirs:
            continue  # the public schema says nothing of it
        if limit in ours and _is_tighter(limit, ours[limit], theirs[limit]):
            yield f"{what} has {limit} {ours[limit]}, not {theirs[limit]}"


def _response_faults(theirs: dict[str, Node], ours: dict[str, Node]) -> Iterator[str]:
    for path, node in theirs.items():
        mine = ours.get(path)
        if mine is None:
            if node.get("required") and _parent(path) in ours:
                yield f"response {path} is missing"
            continue
        if node.get("required") and not mine.get("required"):
            yield f"response {path} is not always there"
        if not _same_type(node, mine):
            yield f"response {path} is {mine.get('type')}, not {node.get('type')}"
        if "enum" in node and (odd := set(mine.get("enum", ["any text"])) - set(node["enum"])):
            yield f"response {path} may be {sorted(odd)}"


def _is_tighter(limit: str, ours: float, theirs: float) -> bool:
    return ours > theirs if limit.startswith("min") else ours < theirs


def _same_type(theirs: Node, ours: Node) -> bool:
    kinds = {theirs.get("type", "any"), ours.get("type", "any")}
    return "any" in kinds or len(kinds) == 1


def _parent(path: str) -> str:
    return path.rpartition(".")[0].removesuffix("[]")


def _is_inside_anything(path: str, ours: dict[str, Node]) -> bool:
    """An ancestor takes any members: what is in it needs no naming."""
    while path := _parent(path):
        if ours.get(path, {}).get("free"):
            return True
    return False


# --- A schema, flat ----------------------------------------------------------------------


def _flat(body: Schema, document: Schema) -> dict[str, Node]:
    content = _resolver(document)(body).get("content")
    if not content:
        return {}
    schema = next(iter(content.values())).get("schema", {})
    return dict(_nodes(schema, "", _resolver(document), 0))


def _nodes(schema: Schema, path: str, resolve: Any, depth: int) -> Iterator[tuple[str, Node]]:
    schema = resolve(schema)
    if depth > MAX_DEPTH:
        return
    if "items" in schema:
        item = resolve(schema["items"])
        yield f"{path}[]", _leaf(item)
        yield from _nodes(item, f"{path}[]", resolve, depth + 1)
    for name, member in schema.get("properties", {}).items():
        inner = resolve(member)
        here = f"{path}.{name}" if path else name
        is_required = {"required": True} if name in schema.get("required", ()) else {}
        yield here, _leaf(inner) | is_required
        yield from _nodes(inner, here, resolve, depth + 1)


def _leaf(schema: Schema) -> Node:
    if any(word in schema for word in ("oneOf", "anyOf", "allOf")):
        return {"type": "any"}
    node = {"type": schema.get("type", "any")}
    if node["type"] == "object" and not schema.get("properties"):
        node["free"] = True
    if "enum" in schema:
        node["enum"] = sorted(value for value in schema["enum"] if value is not None)
    return node | {limit: schema[limit] for limit in _LIMITS if limit in schema}


def _resolver(document: Schema) -> Any:
    def resolve(schema: Schema) -> Schema:
        while "$ref" in schema:
            target: Any = document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            schema = target
        return schema

    return resolve


def write_extract() -> None:
    """Every operation that we serve and the public schema has."""
    theirs = reference()
    if theirs is None:
        raise SystemExit("Set OPENAPI_REFERENCE to the public schema.")
    served = {name for name, _ in operations(our_document())}
    promised = {
        name: promise(operation, theirs) for name, operation in operations(theirs) if name in served
    }
    kept = yaml.safe_load(EXTRACT.read_text())["deviations"] if EXTRACT.exists() else {}
    said = {"deviations": kept, "operations": _shared(dict(sorted(promised.items())))}
    head = "# Made by `python -m tests.api.promises`; only `deviations` is written by hand.\n"
    EXTRACT.write_text(
        head + yaml.safe_dump(said, sort_keys=False, width=200, default_flow_style=None)
    )


def _shared(promised: dict[str, Schema]) -> dict[str, Schema]:
    """The same document, where bodies that are alike are written once."""
    seen: dict[str, Schema] = {}
    return {
        name: {
            part: seen.setdefault(yaml.safe_dump(said), said) if isinstance(said, dict) else said
            for part, said in made.items()
        }
        for name, made in promised.items()
    }


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    django.setup()
    write_extract()
