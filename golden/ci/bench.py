"""Compares planning and proving cached targets with what one writes by hand, against a cache that answers after 20 ms.

python3 golden/ci/bench.py [NUMBER OF TARGETS]
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
BY_HAND = 'path=$(nix eval --raw ".#$1.outPath") && nix path-info --refresh --store "$2" "$path"'


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
        seconds: dict[str, list[float]] = {"plan": [], "checks": []}
        for _ in range(ROUNDS):
            for command, programs in (("plan", None), ("checks", job.path("plan/ci"))):
                began = time.monotonic()
                end = job.run(command, programs=programs)
                seconds[command].append(time.monotonic() - began)
                self.assertEqual(end.code, 0, end.log)
            self.assertEqual(job.get("plan/plan.json")["entries"], [])
        ours = sum(statistics.median(times) for times in seconds.values())
        began = time.monotonic()
        for number in range(min(NUMBER, 200)):
            attr = f"packages.x86_64-linux.p{number}"
            ended = job.call(["bash", "-euc", BY_HAND, "bash", attr, job.server.url])
            self.assertEqual(ended.returncode, 0, ended.stdout)
        by_hand = (time.monotonic() - began) * max(1, NUMBER / 200)
        print({command: f"{statistics.median(times):.2f} s" for command, times in seconds.items()})
        print(
            f"{NUMBER} targets: {ours:.2f} s, by hand {by_hand:.1f} s: {by_hand / ours:.0f} times"
        )


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
