# SPDX-License-Identifier: MIT
"""OpenTelemetry as its documentation has it for uWSGI: it begins in each worker, after the fork."""
from telemetry import init_tracing, make_application

try:
    from uwsgidecorators import postfork
except ImportError:     # gunicorn has none

    def postfork(function):
        return function()

application = make_application()
postfork(init_tracing)
