"""Compares planning and proving cached targets with what one writes by hand, against a cache that answers after 20 ms.

python3 golden/ci/bench.py [NUMBER OF TARGETS]

It fails where the programs are not LEAST times as fast. Peak memory is that of the largest process: of the program
itself, and of what it called.
"""

from __future__ import annotations

import statistics
import sys
import time
import unittest

from harness import need
from planning import PlanJob, rules

NUMBER = int(sys.argv[1]) if len(sys.argv) > 1 else 200
ROUNDS = 3
LEAST = 16
# By hand more targets take minutes: this many are timed once then, and the rest is reckoned.
BY_HAND_MOST = 200
BY_HAND = 'path=$(nix eval --raw ".#$1.outPath") && nix path-info --refresh --store "$2" "$path"'
# Runs a program's folder and tells of its memory. Linux counts what a process was before it became another program as
# its own, so that the program's is asked otherwise.
MEASURED = """
import re, resource, runpy, sys
del sys.argv[0]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    own = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
    print("peak", own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Bench(unittest.TestCase):
    def test_speed(self) -> None:
        need("nix", "git", "bash")
        job = PlanJob(self)
        job.env |= {"CAN_PUSH": "true", "BUILD": "skipped"}
        job.model(rules=rules("packages.*.*"), cache=job.cache())
        job.flake(f"""packages.x86_64-linux = builtins.listToAttrs (builtins.genList
          (i: {{ name = "p${{toString i}}"; value = ok "p${{toString i}}"; }}) {NUMBER});""")
        plan, _ = job.planned()
        job.server.put(*(target["outputs"]["out"] for target in plan["targets"]))
        job.server.delay = 0.02
        measured = job.temp / "measured.py"
        measured.write_text(MEASURED)
        seconds: dict[str, list[float]] = {"plan": [], "checks": []}
        peaks: dict[str, list[tuple[int, ...]]] = {"plan": [], "checks": []}
        for _ in range(ROUNDS):
            for command, programs in (("plan", job.programs), ("checks", job.path("plan/ci"))):
                began = time.monotonic()
                end = job.run(str(programs), command, programs=measured)
                seconds[command].append(time.monotonic() - began)
                self.assertEqual(end.code, 0, end.log)
                peaks[command].append(tuple(map(int, end.log.split()[-2:])))
            self.assertEqual(job.get("plan/plan.json")["entries"], [])
        ours = sum(statistics.median(times) for times in seconds.values())
        by_hand = []
        for _ in range(ROUNDS if NUMBER <= BY_HAND_MOST else 1):
            began = time.monotonic()
            for number in range(min(NUMBER, BY_HAND_MOST)):
                attr = f"packages.x86_64-linux.p{number}"
                ended = job.call(["bash", "-euc", BY_HAND, "bash", attr, job.server.url])
                self.assertEqual(ended.returncode, 0, ended.stdout)
            by_hand.append((time.monotonic() - began) * max(1, NUMBER / BY_HAND_MOST))
        for command, times in seconds.items():
            own, called = (max(kilobytes) / 1024 for kilobytes in zip(*peaks[command], strict=True))
            took = f"{command}: {statistics.median(times):.2f} s"
            print(f"{took}, peak memory {own:.0f} MiB, of what it calls {called:.0f} MiB")
        hand = statistics.median(by_hand)
        how = f"median of {ROUNDS}" if len(by_hand) > 1 else f"reckoned from {BY_HAND_MOST} once"
        print(f"{NUMBER} targets: {ours:.2f} s, by hand {hand:.1f} s ({how}): {hand / ours:.1f} x")
        self.assertGreaterEqual(hand / ours, LEAST)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
