from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.lib.keyset import BadKeyset, Identifier, Keyset, Moment, Whole

KEYSET = Keyset(Whole(most=9), Moment(), Identifier())
TIMES = st.datetimes(datetime(1000, 1, 2), datetime(8999, 1, 1), timezones=st.just(UTC))
ID = "11111111-1111-1111-1111-111111111111"


@given(st.tuples(st.integers(0, 9), TIMES, st.uuids()))
def test_it_reads_what_it_wrote(values):
    assert KEYSET.read(KEYSET.write(*values)) == values


@given(st.text() | st.binary().map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_it_breaks_at_nothing(text):
    with pytest.raises(BadKeyset):
        KEYSET.read(text)


@pytest.mark.parametrize(
    "parts",
    [
        *("1e400", "Infinity", "NaN", "10", "-1", "", "9" * 5_000, "٣"),
        *(f"1.{moment}" for moment in ("1e400", "9" * 20, "-62135596800000000", "x", "")),
        *("1.0.not-a-uuid", f"1.0.{UUID(ID).hex}.0", "1.0"),
    ],
)
def test_it_refuses_what_no_column_holds(parts):
    missing = 2 - parts.count(".")
    written = ".".join([parts, "0", UUID(ID).hex][: missing + 1]) if missing > 0 else parts
    with pytest.raises(BadKeyset):
        KEYSET.read(urlsafe_b64encode(written.encode()).decode())
