"""The REST API of the site, one module per area."""

from __future__ import annotations

from ticketing.trackers.jira.sandbox.rest import about, issues, projects, search

ROUTES = (*about.ROUTES, *projects.ROUTES, *search.ROUTES, *issues.ROUTES)

__all__ = ["ROUTES"]
