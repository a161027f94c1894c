"""Words of the pages about keys, people and what they changed."""

from __future__ import annotations

from datetime import timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.accounts.models import ApiKey
from config.lib.ui_tags import icon
from config.lib.utc import day_text

register = template.Library()

_SOON = timedelta(days=14)


@register.simple_tag
def key_expiry(key: ApiKey) -> SafeString:
    """Until when the key works, loud when that is soon."""
    now = timezone.now()
    if key.revoked_at:
        return format_html('<span class="badge">Revoked {}</span>', day_text(key.revoked_at))
    if key.expires_at is None:
        return format_html('<span class="dim">{}</span>', "Never")
    if key.expires_at <= now:
        return format_html('<span class="badge bad">Expired {}</span>', day_text(key.expires_at))
    if key.expires_at - now < _SOON:
        days = (key.expires_at - now).days
        label = f"in {days} d" if days else "today"
        return format_html('<span class="badge warn">{}{}</span>', icon("clock"), label)
    return format_html("{}", day_text(key.expires_at))


@register.simple_tag
def key_note(key: ApiKey) -> SafeString:
    """Who answers for the key, if that is not who made it, and what they may no longer do."""
    person, lost = key.answerable, sorted(key.lost)
    if person is None:
        return SafeString("")
    if not lost:
        kept = f"{person.name} answers for it" if key.kept_by_id else ""
        return format_html('<span class="dim">{}</span>', kept) if kept else SafeString("")
    label = f"may no longer use {', '.join(lost)}" if person.is_active else "was deactivated"
    badge = '<span class="badge warn">{}{} {}</span>'
    return format_html(badge, icon("triangle-alert"), person.name, label)
