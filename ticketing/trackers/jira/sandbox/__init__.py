"""A Jira to develop and test against: real HTTP, one site in memory, faults on demand.

It answers as `Cloud` or as `Data Center` does, as far as this product calls them. It knows nothing
of the product, needs the standard library alone, and is never loaded in production.
"""

from __future__ import annotations

from ticketing.trackers.jira.sandbox.sandbox import SandboxJira

__all__ = ["SandboxJira"]
