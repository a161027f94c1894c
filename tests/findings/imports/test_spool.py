"""Files as they arrive: packed or not, and never more of them than is allowed."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from contextlib import suppress

import pytest

from findings.formats.streams.records import RefusedReport
from findings.imports.spool import ReportTooLarge, spooled

REPORT = b'{"findings": []}' * 100


def zipped(
    *files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return target.getvalue()


def read(content: bytes, *, step: int = 1_000, limit: int = 10**8) -> bytes:
    chunks = [content[start : start + step] for start in range(0, len(content), step)]
    with spooled(chunks, limit=limit) as file:
        return file.read()


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_it_unpacks_the_report_inside_a_zip_archive(step, method):
    assert read(zipped(("out/report.json", REPORT), method=method), step=step) == REPORT


def test_it_looks_past_what_file_managers_add():
    packed = zipped(
        ("__MACOSX/._r.json", b"x"), ("d/", b""), ("d/.DS_Store", b"x"), ("d/r", REPORT)
    )
    assert read(packed) == REPORT


RESULTS = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n<FVDL/>'
SOURCES = [(f"src-archive/{n:050}", b"class A {}") for n in range(2_000)]


def test_it_takes_the_results_and_the_audit_of_an_fpr():
    audit = ("audit.xml", b'<?xml version="1.0"?><Audit/>')
    packed = zipped(("VERSION", b"1"), ("audit.fvdl", RESULTS), *SOURCES, audit)
    assert read(packed) == b"<FPR>\n<FVDL/><Audit/></FPR>"
    assert read(zipped(("audit.fvdl", RESULTS))) == b"<FPR>\n<FVDL/></FPR>"


def test_it_unpacks_no_more_of_an_fpr_than_is_allowed():
    with pytest.raises(ReportTooLarge):
        read(zipped(("audit.fvdl", b" " * 30_000_000), ("audit.xml", b" " * 30_000_000)))


def encrypted() -> bytes:
    packed = bytearray(zipped(("r.json", REPORT)))
    packed[packed.rindex(b"PK\x01\x02") + 8] |= 1
    packed[6] |= 1
    return bytes(packed)


def linked() -> bytes:
    info = zipfile.ZipInfo("r.json")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped((info, b"/etc/passwd"))


def many() -> bytes:
    return zipped(*((f"{n:050}", b"") for n in range(2_000)))


def lying() -> bytes:
    """Says that it is small and unpacks to more."""
    packed = bytearray(zipped(("r.json", b"x" * 5_000)))
    for at in (packed.rindex(b"PK\x01\x02") + 24, 22):
        packed[at : at + 4] = struct.pack("<I", 10)
    return bytes(packed)


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (zipped(), "holds 0 files"),
        (zipped(("a.json", REPORT), ("b.json", REPORT)), "holds 2 files; send one report"),
        (many(), "too many files"),
        (zipped(*((f"audit.fvdl{n:050}", b"") for n in range(50_000))), "too many files"),
        (encrypted(), "is encrypted"),
        (zipped(("audit.fvdl", zipped())), "holds another archive"),
        (zipped(("audit.fvdl", b"<F/>"), method=zipfile.ZIP_LZMA), "not read; use deflate"),
        (zipped(("../r.json", REPORT)), "a path that leads out of it"),
        (zipped(("/etc/r.json", REPORT)), "a path that leads out of it"),
        (zipped(("C:/r.json", REPORT)), "a path that leads out of it"),
        (zipped(("..\\r.json", REPORT)), "a path that leads out of it"),
        (linked(), "a path that leads out of it"),
        (zipped(("r.zip", zipped(("r.json", REPORT)))), "holds another archive"),
        (zipped(("r.gz", b"\x1f\x8b\x08")), "holds another archive"),
        (zipped(("r.json", REPORT))[:-30], "ends in the middle: it was cut off"),
        (b"PK\x03\x04", "ends in the middle: it was cut off"),
        (zipped(("r.json", REPORT))[50:], "cut off|cannot be unpacked|neither"),
        (zipped(("r.json", REPORT), method=zipfile.ZIP_LZMA), "not read; use deflate"),
        (zipped(("r.json", REPORT), method=zipfile.ZIP_BZIP2), "not read; use deflate"),
        (lying(), "cannot be unpacked"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # an archive holds the time
)
def test_it_refuses_any_other_archive(packed, reason):
    if not packed.startswith(b"PK"):
        packed = b"PK" + packed
    with pytest.raises(RefusedReport, match=reason):
        read(packed)


def test_it_refuses_a_zip_bomb_before_it_has_unpacked():
    bomb = zipped(("r.json", b" " * 50_000_000))
    with pytest.raises(ReportTooLarge):
        read(bomb)


def test_it_refuses_what_unpacks_to_more_than_the_limit():
    with pytest.raises(ReportTooLarge, match="larger than 100 bytes"):
        read(zipped(("r.json", REPORT)), limit=100)


@pytest.mark.parametrize("at", range(0, 300, 3))
def test_it_survives_any_broken_byte(at):
    packed = bytearray(zipped(("r.json", REPORT)))
    packed[at % len(packed)] ^= 0xFF
    with suppress(RefusedReport):
        assert len(read(bytes(packed))) <= 2 * len(REPORT)
