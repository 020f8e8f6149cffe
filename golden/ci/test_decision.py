"""Whether a run pushes, and what is said where it does not."""

from __future__ import annotations

import json
import os
import unittest
from typing import Any
from unittest import mock

from harness import scratch

import decision
from context import Event, Model

OK = {"state": "ok", "message": ""}
NONE = {"state": "none", "message": "no cache is configured"}
DOWN = {"state": "unusable", "message": "HTTP 502"}
FORK = {"repository": {"default_branch": "main", "fork": True}}
BOT = {"sender": {"login": "dependabot[bot]"}}
STRANGER = {
    "pull_request": {"head": {"sha": "a", "ref": "main", "repo": {"full_name": "stranger/r"}}}
}
OWN = {"pull_request": {"head": {"sha": "a", "ref": "topic", "repo": {"full_name": "o/r"}}}}
GONE = {"pull_request": {"head": {"sha": "a", "ref": "main", "repo": None}}}


class Pushes(unittest.TestCase):
    def decide(
        self,
        found: dict[str, str] = OK,
        *,
        event: str = "push",
        ref: str = "refs/heads/main",
        can: str = "true",
        payload: dict[str, Any] | None = None,
        **entries: Any,
    ) -> decision.Decision:
        """Decide as on a machine where this happened."""
        folder = scratch(self)
        cache = {
            "backend": "cachix",
            "variable": "CACHIX_CACHE_NAME",
            "secrets": ["CACHIX_AUTH_TOKEN"],
            **({} if found is NONE else {"name": "mine"}),
            **entries.pop("cache", {}),
        }
        (folder / "targets.json").write_text(json.dumps({"version": 1, "cache": cache, **entries}))
        happened = {"repository": {"default_branch": "main", "fork": False}, **(payload or {})}
        (folder / "event.json").write_text(json.dumps(happened))
        env = {
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REF": ref,
            "GITHUB_REPOSITORY": "o/r",
            "CAN_PUSH": can,
        }
        with mock.patch.dict(os.environ, env, clear=True):
            return decision.decide(Event(), Model(folder / "targets.json"), found)

    def test_what_pushes_and_what_is_said(self) -> None:
        topic, bots = "refs/heads/topic", "refs/heads/dependabot/nix/x"
        no = {"can": ""}
        for name, given, push, blocked, said in (
            ("a branch of the repository", {}, True, False, ""),
            ("a run by hand", {"event": "workflow_dispatch"}, True, False, ""),
            (
                "a pull request",
                {"event": "pull_request", "payload": OWN},
                False,
                False,
                "|Nothing is pushed: a pull request never pushes.",
            ),
            (
                "a merge group",
                {"event": "merge_group"},
                False,
                False,
                "|Nothing is pushed: a merge group never pushes.",
            ),
            (
                "an event nobody thought of",
                {"event": "schedule"},
                False,
                False,
                "|Nothing is pushed: a schedule never",
            ),
            (
                "a tag",
                {"ref": "refs/tags/v1"},
                False,
                False,
                "|Nothing is pushed: refs/tags/v1 is not among",
            ),
            (
                "a branch that is not named",
                {"cache": {"pushRefs": ["release/*"]}},
                False,
                False,
                "|Nothing is pushed: refs/heads/main is not among",
            ),
            (
                "no named branch",
                {"cache": {"pushRefs": []}},
                False,
                False,
                "|Nothing is pushed: refs/heads/main is",
            ),
            (
                "no cache",
                {"found": NONE},
                False,
                False,
                "warning|no cache is configured: .*the repository variable CACHIX_CACHE_NAME.*garnix2gha init --cache NAME",
            ),
            (
                "no cache in a fork",
                {"found": NONE, "payload": FORK},
                False,
                False,
                "notice|no cache is configured",
            ),
            (
                "no cache and a pull request",
                {"found": NONE, "event": "pull_request", "payload": OWN},
                False,
                False,
                "|Nothing is pushed: a pull request never pushes.",
            ),
            (
                "no variables in a fork's pull request",
                {"found": NONE, "event": "pull_request", "payload": STRANGER},
                False,
                False,
                "|GitHub gives a fork's pull request no variables.*garnix2gha init --cache",
            ),
            (
                "and in that of a fork that is gone",
                {"found": NONE, "event": "pull_request", "payload": GONE},
                False,
                False,
                "|GitHub gives a fork's pull request no variables",
            ),
            (
                "a name in the settings",
                {"event": "pull_request", "payload": STRANGER},
                False,
                False,
                "|Nothing is pushed: a pull request never pushes.",
            ),
            (
                "no token",
                no,
                False,
                True,
                "error|there is no token to push to the cache mine with: add CACHIX_AUTH_TOKEN",
            ),
            (
                "no token on another branch",
                {**no, "ref": topic},
                False,
                False,
                "warning|there is no token to push to",
            ),
            (
                "no token in a fork",
                {**no, "payload": FORK},
                False,
                False,
                "notice|there is no token to push to the cache mine",
            ),
            (
                "Dependabot on its branch",
                {**no, "payload": BOT, "ref": bots},
                False,
                False,
                "notice|a run started by Dependabot gets no secrets",
            ),
            (
                "somebody on Dependabot's branch",
                {**no, "ref": bots},
                False,
                False,
                "notice|there is no token to push to",
            ),
            (
                "Dependabot on the default branch",
                {**no, "payload": BOT},
                False,
                False,
                "warning|a run started by Dependabot gets no secrets",
            ),
            (
                "Dependabot on another branch",
                {**no, "payload": BOT, "ref": topic},
                False,
                False,
                "warning|a run started by Dependabot",
            ),
            (
                "a cache out of order",
                {"found": DOWN},
                False,
                True,
                "error|the cache mine cannot be used: HTTP 502",
            ),
            (
                "which is a notice to others",
                {"found": DOWN, "event": "pull_request", "payload": OWN},
                False,
                False,
                "notice|the cache mine cannot be read \\(HTTP 502\\): building without it",
            ),
            (
                "a fork without token and cache out of order",
                {**no, "found": DOWN, "payload": FORK},
                False,
                False,
                "notice|there is no token",
            ),
            (
                "the installer without a daemon",
                {"quick": True},
                True,
                False,
                "warning|installer: quick ",
            ),
            (
                "the installer without a daemon or token",
                {**no, "quick": True, "ref": topic},
                False,
                False,
                "warning|there is no token",
            ),
        ):
            with self.subTest(name):
                decided = self.decide(**given)
                self.assertEqual((decided[0], decided[1] == "error"), (push, blocked))
                self.assertTrue(push or decided[2], "something is said where nothing is pushed")
                level, _, pattern = said.partition("|")
                self.assertEqual(decided[1], level)
                self.assertRegex(decided[2], f"^{pattern}" if pattern else "^$")

    def test_patterns_of_branches_are_read_as_github_reads_them(self) -> None:
        for pattern, ref, want in (
            ("**", "refs/heads/a/b", True),
            ("*", "refs/heads/a", True),
            ("*", "refs/heads/a/b", False),
            ("release/**", "refs/heads/release/1/x", True),
            ("release/**", "refs/heads/prerelease/1", False),
            ("release/*", "refs/heads/release/1", True),
            ("releases?", "refs/heads/release", True),
            ("releases?", "refs/heads/releasesx", False),
            ("v1.0", "refs/heads/v1.0", True),
            ("v1.0", "refs/heads/v1x0", False),
            ("main", "refs/heads/main2", False),
            ("main", "refs/heads/Main", False),
            ("d*v", "refs/heads/dev", True),
            (" main ", "refs/heads/main", True),
            ("main", "refs/tags/main", False),
            ("a+b(c)|d", "refs/heads/a+b(c)|d", True),
            ("a+b", "refs/heads/aab", False),
            ("gr\u00fcn/*", "refs/heads/gr\u00fcn/x", True),
            ("**", "refs/heads/$(touch pwned)", True),
            ("refs/heads/main", "refs/heads/main", True),
            ("?main", "refs/heads/main", False),
        ):
            self.assertEqual(decision.matches(pattern, ref), want, f"{pattern!r} on {ref!r}")
        two = {"pushRefs": ["main", "d*v"]}
        self.assertTrue(self.decide(ref="refs/heads/dev", cache=two)[0])
