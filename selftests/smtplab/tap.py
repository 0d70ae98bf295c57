# SPDX-License-Identifier: GPL-2.0
"""Runs functions as tests, and says in TAP how they went."""
import sys
import time
import traceback


class Skip(Exception):
    """What a test needs is not there: it neither passed nor failed."""


def result(good, number, name, skipped=""):
    print("%s %d - %s%s" % ("ok" if good else "not ok", number, name,
                            " # SKIP " + skipped if skipped else ""),
          flush=True)
    return good


def run(number, test):
    name = "%s: %s" % (test.__name__,
                       (test.__doc__ or "").strip().split("\n")[0])
    start = time.monotonic()
    try:
        test()
        print("# took %d s" % (time.monotonic() - start))
    except Skip as why:
        return result(True, number, name, str(why))
    except Exception:  # pylint: disable=broad-except
        for line in traceback.format_exc().splitlines():
            print("# " + line)
        return result(False, number, name)
    return result(True, number, name)


def chosen(tests):
    """Those that the arguments name, or all; ends where there is no such test."""
    only = sys.argv[1:]
    unknown = set(only) - {t.__name__ for t in tests}
    if unknown or not tests:
        print("Bail out! no such test: " + " ".join(sorted(unknown)))
        sys.exit(2)
    return [t for t in tests if not only or t.__name__ in only]


def tests_of(module):
    return [f for n, f in vars(module).items()
            if n.startswith("test_") and callable(f)]
