# SPDX-License-Identifier: MIT
"""OpenTelemetry begins with the application: each worker needs to have the thread that exports."""
from telemetry import init_tracing, make_application

init_tracing()
application = make_application()
