"""Text can be read: WCAG 2 contrast of the colour tokens, in both themes."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT

TOKENS = ROOT / "config" / "static" / "css" / "tokens.css"
TEXT, PARTS = 4.5, 3.0  # WCAG 1.4.3 for text, 1.4.11 for parts of controls
TONES = ("ok", "warn", "bad", "crit", "high", "med", "low", "inf")
TEXT_PAIRS = [
    *((fg, bg) for fg in ("fg", "fg-2", "fg-3", "accent") for bg in ("bg", "surface", "surface-2")),
    *((fg, bg) for fg in ("fg", "fg-2") for bg in ("sunken", "overlay", "hover", "selected")),
    *((tone, f"{tone}-soft") for tone in TONES),
    *((tone, "surface") for tone in TONES),
    *(("on-accent", bg) for bg in ("accent-solid", "accent-solid-hover")),
    *((fg, "nav-bg") for fg in ("nav-fg", "nav-fg-2", "nav-strong")),
    *((fg, "nav-active") for fg in ("nav-fg", "nav-strong")),
    ("on-crit", "crit-solid"),
    ("accent", "accent-soft"),
    ("tip-fg", "tip-bg"),
    ("fg", "code-bg"),
    ("volt-ink", "volt"),
]
PART_PAIRS = [
    *((part, bg) for part in ("control", "focus") for bg in ("bg", "surface")),
    *((f"viz-{n}", "surface") for n in (1, 2, 3)),
    ("volt", "nav-bg"),
]


def tokens(theme: str) -> dict[str, str]:
    """The colour tokens as they stand in that theme."""
    found: dict[str, str] = {}
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", TOKENS.read_text()):
        if ":root" in selector or f'data-theme="{theme}"' in selector:
            found |= dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})\b", body))
    return found


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_it_measures_as_the_standard_does():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT_PAIRS, TEXT), (PART_PAIRS, PARTS)])
def test_it_keeps_colours_apart(theme, pairs, least):
    colours = tokens(theme)
    too_close = {
        f"{one} on {other}": round(contrast(colours[one], colours[other]), 2)
        for one, other in pairs
        if contrast(colours[one], colours[other]) < least
    }
    assert too_close == {}
