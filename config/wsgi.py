import os

from django.core.wsgi import get_wsgi_application

from config.lib.private_files import create_files_private

create_files_private()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")

application = get_wsgi_application()
