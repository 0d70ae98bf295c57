# SPDX-License-Identifier: GPL-2.0
"""Brings the lab up for tests, and down."""
import os
import subprocess
import sys
from contextlib import nullcontext

from smtplab.tap import chosen, result, run


def _lab(verb):
    """Brings the lab up or down; its words are diagnostics."""
    lab = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lab")
    p = subprocess.run([lab, verb], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, check=False)
    for line in p.stdout.splitlines():
        print("# " + line, flush=True)
    return p.returncode == 0


def main(tests, around=nullcontext):
    """Runs functions as TAP; their first line of documentation names them.

    Where no lab is up it is brought up for them, and that it comes down
    without a leak is one test more. `around` makes a context of the lab that
    all of them run in. Arguments are names of tests: only those are run.
    """
    tests = chosen(tests)
    own = not os.path.exists("/run/netns/gw")
    print("1..%d" % (len(tests) + own), flush=True)
    if own and not _lab("up"):
        print("Bail out! no lab")
        sys.exit(1)
    with around():
        results = [run(i, t) for i, t in enumerate(tests, 1)]
    if own:
        results.append(result(_lab("down"), len(tests) + 1, "nothing leaked"))
    sys.exit(0 if all(results) else 1)
