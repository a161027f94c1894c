"""The style tokens keep their contrast; the static files stay small and resolve."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.core.management import call_command

STATIC = Path(__file__).parents[2] / "config" / "static"
TEXT = [
    ("fg", "bg"),
    ("fg-2", "surface"),
    ("fg-3", "bg"),
    ("fg-3", "sunken"),
    ("fg-3", "selected"),
    ("accent", "surface"),
    ("accent", "accent-soft"),
    ("on-accent", "accent-solid"),
    ("ok", "ok-soft"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("on-crit", "crit-solid"),
    ("high", "high-soft"),
    ("med", "med-soft"),
    ("low", "low-soft"),
    ("inf", "inf-soft"),
    ("volt-ink", "volt"),
    ("nav-fg", "nav-bg"),
]
GRAPHICS = [("control", "surface"), ("focus", "bg"), ("ok-solid", "surface")]


def tokens(theme: str) -> dict[str, str]:
    source = (STATIC / "css/tokens.css").read_text()
    blocks = re.findall(r"([^{}]+)\{([^{}]+)\}", source.split("{", 1)[1])
    merged: dict[str, str] = {}
    for selector, body in blocks:
        if "data-theme" not in selector or theme in selector:
            merged |= dict(re.findall(r"--([\w-]+): (#\w{6});", body))
    return merged


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_it_can_be_read(theme, front, back):
    assert contrast(tokens(theme)[front], tokens(theme)[back]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), GRAPHICS)
def test_it_can_be_seen(theme, front, back):
    assert contrast(tokens(theme)[front], tokens(theme)[back]) >= 3


def compressed(files: Iterable[Path]) -> int:
    return sum(len(gzip.compress(file.read_bytes())) for file in files)


HTMX = 16_800


def imported(script: Path) -> set[Path]:
    """The script, and every module that it imports, over any number of steps."""
    names = re.findall(r'^import .*?"\./([\w-]+\.js)";', script.read_text(), re.MULTILINE)
    return {script}.union(*(imported(script.parent / name) for name in names))


def test_the_scripts_of_a_page_stay_within_their_budget():
    """Compressed: htmx, what every page loads, and what a page adds to it."""
    every_page = {STATIC / "js/theme.js", *imported(STATIC / "js/app.js")}
    linked = re.compile(r"\{% static '((?:js|vendor)/[\w./-]+\.js)' %\}")
    for template in (STATIC.parents[1] / "templates").rglob("*.html"):
        named = linked.findall(template.read_text())
        own = every_page.union(*(imported(STATIC / name) for name in named))
        assert HTMX + compressed(own) <= 60_000, template


def test_the_icons_stay_within_their_budget():
    assert compressed([STATIC / "img/icons.svg"]) <= 8_000


def test_the_styles_of_a_page_stay_within_their_budget():
    """Compressed: what every page loads, and the sheets that a page adds to it."""
    every_page = compressed(
        file for file in STATIC.glob("css/**/*.css") if "pages" not in file.parts
    )
    linked = re.compile(r"\{% static '(css/pages/[\w-]+\.css)' %\}")
    for template in (STATIC.parents[1] / "templates").rglob("*.html"):
        own = {STATIC / name for name in linked.findall(template.read_text())}
        assert every_page + compressed(own) <= 30_000, template


def test_it_draws_only_icons_there_are():
    root = STATIC.parents[1]
    names = set(re.findall(r'symbol id="([\w-]+)"', (STATIC / "img/icons.svg").read_text()))
    for template in (root / "templates").rglob("*.html"):
        used = set(re.findall(r'\{% icon "([\w-]+)" %\}', template.read_text()))
        assert used <= names, template


def test_it_collects_with_names_that_change_with_the_content(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "config.lib.static_files.ModuleManifestStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    app = next(tmp_path.glob("js/app.????????????.js")).read_text()
    assert re.search(r'import"\./shell\.\w{12}\.js"', app)
    fonts = next(tmp_path.glob("css/fonts.????????????.css")).read_text()
    assert re.search(r"inter-5\.3\.0-latin\.\w{12}\.woff2", fonts)
    linked = next(tmp_path.glob("css/app.????????????.css"))
    small = linked.with_name(linked.name + ".gz")
    assert gzip.decompress(small.read_bytes()) == linked.read_bytes()
    assert not (tmp_path / "css/app.css.gz").exists()  # nothing links to it
    assert not list(tmp_path.glob("vendor/**/*.woff2.gz"))
