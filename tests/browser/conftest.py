"""A real Chromium. Whatever a test does, an error on the console or a breach of the content
security policy fails it.

Not part of the default run: `pytest -o addopts= tests/browser`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from weakref import WeakSet

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles.handlers import StaticFilesHandlerMixin
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    expect,
    sync_playwright,
)

from config.accounts.models import User

# Playwright's synchronous API runs an event loop in this thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The first draws nothing for a window that nobody sees, and takes a third of the time.
CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")
BOTH = "both"
"""Of a page that is looked at by axe in both themes, which are nothing but colours."""
COLOUR_RULES = ("color-contrast", "link-in-text-block")
expect.set_options(timeout=15_000)  # several browsers may share two cores
PARTS_OF_A_PAGE = ("stylesheet", "script", "font", "image")
# An answer that is no success is for the test to judge; missing parts of a page are noted.
SAID_OF_REFUSALS = (
    "Failed to load resource",
    "Response Status Error Code",
    "htmx:sendError",
    "htmx:sendAbort",
    "htmx:afterRequest",
)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, as in life: in memory, a page that reads stops another that writes."""
    if connection.vendor == "sqlite":
        file = tmp_path_factory.mktemp("database") / "browser.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(file)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    installed = (path for name in CHROMIUMS if (path := shutil.which(name)))
    path = os.environ.get("CHROMIUM") or next(installed, None)
    if not path:
        pytest.skip("NO BROWSER TESTS RAN: no Chromium on PATH and none named by CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _kept_parts() -> Iterator[None]:
    """Styles, scripts and fonts are asked for once, not with every page: as in life."""
    serve = StaticFilesHandlerMixin.serve

    def kept(self: StaticFilesHandlerMixin, request: HttpRequest) -> HttpResponseBase:
        answer = serve(self, request)
        answer["Cache-Control"] = "max-age=3600"
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandlerMixin, "serve", kept)
        yield


@pytest.fixture(scope="session")
def contexts(chromium: Browser) -> dict[tuple[int, bool], list[BrowserContext]]:
    """Browsers that no test uses, by their width and whether they run scripts. They know nobody,
    but have the parts of our pages at hand."""
    return {}


@pytest.fixture
def page_as(chromium: Browser, contexts, live_server, _kept_parts) -> Iterator[Callable[..., Page]]:
    """`page_as(editor, theme="dark", width=420)`: a window in which that person has signed in.

    `None` is nobody. Its addresses are relative: `page.goto("/findings")`. `scripts=False`
    is a browser without JavaScript. `theme=BOTH` is light, and in each look of axe dark as well.
    With `clock=True` the browser's clock is `page.clock`, which no other test gets.
    """
    wrong: list[str] = []
    used = []

    def open_page(
        user: User | None,
        *,
        theme: str = "light",
        width: int = 1440,
        scripts: bool = True,
        clock: bool = False,
    ) -> Page:
        free = [] if clock else contexts.setdefault((width, scripts), [])
        context = (
            free.pop()
            if free
            else chromium.new_context(
                base_url=live_server.url,
                viewport={"width": width, "height": 900},
                reduced_motion="reduce",
                java_script_enabled=scripts,
            )
        )
        used.append((context, free))
        if clock:
            context.clock.install()
        shown = "light" if theme == BOTH else theme
        cookies = {"theme": shown} | (_session(user) if user else {})
        context.add_cookies(
            [{"name": n, "value": v, "url": live_server.url} for n, v in cookies.items()]
        )
        page = context.new_page()
        if theme == BOTH:
            IN_BOTH_THEMES.add(page)
        page.on("console", lambda message: _note(wrong, message))
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        page.on("response", lambda response: _note_missing(wrong, response))
        return page

    yield open_page
    for context, free in used:
        for page in context.pages:
            page.close()
        context.clear_cookies()
        context.clear_permissions()
        free.append(context)
    assert wrong == []


def _session(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return {"sessionid": client.cookies["sessionid"].value}


def _note(wrong: list[str], message: ConsoleMessage) -> None:
    if message.type == "error" and not message.text.startswith(SAID_OF_REFUSALS):
        wrong.append(f"{message.location['url']}: {message.text}")


def _note_missing(wrong: list[str], response: Response) -> None:
    if response.status >= 400 and response.request.resource_type in PARTS_OF_A_PAGE:
        wrong.append(f"{response.status} {response.url}")


IDS = re.compile(r"[0-9a-f-]{36}|(?<=/)Z[\w-]+|(?<=/)[A-Z]+-?\d*(?=/|$)")
IN_BOTH_THEMES: WeakSet[Page] = WeakSet()
SEEN: Counter[tuple[str, str, int]] = Counter()
"""How often each page was looked at, in which theme and width: a state of it each time."""


def settle(page: Page) -> None:
    """Wait for the page, for the parts it asks for once it is there, and for its comboboxes:
    before, a field is the form's own control, which they hide."""
    page.wait_for_load_state()
    expect(page.locator(".htmx-request")).to_have_count(0)
    listed = "main :is(input[list]:not([data-chip]), select[data-search]):not([data-ready])"
    expect(page.locator(listed)).to_have_count(0)


LAYOUT_SHIFT = """() => new Promise((done) => {
  let moved = 0;
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) if (!shift.hadRecentInput) moved += shift.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(moved), 150);
})"""


def layout_shift(page: Page) -> float:
    """How far things moved since the page began to load, as web.dev's CLS counts it."""
    return page.evaluate(LAYOUT_SHIFT)


ANSWERS = """() => [
  performance.getEntriesByType("resource").length,
  document.querySelectorAll(".htmx-request").length,
]"""


def assert_accessible(page: Page) -> None:
    """No violation of WCAG 2.2 A and AA, or of axe's best practices."""
    settle(page)  # a click that leads on may have left no document yet
    theme = page.evaluate("document.documentElement.dataset.theme")
    _count(page, theme)
    assert violations(page) == []
    if page in IN_BOTH_THEMES:
        _count(page, "dark")
        page.evaluate(SET_THEME, "dark")
        assert violations(page, *COLOUR_RULES) == []
        page.evaluate(SET_THEME, theme)


SET_THEME = "theme => { document.documentElement.dataset.theme = theme; }"


def _count(page: Page, theme: str) -> None:
    SEEN[IDS.sub("…", urlsplit(page.url).path), theme, page.viewport_size["width"]] += 1


def violations(page: Page, *only: str) -> list[str]:
    """What axe finds on the page while nothing is asked for: what waits for an answer is dimmed,
    so a look during which a field asked for one, or got it, is taken again.

    Without `preload`: it would inline our style sheets into the page, which its policy forbids.
    To describe all that is right as well takes axe three times as long.
    """
    options = {"preload": False, "resultTypes": ["violations"]}
    if only:
        options["runOnly"] = list(only)
    found: list[str] = []
    for _ in range(5):
        settle(page)
        before = page.evaluate(ANSWERS)
        rules = Axe().run(page, options=options).response["violations"]
        found = [
            f"{rule['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:300]}"
            for rule in rules
            for node in rule["nodes"]
        ]
        if not found or page.evaluate(ANSWERS) == before:
            break
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # one of several processes: for the first to add up
        session.config.workeroutput["seen"] = list(SEEN.items())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error: object) -> None:
    for key, times in getattr(node, "workeroutput", {}).get("seen", ()):
        SEEN[tuple(key)] += times


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if SEEN:
        pages, states = len({path for path, *_ in SEEN}), SEEN.total()
        terminalreporter.write_line(
            f"axe: {pages} pages; {len(SEEN)} with themes and widths; {states} with their states"
        )


def assert_no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
