# SPDX-License-Identifier: MIT
SECRET_KEY = "for tests only"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_django.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware",
              "django.middleware.http.ConditionalGetMiddleware"]
INSTALLED_APPS = []
USE_TZ = True
