"""One run, whose imports, templates and tables every fork of this process has from the start."""

import io
import os
import tempfile
import threading
from contextlib import redirect_stderr, redirect_stdout, suppress

import hostile
from forks import run_main

for name in [*os.environ]:
    if name.startswith(("CONFORMANCE_", "TWILIO_")):
        del os.environ[name]
with (
    tempfile.TemporaryDirectory() as directory,
    hostile.Hostile("good") as server,
    redirect_stdout(io.StringIO()),
    redirect_stderr(io.StringIO()),
    suppress(SystemExit),
):
    run_main(
        "run", "--target", server.url, "--profile", "quick", "--max-requests", "80", "--report-dir", directory
    )
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()  # a fork has none of them, nor what they hold
