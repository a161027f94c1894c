"""The pictures of the README: the sample content as it is shown now, in both themes.

    make run                                              # with an empty .data/
    .venv/bin/python -m tests.screenshots --password …    # once you have changed the first one

They are written to .github/; `pngquant --ext .png --force` makes them a third as large.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from playwright.sync_api import Page, sync_playwright

PICTURES: Final = Path(__file__).resolve().parent.parent / ".github"
RULES: Final = "/settings/findings-automation"
TICKETED: Final = "/findings?q=%40ticket.created_by%3Aautomated&sort=-severity"


class Picture(NamedTuple):
    name: str
    size: tuple[int, int]
    show: Callable[[Page], None]


def _rules(page: Page) -> None:
    page.goto(RULES)
    heading = page.get_by_role("heading", name="Create Ticket")
    heading.evaluate("element => scrollTo(0, element.getBoundingClientRect().top - 24)")


def _editor(page: Page) -> None:
    page.goto(RULES)
    page.get_by_role("link", name="Vulnerable packages", exact=True).first.click()
    page.locator("#preview svg").first.wait_for()


def _bolt(page: Page) -> None:
    page.goto(TICKETED)
    page.locator("a.tk").nth(2).hover()
    page.locator("[role=dialog]:popover-open").first.wait_for()


def _why(page: Page) -> None:
    page.goto(TICKETED)
    address = page.locator("a[data-opens-finding]").first.get_attribute("href")
    page.goto(f"{address}?tab=why")
    page.get_by_text("How the pipeline handled this finding").wait_for()


SHOWN: Final = (
    Picture("rules", (1440, 640), _rules),
    Picture("editor", (1200, 700), _editor),
    Picture("bolt", (1200, 700), _bolt),
    Picture("why", (1200, 700), _why),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pictures of the README.")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--email", default="admin@example.com")
    parser.add_argument("--password", required=True)
    parser.add_argument("--into", default=PICTURES, type=Path)
    options = parser.parse_args()
    browser_path = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    with sync_playwright() as playwright:
        start = playwright.chromium.launch
        browser = start(executable_path=browser_path, args=["--no-sandbox"])
        for theme in ("light", "dark"):
            context = browser.new_context(base_url=options.url, reduced_motion="reduce")
            context.add_cookies([{"name": "theme", "value": theme, "url": options.url}])
            page = context.new_page()
            _sign_in(page, options.email, options.password)
            for picture in SHOWN:
                _take(page, picture, options.into / f"{picture.name}-{theme}.png")
        browser.close()


def _sign_in(page: Page, email: str, password: str) -> None:
    page.goto("/login")
    page.locator("[name=username]").fill(email)
    page.locator("[name=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login" not in address)


def _take(page: Page, picture: Picture, path: Path) -> None:
    width, height = picture.size
    page.set_viewport_size({"width": width, "height": height})
    picture.show(page)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
