"""How targets become jobs, and how the plan tells of them."""

from __future__ import annotations

import json
import re
import unittest
from typing import Any

from harness import HOSTILE, scratch
from loopback import store_path
from planning import RUNNERS

import plan
import report
from context import Model
from evaluate import Target
from process import Fault


def target(named: str, number: int, system: str = "x86_64-linux", **changes: Any) -> Target:
    """Return a target that is to be built; the number makes its derivation."""
    path = named.split(".", 2)
    made = Target(
        attr=named,
        path=path,
        check=f"check of {path[-1]}",
        system=system,
        drv=store_path(number, "p.drv"),
        outputs={"out": store_path(100_000 + number)},
        state="build",
    )
    return made._replace(**changes)


def dealt(entries: list[dict[str, Any]]) -> list[str]:
    """Return "name: target target" for each entry."""
    return [f"{e['name']}: {' '.join(path[-1] for path in e['targets'])}" for e in entries]


class Jobs(unittest.TestCase):
    def deal(
        self, targets: list[Target], unlisted: tuple[str, ...] = (), **entries: Any
    ) -> list[dict[str, Any]]:
        """Deal targets to jobs."""
        file = scratch(self) / "targets.json"
        file.write_text(json.dumps({"version": 1, "runners": RUNNERS, **entries}))
        return plan.entries(Model(file), targets, unlisted)

    def test_a_job_for_each_system(self) -> None:
        given = [
            target("packages.aarch64-darwin.m", 1, "aarch64-darwin"),
            target("packages.x86_64-linux.a", 2),
            target("packages.x86_64-linux.alias", 2),
            target("packages.x86_64-linux.b", 3),
            target("packages.x86_64-linux.cached", 4, state="cached"),
            target("packages.x86_64-linux.failed", 5, state="failed", drv=None),
            target("packages.x86_64-linux.via", 6, state="elsewhere", drv=None, outputs={}),
            target("packages.x86_64-linux.via2", 6, state="elsewhere", drv=None, outputs={}),
            target("packages.i686-linux.i", 7, "i686-linux"),
            target("nixosConfigurations.web", 8, "aarch64-linux"),
            target("nixosConfigurations.risc", 9, "riscv64-linux", state="no-runner"),
        ]
        jobs = self.deal(given)
        self.assertEqual(
            dealt(jobs),
            [
                "x86_64-linux: a alias b via via2",
                "i686-linux: i",
                "aarch64-linux: web",
                "aarch64-darwin: m",
            ],
        )
        self.assertEqual(
            json.loads(plan.matrix(jobs))[2],
            {
                "id": "aarch64-linux-3",
                "name": "aarch64-linux",
                "system": "aarch64-linux",
                "runner": ["self-hosted", "arm"],
            },
        )
        self.assertEqual(plan.matrix(self.deal([])), "[]")
        self.assertNotIn("rules", jobs[0])

        names = [job["name"] for job in self.deal(given, granularity="target")]
        self.assertEqual(
            names,
            [f"check of {name}" for name in ("a", "b", "via", "via2", "i", "web", "m")],
            "a job for each derivation, and for each that nobody knows",
        )
        sharded = self.deal(given, shards={"x86_64-linux": 2, "aarch64-darwin": 7})
        self.assertEqual(
            dealt(sharded),
            [
                "x86_64-linux (1/2): a alias via",
                "x86_64-linux (2/2): b via2",
                "i686-linux: i",
                "aarch64-linux: web",
                "aarch64-darwin: m",
            ],
            "never more shards than derivations, and never one derivation in two of them",
        )

    def test_a_system_that_is_listed_on_its_runner(self) -> None:
        given = [
            target("nixosConfigurations.web", 1, "aarch64-linux"),
            target("packages.x86_64-linux.a", 2),
        ]
        jobs = self.deal(given, ("aarch64-linux",))
        self.assertEqual(
            [(job["name"], job.get("rules", False), job["targets"]) for job in jobs],
            [
                ("x86_64-linux", False, [["packages", "x86_64-linux", "a"]]),
                ("aarch64-linux (listed there)", True, [["nixosConfigurations", "web"]]),
            ],
        )
        jobs = self.deal(given, ("aarch64-linux",), granularity="target")
        self.assertEqual(
            [(job["name"], job["targets"]) for job in jobs][1:],
            [
                ("check of web", [["nixosConfigurations", "web"]]),
                ("aarch64-linux (listed there)", []),
            ],
        )

    def test_never_more_jobs_than_github_takes(self) -> None:
        systems = ["x86_64-linux"] * 3 + ["aarch64-darwin"]
        given = [
            target(f"packages.{systems[n % 4]}.p{n:03}", n + 1, systems[n % 4]) for n in range(300)
        ]
        given.append(target("packages.i686-linux.only", 999, "i686-linux"))
        for name, entries in {
            "a job for each derivation": {"granularity": "target"},
            "shards": {"shards": {"x86_64-linux": 200, "aarch64-darwin": 200}},
            "many shards of one": {"shards": {"x86_64-linux": 999_999}},
        }.items():
            with self.subTest(name):
                jobs = self.deal(given, ("aarch64-linux", "x86_64-darwin"), **entries)
                self.assertLessEqual(len(jobs), 256)
                self.assertGreaterEqual(len(jobs), 220)
                self.assertEqual(
                    len({job["id"].lower() for job in jobs}), len(jobs), "ids are unique"
                )
                for job in jobs:
                    self.assertRegex(job["id"], r"^[A-Za-z0-9_-]+$")
                    self.assertTrue(job["targets"] or job.get("rules", False))
                    self.assertEqual({path[1] for path in job["targets"]} - {job["system"]}, set())
                paths = [tuple(path) for job in jobs for path in job["targets"]]
                self.assertEqual(len(paths), len(set(paths)))
                self.assertEqual(len(paths), 301)
                self.assertLess(len(plan.matrix(jobs)), 400_000)

    def test_the_longest_matrix_fits_and_what_does_not_is_told(self) -> None:
        given = [
            target(f"packages.x86_64-linux.{n}", n + 1, check="\U0001f600" * 500)
            for n in range(300)
        ]
        self.assertLess(len(plan.matrix(self.deal(given, granularity="target"))), 400_000)
        labels = [f"label-{number}" for number in range(200)]
        jobs = self.deal(given, granularity="target", runners={"x86_64-linux": labels})
        with self.assertRaisesRegex(Fault, "the matrix is larger than a job may hand on"):
            plan.matrix(jobs)

    def test_names_of_jobs_are_harmless(self) -> None:
        given = [
            target(f"packages.x86_64-linux.{n}", n, check=f"package {name}")
            for n, name in enumerate(HOSTILE, 1)
        ]
        for job in self.deal(given, granularity="target"):
            self.assertNotRegex(job["name"], "[\x00-\x1f\x7f\u202e]")


class States(unittest.TestCase):
    def test_a_target_is_built_unless_all_of_it_is_there(self) -> None:
        there = {
            store_path(1): "in-cache",
            store_path(2): "upstream",
            store_path(3): "missing",
            store_path(4): "unknown",
        }
        for outputs, want in (
            ({"out": 1}, "cached"),
            ({"out": 1, "dev": 2}, "cached"),
            ({"out": 2, "dev": 2}, "upstream"),
            ({"out": 1, "dev": 3}, "build"),
            ({"out": 4}, "build"),
            ({"out": 5}, "build"),
            ({"out": None}, "build"),
            ({}, "build"),
        ):
            paths = {name: number and store_path(number) for name, number in outputs.items()}
            some = target("packages.x86_64-linux.a", 9, outputs=paths, state="")
            self.assertEqual(plan._state(some, there, RUNNERS), want, outputs)
            elsewhere = some._replace(system="riscv64-linux")
            known = want in ("cached", "upstream")
            self.assertEqual(
                plan._state(elsewhere, there, RUNNERS),
                want if known else "no-runner",
                "a system without a runner matters only to what must be built",
            )
        failed = target("packages.x86_64-linux.a", 9, state="failed", error="no", outputs={})
        self.assertEqual(plan._state(failed, there, RUNNERS), "failed")
        self.assertEqual(
            plan._state(failed._replace(state="elsewhere"), there, RUNNERS), "elsewhere"
        )
        self.assertEqual(plan._state(failed._replace(state="elsewhere"), there, {}), "no-runner")


class Report(unittest.TestCase):
    def test_hostile_names_and_messages_are_harmless(self) -> None:
        given = []
        for number, name in enumerate(HOSTILE, 1):
            attr = f"packages.x86_64-linux.{name}"
            given.append(target("packages.x86_64-linux.x", number, attr=attr))
            given.append(
                target(
                    "packages.x86_64-linux.y",
                    1000 + number,
                    attr=attr,
                    state="failed",
                    error=f"{name}\n{'x' * 5000}",
                )
            )
        summary = report.summary(given, 1, HOSTILE, [f"said {name}" for name in HOSTILE])
        for bad in ("\x1b", "<img", "](http", "\u202e"):
            self.assertNotIn(bad, summary)
        for line in summary.split("\n"):
            self.assertRegex(
                line, r"^(\||-|<|#|&#|$|[0-9A-Za-z ])", "no name begins a line with markup"
            )
            if line.startswith("| <code>"):
                self.assertEqual(line.count("|"), 5, f"no name makes a cell: {line!r}")

    def test_large_plans_are_cut(self) -> None:
        given = [
            target(f"packages.x86_64-linux.{n}", n, state=state)
            for n, state in enumerate(["failed"] * 300 + ["build"] * 600)
        ]
        summary = report.summary(given, 1, [], [])
        self.assertIn("| 600 | 0 | 0 | 300 | 1 |", summary)
        self.assertIn("| | and 100 more | | |", summary)
        self.assertIn("- and 100 more", summary)
        self.assertEqual(len(re.findall(r"^\| <code>", summary, re.MULTILINE)), 200)
        self.assertIn(
            "600 to build in 1 job, 0 already there, 300 cannot be built",
            report.line(given, 1),
        )
