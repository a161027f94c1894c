"""What makes a finding the same one, and unchanged."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b

from findings.formats.normalised import Normalised
from findings.formats.values.identity import RECIPE_VERSION

MAX_READABLE_RESOURCE = 200  # bytes: a longer resource id would overflow the column as base64


def public_id(source_name: str, finding: Normalised) -> str:
    """Url-safe base64 of `<hash of source and fingerprint>~<resource id>`, always the same.

    The public shape of finding ids; a long resource id is replaced by its own hash. An adopted
    finding keeps its id, which a new one of its former fingerprint must not get: so the recipe is
    in the ids of those whose recipe has changed.
    """
    recipe = f"\0{RECIPE_VERSION}" if finding.former_fingerprints else ""
    identity = f"{source_name}\0{finding.fingerprint}{recipe}".encode()
    problem = blake2b(identity, digest_size=10).hexdigest()
    resource = finding.resource_id.encode()
    if len(resource) > MAX_READABLE_RESOURCE:
        resource = blake2b(resource, digest_size=10).hexdigest().encode()
    return urlsafe_b64encode(problem.encode() + b"~" + resource).decode()


def digest(finding: Normalised, *, tags: str, attributes: str) -> str:
    """Of everything the source said; `tags` and `attributes` as JSON with sorted keys."""
    parts = (
        finding.finding_type,
        finding.severity,
        finding.title,
        finding.description,
        finding.resource_id,
        finding.resource_name,
        finding.resource_type,
        finding.first_seen_at.isoformat() if finding.first_seen_at else "",
        tags,
        attributes,
    )
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
