"""How targets become jobs, and how the plan tells of them."""

from __future__ import annotations

import contextlib
import io
import json
import re
import unittest
from typing import Any
from unittest import mock

from harness import HOSTILE, scratch
from loopback import store_path
from planning import RUNNERS

import plan
import report
from cache import Verdict
from context import Model
from evaluate import Target


def target(named: str, number: int, system: str = "x86_64-linux", **changes: Any) -> Target:
    """Return a target that is to be built; the number makes its derivation."""
    path = named.split(".", 2)
    made = Target(
        attr=named,
        path=path,
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
        """Deal targets to jobs, and systems that must be listed on their runner."""
        systems = [Target(system, [], system, None, {}, "elsewhere") for system in unlisted]
        file = scratch(self) / "targets.json"
        file.write_text(json.dumps({"version": 1, "runners": RUNNERS, **entries}))
        return plan.entries(Model(file), [*targets, *systems])

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
                "runner": ["self-hosted", "arm"],
            },
        )
        self.assertEqual(plan.matrix(self.deal([])), "[]")
        self.assertFalse(jobs[0]["rules"])

        names = [job["name"] for job in self.deal(given, granularity="target")]
        self.assertEqual(
            names,
            [
                "packages.x86_64-linux.a",
                "packages.x86_64-linux.b",
                "packages.x86_64-linux.via",
                "packages.x86_64-linux.via2",
                "packages.i686-linux.i",
                "nixosConfigurations.web",
                "packages.aarch64-darwin.m",
            ],
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
                ("nixosConfigurations.web", [["nixosConfigurations", "web"]]),
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

    def test_the_longest_matrix_fits(self) -> None:
        given = [
            target(f"packages.x86_64-linux.{n}", n + 1, attr="\U0001f600" * 500) for n in range(300)
        ]
        self.assertLess(len(plan.matrix(self.deal(given, granularity="target"))), 400_000)

    def test_names_of_jobs_are_harmless(self) -> None:
        given = [
            target(f"packages.x86_64-linux.{n}", n, attr=f"packages.x86_64-linux.{name}")
            for n, name in enumerate(HOSTILE, 1)
        ]
        for job in self.deal(given, granularity="target"):
            self.assertNotRegex(job["name"], "[\x00-\x1f\x7f\u202e]")


class States(unittest.TestCase):
    def test_a_target_is_built_unless_all_of_it_is_there(self) -> None:
        there = {
            store_path(1): Verdict("in-cache"),
            store_path(2): Verdict("upstream"),
            store_path(3): Verdict("missing"),
            store_path(4): Verdict("unknown"),
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


class Summary(unittest.TestCase):
    def tell(self, targets: list[Target], *said: str) -> str:
        """Return the summary of a plan."""
        summary = scratch(self) / "summary"
        env = mock.patch.dict("os.environ", GITHUB_STEP_SUMMARY=str(summary))
        with env, contextlib.redirect_stdout(io.StringIO()):
            notes = [report.Note("", "", text) for text in said]
            report.tell("Plan", "all told", notes, map(plan._row, targets))
        return summary.read_text()

    def test_hostile_names_and_messages_are_harmless(self) -> None:
        given = []
        for number, name in enumerate(HOSTILE, 1):
            attr = f"packages.x86_64-linux.{name}"
            given.append(target("packages.x86_64-linux.x", number, attr=attr))
            error = f"{name}\n{'x' * 5000}"
            given.append(given[-1]._replace(state="failed", error=error))
        summary = self.tell(given, *(f"said {name}" for name in HOSTILE))
        for bad in ("\x1b", "<img", "](http", "\u202e"):
            self.assertNotIn(bad, summary)
        for line in summary.split("\n"):
            self.assertRegex(
                line, r"^(\||<|#|&#|$|[0-9A-Za-z ])", "no name begins a line with markup"
            )
            if line.startswith("|"):
                self.assertEqual(line.count("|"), 4, f"no name makes a cell: {line!r}")

    def test_large_plans_are_cut(self) -> None:
        given = [
            target(f"packages.x86_64-linux.{n}", n, state=state)
            for n, state in enumerate(["failed"] * 1300 + ["build"] * 16000)
        ]
        summary = self.tell(given)
        self.assertIn("<summary>the others (16000)</summary>", summary)
        self.assertTrue(summary.endswith(" |\n\nand more than GitHub shows.\n\n"), summary[-200:])
        self.assertEqual(len(re.findall(r"^\| failed", summary, re.MULTILINE)), 1300)
        self.assertLess(len(summary), 1_000_000)
