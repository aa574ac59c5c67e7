# SPDX-License-Identifier: MIT
"""What the applications with Django have in common; not one itself."""
import os

import django
from django.conf import settings

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"timeout": 20},
          "NAME": os.path.join(os.environ["APP_FOLDER"], "db.sqlite3")}
REQUEST = "django.template.context_processors.request"
# What the admin of Django and that of Wagtail want in templates.
ADMIN = [REQUEST, "django.contrib.auth.context_processors.auth",
         "django.contrib.messages.context_processors.messages"]


def configure(module, apps, middleware, processors=(), database=None, **more):
    """module: its urlpatterns count.  database: SQLite in the folder of this start."""
    settings.configure(
        SECRET_KEY="not one", ALLOWED_HOSTS=["*"], ROOT_URLCONF=module, STATIC_URL="/static/",
        INSTALLED_APPS=apps, MIDDLEWARE=middleware,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                    "OPTIONS": {"context_processors": list(processors)}}],
        DATABASES={"default": database or SQLITE},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField", USE_TZ=True, **more)
    django.setup()
