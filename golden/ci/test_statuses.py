"""One commit status per target, under garnix's old names."""

from __future__ import annotations

import collections
import json
import unittest
from typing import Any

from harness import HEAD
from loopback import Request, Server
from outcomes import ChecksJob, entry, wants

LONG = "because " * 50


class GitHub(Server):
    """The API that takes statuses; `refuse(name, n)` may answer the n-th try for a name itself."""

    def __init__(self, test: unittest.TestCase) -> None:
        self.posted: dict[str, dict[str, str]] = {}
        self.tries: collections.Counter[str] = collections.Counter()
        self.refuse: Any = lambda request, name, number: False
        super().__init__(test, self._take)

    def _take(self, request: Request, _: int) -> None:
        known = request.name == f"/repos/o/r/statuses/{HEAD}" and request.command == "POST"
        if not known or request.headers.get("Authorization") != "Bearer s3cret":
            request.reply(400)
            return
        status = json.loads(request.body)
        name = status["context"]
        self.tries[name] += 1
        if not self.refuse(request, name, self.tries[name]):
            self.posted[name] = status
            request.reply(201)


class StatusesJob(ChecksJob):
    """The job that posts them."""

    def __init__(self, test: unittest.TestCase) -> None:
        super().__init__(test)
        self.github = GitHub(test)
        self.model(aggregate="All Garnix checks")
        self.env |= {
            "GITHUB_TOKEN": "s3cret",
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": "http://127.0.0.1",
            "GITHUB_RUN_ID": "7",
        }


class Statuses(unittest.TestCase):
    def test_each_target_has_one(self) -> None:
        job = StatusesJob(self)
        long, hostile = "l" * 300, '"\n@/etc/passwd\x1b'
        plan = [
            wants("cached", "cached", 1),
            wants("upstream", "upstream", 2),
            wants("built", "build", 3),
            wants("broken", "build", 4),
            wants("late", "build", 4),
            wants("lost", "build", 5),
            wants("away", "elsewhere"),
            wants("eval", "failed", error="does not evaluate: throws\nhere"),
            wants("no-runner", "no-runner", 6),
            wants("limited", "cached", 7),
            wants(long, "cached", 9),
            wants(hostile, "cached", 9),
            wants("cached\n", "build", 9),
            wants("All Garnix checks", "cached", 9),
            wants("packages.x86_64-linux.p", "cached", 9),
            wants("checks.x86_64-linux.c", "cached", 9),
            wants("devShells.x86_64-linux.d", "cached", 9),
            wants("nixosConfigurations.{0}", "cached", 9),
            wants("homeConfigurations.h", "cached", 9),
            wants("darwinConfigurations.m", "cached", 9),
            wants("defaultPackage.x86_64-linux", "cached", 9),
            wants("devShell.x86_64-linux", "cached", 9),
            wants("other.{5}", "cached", 9),
        ]
        entries = [
            entry("built", "broken", "late", "lost", "away", id="a", rules=True),
            entry("other", id="b"),
        ]
        job.planned(*plan, entries=entries)
        job.told(
            wants("built", "built", 3),
            wants("broken", "failed", 4, cause=LONG, path=["cached"]),
            wants("late", "not-started", 4, cause="there was no time left"),
            wants("away", "evaluation-failed", cause="does not evaluate: no such import"),
            wants("eval", "built", 8),
            wants("unplanned", "built", 8),
            wants("eval\n", "built", 8),
            wants("packages", "built", 8),
            "rubbish",
            id="a",
        )
        job.told(wants("lost", "built", 5), id="b")

        def limit(request: Request, name: str, number: int) -> bool:
            if name == "limited" and number < 3:
                request.reply(
                    403, '{"message":"You have exceeded a secondary rate limit."}', retry_after="0"
                )
                return True
            return False

        job.github.refuse = limit
        end = job.run("statuses")
        self.assertEqual(0, end.code, end.log)
        self.assertNotIn("s3cret", end.log)
        posted = job.github.posted
        for name, status in posted.items():
            self.assertLessEqual(len(status["description"]), 140)
            self.assertLessEqual(len(name), 255)
            self.assertEqual("http://127.0.0.1/o/r/actions/runs/7", status["target_url"])
        self.assertEqual(
            {
                "cached": "success: already in the cache",
                "upstream": "success: already in an upstream cache",
                "built": "success: built and pushed",
                "broken": f"failure: {('not built: ' + LONG)[:140]}",
                "late": "failure: not built: there was no time left",
                "lost": "error: its job ended without a result",
                "away": "failure: does not evaluate: no such import",
                "eval": "failure: does not evaluate: throws here",
                "no-runner": "error: no runner is configured for its system",
                "limited": "success: already in the cache",
                **dict.fromkeys(
                    (
                        "package p [x86_64-linux]",
                        "check c [x86_64-linux]",
                        "devShell d [x86_64-linux]",
                        "nixosConfig {0}",
                        "homeConfig h",
                        "darwinConfig m",
                        "default package [x86_64-linux]",
                        "default devShell [x86_64-linux]",
                        "other.{5}",
                    ),
                    "success: already in the cache",
                ),
                "package  []": "success: built and pushed",
                "unplanned": "success: built and pushed",
                "l" * 255: "success: already in the cache",
                '" @/etc/passwd': "success: already in the cache",
            },
            {name: f"{s['state']}: {s['description']}" for name, s in posted.items()},
        )
        self.assertEqual(3, job.github.tries["limited"])
        self.assertEqual(1, job.github.tries["built"], "refused ones alone are posted again")

    def test_what_is_built_and_not_pushed_says_so(self) -> None:
        job = StatusesJob(self)
        job.planned(wants("a", "build", 1))
        job.told(wants("a", "built", 1), pushed=False)
        self.assertEqual(0, job.run("statuses").code)
        self.assertEqual("built", job.github.posted["a"]["description"])

    def test_a_refusal_is_told_with_githubs_words(self) -> None:
        job = StatusesJob(self)
        job.planned(wants("a", "cached", 1), wants("refused", "cached", 1))
        message = "This SHA and context has reached the maximum number of statuses.\n::error::x"

        def refuse(request: Request, name: str, _: int) -> bool:
            if name == "refused":
                request.reply(422, json.dumps({"message": message}))
                return True
            return False

        job.github.refuse = refuse
        end = job.run("statuses")
        self.assertEqual(1, end.code)
        said = f"1 of 2 statuses could not be posted (HTTP 422: {message})"
        self.assertEqual([f"error|Statuses|{said}"], end.annotations)
        self.assertEqual(1, job.github.tries["refused"], "GitHub would say it again")
        self.assertIn("a", job.github.posted)

    def test_who_is_too_fast_for_long_gives_up(self) -> None:
        job = StatusesJob(self)
        job.planned(wants("a", "cached", 1))
        for headers, tries in (({"retry-after": "9999"}, 4), ({}, 4)):
            with self.subTest(headers):
                job.github.refuse = lambda request, *_, h=headers: request.reply(403, **h) or True
                end = job.run("statuses", PUSH_PAUSE="0.01")
                self.assertEqual(1, end.code)
                self.assertEqual(
                    ["error|Statuses|1 of 1 statuses could not be posted (HTTP 403)"],
                    end.annotations,
                )
                self.assertEqual(tries, job.github.tries.pop("a"))

    def test_nothing_is_posted_for_a_fork(self) -> None:
        job = StatusesJob(self)
        job.planned(wants("a", "cached", 1))
        for repository in ({"full_name": "other/r"}, None):
            job.event(
                "pull_request",
                "refs/pull/1/merge",
                pull_request={"head": {"sha": HEAD, "repo": repository}},
            )
            self.assertEqual(0, job.run("statuses").code)
        self.assertEqual({}, job.github.posted)

    def test_no_targets_are_no_statuses(self) -> None:
        job = StatusesJob(self)
        job.planned()
        self.assertEqual(0, job.run("statuses").code)
        self.assertEqual(0, job.github.asked("POST"))

    def test_the_address_is_made_of_nothing_else(self) -> None:
        job = StatusesJob(self)
        job.planned(wants("a", "cached", 1))
        for env in (
            {"GITHUB_REPOSITORY": 'o/r"\nurl = "http://127.0.0.1'},
            {"GITHUB_REPOSITORY": "o/r/../x"},
            {"GITHUB_SHA": "abc/../.."},
            {"GITHUB_SHA": ""},
        ):
            with self.subTest(env):
                end = job.run("statuses", **env)
                self.assertEqual(1, end.code)
                self.assertRegex(end.annotations[0], r"^error\|Statuses\|the .* is malformed")
        self.assertEqual(0, job.github.asked("POST"))
