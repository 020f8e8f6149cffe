"""The tests are worth as much as the stand-in for the Cachix client is like it."""

from __future__ import annotations

import unittest

from building import TOKEN, BuildJob

GONE = "/nix/store/00000000000000000000000000000000-gone"


class Standin(unittest.TestCase):
    def setUp(self) -> None:
        self.job = BuildJob(self)
        self.job.flake('packages.x86_64-linux = { a = ok "a"; b = ok "b"; };')

    def call(self, *arguments: str, token: str = TOKEN, **env: str) -> tuple[int, str]:
        """Call the client; return its exit code and what it said."""
        ended = self.job.call(
            ["cachix", *arguments], {**self.job.env, "CACHIX_AUTH_TOKEN": token, **env}
        )
        return ended.returncode, ended.stdout

    def test_it_falls_into_the_traps_of_the_client(self) -> None:
        skipped = f"Warning: {GONE} is not valid, skipping\nNothing to push - all store paths are already on Cachix.\n"
        for name, token, arguments, code, want in (
            ("no paths", TOKEN, ["push", "mine"], 0, "Nothing to push.\n"),
            ("only invalid paths", TOKEN, ["push", "mine", GONE], 0, skipped),
            ("a wrong token", "old", ["push", "mine", GONE], 1, "401 Unauthorized"),
            ("an empty token counts as one", "", ["use", "mine"], 1, "401 Unauthorized"),
            ("another cache", TOKEN, ["push", "other", GONE], 1, "401 Unauthorized"),
            (
                "the exit code of the command",
                TOKEN,
                ["watch-exec", "mine", "--", "bash", "-c", "exit 7"],
                7,
                "",
            ),
            (
                "a wrong token keeps the command from running",
                "old",
                ["watch-exec", "mine", "--", "touch", "ran"],
                1,
                "",
            ),
            (
                "a mode the parser does not know",
                TOKEN,
                ["watch-exec", "--watch-mode", "auto", "mine", "true"],
                1,
                "",
            ),
            ("a version", "", ["--version"], 0, "cachix 1.11.1\n"),
        ):
            with self.subTest(name):
                ended, said = self.call(*arguments, token=token)
                self.assertEqual(code, ended, said)
                self.assertIn(want, said)
        self.assertFalse((self.job.checkout / "ran").exists())
        self.assertEqual(0, self.job.cache.asked("PUT"))

    def test_it_pushes_what_is_built_and_nothing_that_was_there(self) -> None:
        drvs = {}
        for name in ("a", "b"):
            ended = self.job.call(["nix", "eval", "--raw", f".#{name}.drvPath"])
            drvs[name] = ended.stdout.splitlines()[-1]
        watch = ["watch-exec", "mine"]
        code, said = self.call(
            *watch, "--", "nix-store", "--realise", drvs["a"], STANDIN_CACHIX_FAIL="500"
        )
        self.assertIn("Failed to push some store paths", said)
        self.assertEqual(0, code, "a failed push does not show in the exit code")
        self.assertEqual(0, self.job.cache.asked("PUT"))
        code, said = self.call(*watch, "nix-store", "--", "--realise", drvs["a"], drvs["b"])
        self.assertEqual(0, code, said)
        a, b = (
            line
            for line in said.splitlines()
            if line.startswith("/nix/store/") and line[44:] in "ab"
        )
        self.assertFalse(self.job.cache.has(a), "what was there before is not watched")
        self.assertTrue(self.job.cache.has(b))
        self.assertNotIn(TOKEN, self.job.calls())
        self.assertEqual(1, self.job.calls().count(f"watched mine {b}"))
