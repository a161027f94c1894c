from __future__ import annotations

from django.core.management.base import BaseCommand

from config.accounts.models import User
from config.runtime import demo_data, prepare


class Command(BaseCommand):
    help = "Load the demo data, unless there is content already."

    def handle(self, *_: object, **__: object) -> None:
        demo_data.load(actor=User.objects.filter(email=prepare.FIRST_ADMIN).first())
