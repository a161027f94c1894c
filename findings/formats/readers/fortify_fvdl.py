"""The vulnerabilities of an FVDL, alone or in the FPR of which it is a part.

What a vulnerability is about stands behind all of them: the texts of its class, the numbers of its
rule, its code, and what people said of it. So the report is read twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import Element

from findings.facts import Severity
from findings.formats.normalised import Unscanned
from findings.formats.streams.records import Outline, Record
from findings.formats.streams.xml_stream import elements
from findings.formats.values.fields import clip, number, text
from findings.formats.values.markup import without_markup
from findings.formats.values.paths import file_of
from findings.formats.values.xml import listed, values_of

_FPR: Final = "FPR"
_FVDL: Final = "FVDL"
_TEXT: Final = 8_000  # characters of a text
_CODE: Final = 1_000
_SNIPPETS: Final = 20_000  # held in memory
_HIGH: Final = 2.5  # of 5: from here an impact, or a likelihood, counts
_KEY: Final = re.compile(
    r'<Replace\s[^<>]{0,200}?\bkey="([^"<>]{1,200})"[^<>]{0,200}>(?:</Replace>)?'
)
_ALTERNATIVE: Final = re.compile(r"<AltParagraph>(.{0,8000}?)</AltParagraph>", re.DOTALL)
_BLOCK: Final = re.compile(r"</?(?:Content|AltParagraph|IfDef|ConditionalText)\b[^<>]{0,200}>")
_PARAGRAPH: Final = re.compile(r"</?Paragraph>")
_UNREAD: Final = re.compile(r"\b(?:parse|parsing|translate|translating)\b", re.IGNORECASE)
_FILE: Final = re.compile(r"(?:[A-Za-z]:)?[\w./\\@+-]{1,500}\.\w{1,10}(?![\w.])")


def recognises(outline: Outline) -> bool:
    return outline.root_tag in (_FPR, _FVDL)


def issues(report: BinaryIO) -> Iterator[Record]:
    beside = _Beside.of(report)
    for found in elements(report, *_both("Vulnerabilities/Vulnerability")):
        path = tuple(found.pointer[1:].split("/"))
        yield Record(path, beside.issue(values_of(found.element)))


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """Files that could not be parsed. Most of the "errors" of a scan are remarks."""
    bases = _both("Build/SourceBasePath")
    base = next((_said(found.element) for found in elements(report, *bases)), "")
    for found in elements(report, *_both("EngineData/Errors/Error")):
        said = _said(found.element)
        if _UNREAD.search(said) and (file := _FILE.search(said)):
            yield Unscanned(target=_relative(file[0], base), reason=said)


def _relative(file: str, base: str) -> str:
    path, root = file.replace("\\", "/"), base.replace("\\", "/").rstrip("/")
    return file_of(path.removeprefix(f"{root}/")) if root else file_of(path)


def _both(path: str) -> tuple[str, str]:
    return f"{_FVDL}/{path}", f"{_FPR}/{_FVDL}/{path}"


def _said(element: Element) -> str:
    return (element.text or "").strip()


@dataclass
class _Beside:
    """What a report says beside its vulnerabilities."""

    classes: dict[str, dict[str, str]] = field(default_factory=dict)  # by the id of a class
    rules: dict[str, dict[str, str]] = field(default_factory=dict)
    audits: dict[str, Any] = field(default_factory=dict)  # by the id of an instance
    code: dict[str, str] = field(default_factory=dict)  # by the id of a snippet

    @classmethod
    def of(cls, report: BinaryIO) -> _Beside:
        beside, wanted = cls(), set()
        for found in elements(
            report,
            *_both("Vulnerabilities/Vulnerability"),
            *_both("Description"),
            *_both("Snippets/Snippet"),
            *_both("EngineData/RuleInfo/Rule"),
            f"{_FPR}/Audit/IssueList/Issue",
        ):
            value = values_of(found.element)
            if found.element.tag == "Vulnerability":
                wanted.add(text(_place(value), "snippet"))
            elif found.element.tag != "Snippet":
                beside.add(found.element.tag, value)
            elif (id_ := text(value, "id")) in wanted and len(beside.code) < _SNIPPETS:
                beside.code[id_] = text(value, "Text")[:_CODE]
        return beside

    def add(self, tag: str, value: Any) -> None:
        if tag == "Description":
            texts = ("Abstract", "Explanation", "Recommendations")
            self.classes[text(value, "classID")] = {
                name: clip(text(value, name), _TEXT) for name in texts
            }
        elif tag == "Rule":
            self.rules[text(value, "id")] = _groups(value)
        else:
            self.audits[text(value, "instanceId")] = value

    def issue(self, found: Any) -> dict[str, Any]:
        class_id = text(found, "ClassInfo", "ClassID")
        rule = self.rules.get(class_id, {}) | _groups(_dig(found, "InstanceInfo"))
        names = (text(found, "ClassInfo", name) for name in ("Type", "Subtype"))
        audit = self.audits.get(text(found, "InstanceInfo", "InstanceID"))
        place, keys = _place(found), _keys(found)
        texts = {
            name: _filled(words, keys) for name, words in self.classes.get(class_id, {}).items()
        }
        return {
            "id": text(found, "InstanceInfo", "InstanceID"),
            "Category": ": ".join(filter(None, names)),
            "kingdom": text(found, "ClassInfo", "Kingdom"),
            "severity": _severity(_dig(found, "InstanceInfo"), rule),
            "file": text(place, "path") or keys.get("PrimaryLocation.file", ""),
            "line": text(place, "line") or keys.get("PrimaryLocation.line", ""),
            "function": keys.get("PrimaryCall.name", ""),
            "code": self.code.get(text(place, "snippet"), ""),
            "abstract": texts.get("Abstract", ""),
            "explanation": texts.get("Explanation", ""),
            "recommendations": texts.get("Recommendations", ""),
            "cwe": rule.get("altcategoryCWE", ""),
            "is_suppressed": text(audit, "suppressed").lower() == "true",
            "audit": [text(each, "Value") for each in listed(audit, "Tag")],
        }


def _dig(value: Any, *steps: str) -> Any:
    for step in steps:
        value = next(iter(listed(value, step)), None)
    return value


def _groups(value: Any) -> dict[str, str]:
    """`<MetaInfo><Group name="Impact">4.0</Group>…</MetaInfo>`."""
    found = listed(value, "MetaInfo", "Group")
    return {text(each, "name"): text(each, "") for each in found}


def _place(found: Any) -> Any:
    """Where the trace ends: of the nodes on its way the one that is the default."""
    entries = listed(_dig(found, "AnalysisInfo", "Unified", "Trace"), "Primary", "Entry")
    nodes = [node for entry in entries if (node := _dig(entry, "Node"))]
    is_default = (node for node in nodes if text(node, "isDefault") == "true")
    node = next(is_default, next(iter(nodes), None))
    context = _dig(found, "AnalysisInfo", "Unified", "Context")
    return _dig(node, "SourceLocation") or _dig(context, "FunctionDeclarationSourceLocation")


def _keys(found: Any) -> dict[str, str]:
    """What the texts of its class are filled with."""
    unified = _dig(found, "AnalysisInfo", "Unified")
    defined = listed(unified, "ReplacementDefinitions", "Def")
    return {text(each, "key"): text(each, "value") for each in defined}


def _filled(words: str, keys: Mapping[str, str]) -> str:
    """With the keys filled in; a paragraph whose keys are not known has another for that."""
    paragraphs = (_paragraph(each, keys) for each in _PARAGRAPH.split(words))
    return without_markup(_BLOCK.sub("", "\n".join(paragraphs)))


def _paragraph(words: str, keys: Mapping[str, str]) -> str:
    others = _ALTERNATIVE.findall(words)
    if others and any(key not in keys for key in _KEY.findall(words)):
        return "\n".join(others)
    return _KEY.sub(lambda found: keys.get(found[1], "…"), _ALTERNATIVE.sub("", words))


def _severity(instance: Any, rule: Mapping[str, str]) -> Severity | None:
    """Fortify's priority order: by the impact, and by how likely it is that the finding is right
    and the weakness used. Without its rule an instance has a number for each."""
    confidence = number(instance, "Confidence")
    impact, accuracy = number(rule, "Impact"), number(rule, "Accuracy")
    probability = number(rule, "Probability")
    if impact is None or accuracy is None or probability is None or confidence is None:
        impact, likelihood = number(instance, "InstanceSeverity"), confidence
    else:
        likelihood = accuracy * confidence * probability / 25
    if impact is None or likelihood is None:
        return None
    if impact >= _HIGH:
        return Severity.CRITICAL if likelihood >= _HIGH else Severity.HIGH
    return Severity.MEDIUM if likelihood >= _HIGH else Severity.LOW
