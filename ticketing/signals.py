"""News that ticketing sends upward, on commit."""

from django.dispatch import Signal

destination_broken = Signal()
"""A destination cannot take tickets as configured. Sent with `project_id` and `reason`."""
