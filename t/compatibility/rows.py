# SPDX-License-Identifier: MIT
"""The applications: one row each, with its packages and what is asked of it."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Ask:
    path: str
    part: str           # of the body, a regular expression
    method: str = "GET"
    status: int = 200
    body: bytes = b""
    type: str = "text/plain"


@dataclass(frozen=True)
class App:
    name: str
    module: str         # a file of apps/
    packages: tuple
    asks: tuple
    prepare: bool = False   # the module is run as a program first: it makes its tables
    service: str = ""       # of services.SERVICES
    apart: str = ""         # a path that answers "PID THING": no two processes have the same thing
    sends: str = ""         # what an agent's thread has to bring to the intake, a regular expression
    daemon: str = ""        # runs beside it; in braces the folder of the environment
    env: tuple = ()         # (name, value); in braces the folder of the run or the intake


FORM, JSON = "application/x-www-form-urlencoded", "application/json"
BIG = b"x" * 300000
HELLO = Ask("/", "^hello$")
FAILS = Ask("/fails", "Internal Server Error|Server Error", status=500)
PICTURE = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.ppm"\r\n\r\n' + \
    b"P6 40 20 255\n" + b"\x80" * (40 * 20 * 3) + b"\r\n--b--\r\n"
LAST = r"part 99\n$"
TELEMETRY = ("opentelemetry-sdk", "opentelemetry-instrumentation-flask",
             "opentelemetry-exporter-otlp-proto-http", "Flask>=3,<4")

APPS = (
    App("Django", "django_project", ("Django>=5,<6",), (
        HELLO, Ask("/stream", LAST), Ask("/upload", "^300000$", "POST", body=BIG),
        Ask("/session", "^count 1$"), Ask("/users", "^users 1$"), Ask("/async", "^async$"), FAILS,
        Ask("/admin", "", status=301), Ask("/admin/login/", "Django administration"),
        Ask("/admin/login/", "CSRF", "POST", 403, b"username=admin", FORM),
        Ask("/nowhere", "Not Found", status=404), Ask("/", "^$", "HEAD")), prepare=True),
    App("Flask", "flask_project", ("Flask>=3,<4",), (
        HELLO, Ask("/template/%3Ca%3E", "<b>&lt;a&gt;</b>"),
        Ask("/json", '"got":.1,2', "POST", body=b"[1,2]", type=JSON),
        Ask("/form", "^name J.rg$", "POST", body="name=Jörg".encode(), type=FORM),
        Ask("/upload", "^300000$", "POST", body=BIG), Ask("/stream", LAST),
        Ask("/teapot", "teapot", status=418), FAILS, Ask("/json", "Method", status=405))),
    App("Django REST framework", "drf_project", ("djangorestframework", "Django>=5,<6"), (
        Ask("/", '"groups":'), Ask("/groups/", '"next":"http://127.*page=2"'),
        Ask("/groups/1/", '"name":"one"'), Ask("/groups/?format=api", "Django REST framework"),
        Ask("/groups/1/", '"name":"new"', "PATCH", body=b'{"name":"new"}', type=JSON),
        Ask("/groups/1/", '"name":"one"', "PUT", body=b'{"name":"one"}', type=JSON),
        Ask("/groups/", "required", "POST", 400, b"{}", JSON),
        Ask("/groups/9/", "", "DELETE", 404), Ask("/groups/", "Group List", "OPTIONS")),
        prepare=True),
    App("Pyramid", "pyramid_project", ("pyramid>=2,<3",), (
        HELLO, Ask("/found", "", status=302), Ask("/stream", LAST),
        Ask("/echo", '"got": .1.*"PUT"', "PUT", body=b"[1]", type=JSON),
        Ask("/named/%C3%BC", "u00fc"), Ask("/nowhere", "404", status=404))),
    App("Sentry SDK", "sentry_project", ("sentry-sdk", "Flask>=3,<4"), (
        HELLO, FAILS, Ask("/warned", r"^warned of \[\]$")), sends=r'"as asked in \d+"'),
    App("prometheus_client", "prometheus_project", ("prometheus-client", "Flask>=3,<4"), (
        HELLO, Ask("/metrics", r'hits_total\{pid="\d+"\} \d'), Ask("/metrics", r"took_count \d"),
        Ask("/metrics", r"busy 0")), env=(("PROMETHEUS_MULTIPROC_DIR", "{folder}"),)),
    App("OpenTelemetry", "opentelemetry_project", TELEMETRY, (HELLO, FAILS), sends=r"inner of \d+"),
    App("OpenTelemetry after the fork", "opentelemetry_postfork_project", TELEMETRY, (HELLO, FAILS),
        sends=r"inner of \d+"),
    App("Flask-Caching", "flask_project", ("Flask-Caching", "Flask>=3,<4"), (
        HELLO, Ask("/cached", r"^made by \d+$"), Ask("/same", r"^\d+ True$"))),
    App("redis-py", "redis_project", ("redis", "Flask>=3,<4"), (
        Ask("/", "^before the fork$"), Ask("/count", r"^count \d+$"), Ask("/pipeline", "^got 42$")),
        service="redis", apart="/connection"),
    App("numpy and pandas", "numpy_project", ("numpy", "pandas", "Flask>=3,<4"), (
        Ask("/", "^sum 27000000$"), Ask("/blas", r"^rank \d+$"), Ask("/random", "^mean True$"),
        Ask("/table", '{"a":4,"b":2}', "POST", body=b"kind,value\na,1\nb,2\na,3\n"))),
    App("psycopg 3", "psycopg_project", ("psycopg[binary,pool]", "Flask>=3,<4"), (
        Ask("/", "^sum 42$"), Ask("/rows", "1000 x{100}\n$"), FAILS),
        service="postgresql", apart="/connection"),
    App("Celery", "celery_project", ("celery[redis]", "Flask>=3,<4"), (
        HELLO, Ask("/add/40/2", "^sum 42$")), service="redis",
        daemon="{venv}/bin/celery --workdir . -A celery_project worker --concurrency 1 --loglevel WARNING"),
    App("Elastic APM", "elastic_project", ("elastic-apm[flask]", "Flask>=3,<4"), (HELLO, FAILS),
        sends=r"inner of \d+"),
    App("ddtrace", "ddtrace_project", ("ddtrace", "Flask>=3,<4"), (HELLO, FAILS),
        sends=r"inner of \d+",
        env=(("DD_TRACE_AGENT_URL", "{intake}"), ("DD_SERVICE", "compatibility"),
             ("DD_TRACE_API_VERSION", "v0.4"), ("DD_REMOTE_CONFIGURATION_ENABLED", "false"),
             ("DD_INSTRUMENTATION_TELEMETRY_ENABLED", "false"))),
    App("New Relic", "newrelic_project", ("newrelic", "Flask>=3,<4"), (
        HELLO, FAILS, Ask("/traced", "^traced True$"), Ask("/agent", "^harvests True"))),
    App("Wagtail", "pages_project", ("wagtail", "Django>=5,<6"), (
        Ask("/", "Root, Welcome"), Ask("/admin/login/", "Sign in"), Ask("/admin/", "", status=302),
        Ask("/documents/1/a.pdf", "", status=404)), prepare=True),
    App("like NetBox", "netbox_project", (
        "Django>=5,<6", "django-tables2", "django-filter", "djangorestframework", "drf-spectacular",
        "strawberry-graphql-django", "django-mptt", "django-prometheus", "psycopg[binary]"), (
        Ask("/", "<td.*one"), Ask("/?name=two", "<td.*two"), Ask("/api/groups/2/", '"two"'),
        Ask("/schema/", "openapi: 3"), Ask("/metrics", "django_http_requests_total_by_method_total"),
        Ask("/graphql/", '"name": ?"three"', "POST", body=b'{"query": "{groups {id name}}"}',
            type=JSON)),
        prepare=True, service="postgresql", apart="/holder"),
    App("like Saleor", "saleor_project", (
        "Django>=5,<6", "graphene-django", "celery[redis]", "Pillow"), (
        HELLO, Ask("/graphql/", '"name":"one"', "POST", body=b'{"query": "{groups {name}}"}',
                   type=JSON),
        Ask("/counted", r"^count \d+$"), Ask("/checkout", "^total 42$"),
        Ask("/thumbnail", "^20x10 of", "POST", body=PICTURE, type="multipart/form-data; boundary=b")),
        prepare=True, service="redis",
        daemon="{venv}/bin/celery --workdir . -A saleor_project:tasks worker --concurrency 1 --loglevel WARNING"),
    App("django-uwsgi", "djuwsgi_project", ("django-uwsgi-ng", "Django>=5,<6", "setuptools"), (
        HELLO, Ask("/admin/uwsgi/", "masterpid|not available|unavailable"),
        Ask("/admin/uwsgi/log/", "", "POST", 302, b"log_message=hello", FORM)), prepare=True),
)
