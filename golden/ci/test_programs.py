"""The form of the programs: what holds for every file of them."""

from __future__ import annotations

import re
import sys
import unittest

from harness import PROGRAMS

FILES = {
    file.name: file.read_text(encoding="utf-8") for file in PROGRAMS.iterdir() if file.is_file()
}


class Form(unittest.TestCase):
    def test_they_are_short_and_plain(self) -> None:
        self.assertGreater(len(FILES), 10)
        for name, text in FILES.items():
            if name.endswith(".py"):
                self.assertLessEqual(text.count("\n"), 200, name)
                self.assertRegex(text, r'^"""\w', f"{name} says what it does")
                self.assertNotIn(
                    name.removesuffix(".py"), sys.stdlib_module_names - {"__main__"}, name
                )
            self.assertTrue(text.isascii(), name)
            self.assertTrue(text.endswith("\n") and not text.endswith("\n\n"), name)
            self.assertNotIn("${" + "{", text, name)

    def test_no_shell_and_only_what_every_nix_knows(self) -> None:
        for name, text in FILES.items():
            for word in ("shell=True", "os.system", "os.popen", '"sh"', '"bash"', "eval("):
                self.assertNotIn(word, text, name)
            for word in (
                "^*",
                "--print-out-paths",
                "--impure",
                "--accept-flake-config",
                "path-info",
                "nix-collect-garbage",
            ):
                self.assertNotIn(word, text, name)

    def test_nix_is_called_in_one_way(self) -> None:
        """Whatever calls nix does it through nix.command, which keeps a flake from configuring it."""
        for name, text in FILES.items():
            if name != "nix.py":
                self.assertEqual(re.findall(r'\["nix[a-z-]*"', text), [], name)
