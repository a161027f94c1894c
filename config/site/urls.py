from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from config.site.views import shell
from config.site.views.command_palette import show_command_palette
from config.site.views.overview import export_overview, hide_advice, show_overview
from config.site.views.retention import show_retention
from config.site.views.styleguide import show_styleguide

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="overview", query_string=True), name="home"),
    path("overview", show_overview, name="overview"),
    path("overview/<slug:card>.csv", export_overview, name="overview-export"),
    path("overview/advice/<uuid:rule_id>/hide", hide_advice, name="advice-hide"),
    path("jump", show_command_palette, name="command-palette"),
    path("counts", shell.count_open, name="counts"),
    path("theme", shell.switch_theme, name="theme"),
    path("styleguide", show_styleguide, name="styleguide"),
    path("settings/retention", show_retention, name="retention"),
    path("favicon.ico", shell.favicon),
]
