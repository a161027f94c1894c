from __future__ import annotations

from django.core.management.base import BaseCommand

from config.accounts.models import User
from config.runtime import prepare, sample


class Command(BaseCommand):
    help = "Take in the sample content, unless there is content already."

    def handle(self, *_: object, **__: object) -> None:
        sample.load(actor=User.objects.filter(email=prepare.FIRST_ADMIN).first())
