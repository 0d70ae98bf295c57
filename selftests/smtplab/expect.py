# SPDX-License-Identifier: GPL-2.0
"""What a test expects, and how long it waits for that."""
import os
import time

# Nothing here is timed: a bound on waiting, generous for emulated machines.
PATIENCE = int(os.environ.get("PATIENCE", "120"))


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.02)


def expect_equal(got, wanted, what):
    assert got == wanted, "%s: %r instead of %r" % (what, got, wanted)
