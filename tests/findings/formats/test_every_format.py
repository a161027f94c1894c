"""What holds for every format, shown by the small reports in `samples`.

A sample is named `<what>.<format>.<ending>`, or `<what>.<format>`. A new format joins by
putting one there; at least one of its findings, and one record that does not go in, belong in it.
"""

from __future__ import annotations

import json
import random
from io import BytesIO
from pathlib import Path

import pytest

from findings.formats import registry
from findings.formats.normalised import Normalised, Rejected
from findings.formats.registry import FORMATS, by_name, recognise
from tests.findings.formats.conftest import JSON_SAMPLES, LATEST, SAMPLES, claimed_by, outcomes

FOLDER = Path(registry.__file__).parent
PATHS = sorted(SAMPLES.iterdir())
every_sample = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)


def _format_of(path):
    return path.name.split(".")[1]


def test_it_has_a_sample_of_every_format():
    assert {_format_of(path) for path in PATHS} == {each.NAME for each in FORMATS}


@pytest.mark.parametrize("format_", FORMATS, ids=lambda each: each.NAME)
def test_it_is_documented(format_):
    page = f"docs/{format_.__name__.rpartition('.')[2]}.md"
    text = (FOLDER / page).read_text()
    assert f"({page})" in (FOLDER / "README.md").read_text()
    assert all(word in text for word in ("Read: ", "\n|", "dentity", "Kept out: "))


@every_sample
def test_it_is_claimed_by_one_format_alone(path):
    assert claimed_by(path.read_bytes()) == [_format_of(path)]
    assert _format_of(path) == recognise(BytesIO(path.read_bytes())).NAME


@every_sample
def test_it_yields_findings_and_rejected_records_alone(path):
    found = outcomes(path.read_bytes())
    assert any(isinstance(each, Normalised) for each in found)
    assert all(isinstance(each, Normalised | Rejected) for each in found)


@every_sample
def test_it_gives_every_finding_its_own_fingerprint(path, read):
    findings = read(path.read_bytes())
    assert len({each.fingerprint for each in findings}) == len(findings)


@every_sample
def test_it_reads_the_same_twice(path, read):
    assert read(path.read_bytes()) == read(path.read_bytes())


@every_sample
def test_it_names_the_scanner(path, read):
    report = path.read_bytes()
    if _format_of(path) not in ("json", "generic"):  # what these say is up to their senders
        assert recognise(BytesIO(report)).scanner(BytesIO(report))
        for finding in read(report):
            assert any(tag.startswith("scanner:") for tag in finding.tags)
            assert finding.attributes["scanner"]["name"]


@every_sample
def test_it_points_at_the_record_that_does_not_go_in(path):
    for each in outcomes(path.read_bytes()):
        if isinstance(each, Rejected):
            assert each.pointer.startswith("/")
            assert each.title
            assert each.detail.endswith(".")


@every_sample
def test_it_takes_none_first_seen_after_the_latest_moment(path, read):
    assert all((each.first_seen_at or LATEST) <= LATEST for each in read(path.read_bytes()))


@pytest.mark.parametrize("junk", [None, 7, "x" * 100_000, [], [[]], {}, {"": None}, True])
@pytest.mark.parametrize("path", JSON_SAMPLES, ids=lambda path: path.name)
def test_it_reads_on_where_any_record_is_junk(path, junk):
    report = json.loads(path.read_bytes())
    for one in list(_lists_of_objects(report)):
        one[random.Random(7).randrange(len(one))] = junk
    reader = by_name(_format_of(path))
    found = list(reader.read(BytesIO(json.dumps(report).encode()), latest=LATEST))
    assert all(isinstance(each, Normalised | Rejected) for each in found)


def _lists_of_objects(value):
    """Each list of objects, outermost first."""
    if isinstance(value, list):
        if value and all(isinstance(item, dict) for item in value):
            yield value
        for item in value:
            yield from _lists_of_objects(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _lists_of_objects(item)
