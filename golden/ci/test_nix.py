"""How nix is called, and what its messages mean."""

from __future__ import annotations

import json
import os
import unittest
from unittest import mock

from harness import SECRETS, scratch

import nix
from context import Model

BUILD = "error: Cannot build '/nix/store/x.drv'.\n       Reason: required system or feature not available\n       Required system: 'aarch64-linux' with features {}\n"


class Messages(unittest.TestCase):
    def test_the_last_error_is_the_reason(self) -> None:
        for name, messages, code, want in (
            (
                "old nix",
                "warning: x\nerror: no luck\n(use '--show-trace' to show detailed location information)\n",
                1,
                "no luck",
            ),
            (
                "several lines",
                "error: no\n       luck\n       today\n\n       at /nix/store/x:1:2:\n",
                1,
                "no\nluck\ntoday",
            ),
            (
                "newer nix, with its trace before it",
                "error:\n       \u2026 while evaluating the attribute 'x'\n         at \u00abstring\u00bb:1:2:\n            1| x\n             | ^\n\n       error: attribute 'y' missing\n       at /nix/store/a/flake.nix:1:2:\n",
                1,
                "attribute 'y' missing",
            ),
            (
                "a syntax error",
                "error: syntax error, unexpected end of file\n\n       at /nix/store/x/flake.nix:1:13:\n",
                1,
                "syntax error, unexpected end of file",
            ),
            (
                "an empty first line",
                "error:\n       Failed assertions:\n       - a\n       - b\n",
                1,
                "Failed assertions:\n- a\n- b",
            ),
            ("colours", "\x1b[31;1merror:\x1b[0m a\n", 1, "a"),
            ("no error", "warning: x\nSegmentation fault", 1, "Segmentation fault"),
            ("killed", "warning: x", 137, "nix was killed by signal 9; out of memory?"),
            ("nothing", "", 1, "evaluation failed"),
            ("only the word", "error:\n", 1, "evaluation failed"),
            ("a long one", f"error: {'x' * 5000}", 1, "x" * 1500),
        ):
            self.assertEqual(nix.reason(messages, code), want, name)

    def test_what_only_a_build_would_help(self) -> None:
        for messages, want in (
            (
                "error: unable to start any build; either increase '--max-jobs' or enable remote builds.\n",
                True,
            ),
            (
                "error:\n  Unable to start any build;\n  either increase '--max-jobs' or enable remote builds.\n",
                True,
            ),
            (
                "error: a 'aarch64-darwin' with features {} is required to build '/nix/store/x.drv', but I am a 'x86_64-linux'",
                True,
            ),
            (
                "error: cannot build '/nix/store/x.drv' during evaluation because the option 'allow-import-from-derivation' is disabled",
                True,
            ),
            (BUILD, True),
            ("error: 1 dependencies of derivation '/nix/store/x.drv' failed to build", True),
            (
                "error: evaluation aborted with the following error message: 'cannot build 'x''",
                False,
            ),
            (
                "error: attribute 'x' missing\n\n       at /nix/store/a/flake.nix:1:2:\n            1| x = abort \"cannot build 'x'\";\n",
                False,
            ),
            ("error: infinite recursion encountered", False),
        ):
            self.assertEqual(nix.needs_build(nix.reason(messages, 1)), want, messages)


class Settings(unittest.TestCase):
    def test_nix_has_our_settings_after_the_machines_and_no_secrets(self) -> None:
        file = scratch(self) / "targets.json"
        file.write_text(json.dumps({"version": 1, "nix": ["max-silent-time = 3600"]}))
        facts = {"state": "ok", "url": "https://c.example", "keys": ["c-1:AAAA=", "c-2:BBBB="]}
        env = {**dict.fromkeys(SECRETS, "s3cret"), "NIX_CONFIG": "cores = 1", "PATH": "/bin"}
        with mock.patch.dict(os.environ, env, clear=True):
            plain = nix.environment(Model(file), {"state": "none"}, "")
            full = nix.environment(Model(file), facts, "")
            down = nix.environment(Model(file), {**facts, "state": "unusable"}, "")
        self.assertEqual(set(plain), {"NIX_CONFIG", "PATH"})
        self.assertEqual(plain, down, "a cache that cannot be read is no substituter")
        lines = full["NIX_CONFIG"].split("\n")
        self.assertEqual(lines[0], "cores = 1")
        self.assertIn("max-silent-time = 3600", lines)
        self.assertIn("extra-substituters = https://c.example", lines)
        self.assertIn("extra-trusted-public-keys = c-1:AAAA= c-2:BBBB=", lines)
        self.assertEqual(
            nix.command("nix", "eval"), ["nix", "eval", "--option", "accept-flake-config", "false"]
        )

    def test_the_credentials_of_a_private_cache_are_nobodys_else(self) -> None:
        folder, file = scratch(self), scratch(self) / "targets.json"
        url = "https://c.example/x"
        for private, token, event, state in (
            (True, "t0ken", "push", "ok"),
            (True, "", "push", "ok"),
            (True, "t0ken", "pull_request", "ok"),
            (True, "t0ken", "push", "none"),
            (False, "t0ken", "push", "ok"),
        ):
            cache = {"backend": "nix", "url": url, "private": private}
            file.write_text(json.dumps({"version": 1, "cache": cache}))
            env = {"READ_TOKEN": token, "GITHUB_EVENT_NAME": event}
            with mock.patch.dict(os.environ, env):
                facts = {"state": state, "url": url, "keys": []}
                found = nix.environment(Model(file), facts, str(folder))
            reads = (private, token, event, state) == (True, "t0ken", "push", "ok")
            self.assertEqual(f"netrc-file = {folder / 'netrc'}" in found["NIX_CONFIG"], reads)
            self.assertNotIn("t0ken", "".join(found.values()))
            self.assertEqual([one.name for one in folder.iterdir()], ["netrc"] * reads)
            if reads:
                path = folder / "netrc"
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)
                self.assertEqual(path.read_text(), "machine c.example password t0ken\n")
                path.unlink()
