"""Text is cut as Jira counts it, in units of UTF-16."""

from hypothesis import given
from hypothesis import strategies as st

from ticketing.trackers.jira import lengths

TEXT = st.text(st.sampled_from("a 😀é\t\n\u2028-\x00\ud83d") | st.characters(), max_size=300)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2  # raises for half a character


@given(TEXT, st.integers(2, 400))
def test_a_line_is_the_longest_beginning_that_fits(text, limit):
    whole = lengths.one_line(text, 10_000)
    cut = lengths.one_line(text, limit)
    assert units(cut) == lengths.length(cut) <= limit
    assert "\n" not in cut
    if units(whole) <= limit:
        assert cut == whole
    else:
        beginning = cut.removesuffix("…")
        assert whole.startswith(beginning)
        rest = whole[len(beginning) :]
        assert units(beginning + (rest[:1] if not rest[0].isspace() else "xx")) + 1 > limit - 1


@given(TEXT)
def test_a_label_fits_and_holds_no_space(text):
    label = lengths.label(text)
    assert units(label) <= lengths.MAX_LABEL
    assert not any(character.isspace() for character in label)


@given(TEXT)
def test_every_issue_has_a_summary_that_jira_takes(text):
    summary = lengths.summary(text)
    assert 0 < units(summary) <= lengths.MAX_LINE
    assert lengths.summary(summary) == summary
