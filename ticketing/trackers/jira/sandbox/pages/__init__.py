"""The site for people, small and plain: see what the product wrote, and act as a colleague."""

from __future__ import annotations

from ticketing.trackers.jira.sandbox.pages.router import answer

__all__ = ["answer"]
