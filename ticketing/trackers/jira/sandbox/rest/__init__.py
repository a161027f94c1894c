"""The REST API of the site, one module per area."""

from __future__ import annotations

from ticketing.trackers.jira.sandbox.rest import (
    about,
    comments,
    hooks,
    issues,
    links,
    projects,
    search,
    steps,
)

ROUTES = (
    *issues.ROUTES,
    *search.ROUTES,
    *comments.ROUTES,
    *steps.ROUTES,
    *links.ROUTES,
    *projects.ROUTES,
    *about.ROUTES,
    *hooks.ROUTES,
)

__all__ = ["ROUTES"]
