"""The page of the API in a browser: it reads the document, and has the theme of the others."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.django_db(transaction=True)
DARK, LIGHT = "rgb(28, 32, 34)", "rgb(255, 255, 255)"  # Swagger UI's own dark, our surface


@pytest.mark.parametrize(("theme", "colour"), [("dark", DARK), ("light", LIGHT)])
def test_it_shows_the_api_in_the_theme_of_the_other_pages(page_as, viewer, theme, colour):
    page = page_as(viewer, theme=theme)
    page.goto("/overview")
    page.locator("[popovertarget=user-menu] >> visible=true").click()
    page.get_by_role("menuitem", name="API").click()

    expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()
    expect(page.locator(".opblock").first).to_be_visible()
    seen = page.locator(".swagger-ui").evaluate(
        """at => { while (at && getComputedStyle(at).backgroundColor === "rgba(0, 0, 0, 0)")
                at = at.parentElement; return getComputedStyle(at).backgroundColor; }"""
    )
    assert seen == colour
