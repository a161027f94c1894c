"""YAML → plain values, each with its line. Nothing in it is ever run or guessed at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import yaml

MAX_CHARACTERS = 5_000_000
MAX_NODES = 200_000  # aliases within aliases unfold without end
MAX_DEPTH = 50
Path = tuple[str | int, ...]


class Fault(NamedTuple):
    line: int  # from 1
    sentence: str


class RuleFileError(ValueError):
    """What is wrong with the file, in the order of its lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(f"line {line}: {said}" for line, said in self.faults))


class Document(NamedTuple):
    value: Any
    lines: dict[Path, int]  # of each value, by its place: ("rules", 0, "name")

    def line_of(self, *path: str | int) -> int:
        """The line of the value, or of what it would be in."""
        place = path
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_document(text: str) -> Document:
    """Raises RuleFileError: no YAML, a name twice in one mapping, a value that JSON lacks."""
    if len(text) > MAX_CHARACTERS:
        raise RuleFileError([Fault(1, f"The file may have {MAX_CHARACTERS:,} characters.")])
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        reader = _Reader()
        value = None if node is None else reader.value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        sentence = f"{error.problem or error.context}."
        raise RuleFileError([Fault(mark.line + 1 if mark else 1, sentence)]) from None
    except yaml.YAMLError as error:
        raise RuleFileError([Fault(1, f"{error}.")]) from None
    except RecursionError:
        raise RuleFileError([Fault(1, f"At most {MAX_DEPTH} levels may nest.")]) from None
    return Document(value, reader.lines)


class _Reader(yaml.constructor.SafeConstructor):
    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Path, int] = {}
        self._flat: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines[path] = line
        if len(self.lines) > MAX_NODES:
            raise RuleFileError([Fault(line, f"The file holds more than {MAX_NODES:,} values.")])
        if len(path) > MAX_DEPTH:
            raise RuleFileError([Fault(line, f"At most {MAX_DEPTH} levels may nest.")])
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*path, n)) for n, each in enumerate(node.value)]
        return self._scalar(node, line)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        if id(node) not in self._flat:  # an alias leads here again
            self._flat.add(id(node))
            _check_names(node)
            self.flatten_mapping(node)
        return {
            str(key.value): self.value(inner, (*path, str(key.value))) for key, inner in node.value
        }

    def _scalar(self, node: yaml.Node, line: int) -> Any:
        try:
            value = self.construct_object(node)
        except (ValueError, OverflowError):
            raise RuleFileError([Fault(line, "This is not a value: put it in quotes.")]) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise RuleFileError([Fault(line, "A number is finite.")])
        if value is not None and not isinstance(value, str | int | float):
            raise RuleFileError([Fault(line, f"Put “{node.value}” in quotes to make it a text.")])
        if isinstance(value, str) and "\0" in value:
            raise RuleFileError([Fault(line, "A text may not hold NUL.")])
        return value


def _check_names(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise RuleFileError([Fault(line, "A name is a text.")])
        if key.value in seen:
            raise RuleFileError([Fault(line, f"`{key.value}` is there twice.")])
        seen.add(key.value)
