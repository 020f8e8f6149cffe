"""Which flake is evaluated: that of the commit, or of the tree where a lock file is missing."""

from __future__ import annotations

import shutil
import subprocess
import unittest
from pathlib import Path

from harness import need, scratch
from planning import PlanJob, by_attr, rules

A = "packages.x86_64-linux.a"


class Tree(unittest.TestCase):
    def setUp(self) -> None:
        need("nix", "git")
        self.job = PlanJob(self)
        self.job.model(targets={A: True})

    def drv(self) -> str:
        plan, self.end = self.job.planned()
        return str(by_attr(plan["targets"])[A]["drv"])

    def test_the_commit_counts_and_not_the_tree(self) -> None:
        name = 'builtins.readFile ./name + (if builtins.pathExists ./untracked then "untracked" else "")'
        head = self.job.flake(
            f"{A} = ok (builtins.substring 0 7 self.rev + {name});", name="-clean"
        )
        self.job.git("checkout", "-q", "--detach")
        (self.job.checkout / "name").write_text("-dirty")
        (self.job.checkout / "untracked").write_text("")
        self.assertRegex(self.drv(), rf"-{head[:7]}-clean\.drv$")
        self.assertEqual([text for text in self.end.annotations if "flake.lock" in text], [])

        # A commit of the repository that nobody checked out, as a pull request's head may be.
        (self.job.checkout / "untracked").unlink()
        self.job.commit({"name": "-newer"})
        newer = self.job.git("rev-parse", "HEAD").strip()
        self.job.git("checkout", "-q", "--force", head)
        self.job.env["GITHUB_SHA"] = newer
        self.assertRegex(self.drv(), rf"-{newer[:7]}-newer\.drv$")

    def test_a_flake_in_a_folder(self) -> None:
        self.job.flake("", name="one")
        text = (self.job.checkout / "flake.nix").read_text()
        inner = text.replace("in {", f"in {{ {A} = ok (builtins.readFile ../name);")
        self.job.commit({"sub dir/flake.nix": inner})
        self.job.env["GITHUB_SHA"] = self.job.git("rev-parse", "HEAD").strip()
        self.job.model(targets={A: True}, flakeDir="sub dir")
        self.assertRegex(self.drv(), r"-one\.drv$")

        other = self._input("other")
        text = inner.replace("{ self }", "{ self, other }").replace(
            "outputs", f'inputs.other.url = "path:{other}";\n  outputs', 1
        )
        self.job.commit({"sub dir/flake.nix": text, "name": "two"})
        self.job.env["GITHUB_SHA"] = self.job.git("rev-parse", "HEAD").strip()
        end = self.job.run("plan")
        if end.code:
            self.assertRegex(
                end.log,
                "the flake cannot be read: .*'dir'",
                "nix before 2.19 cannot lock such a flake",
            )
        else:
            plan = self.job.get("plan/plan.json")
            self.assertRegex(by_attr(plan["targets"])[A]["drv"], r"-two\.drv$")

    def test_a_lock_file_that_is_missing_or_stale_is_written(self) -> None:
        first, second = (self._input(name) for name in ("first", "second"))
        outputs = f"{A} = ok other.name;"
        self._with_input(outputs, first)
        self.assertRegex(self.drv(), r"-first\.drv$")
        self.assertTrue((self.job.checkout / "flake.lock").exists())
        warnings = [text for text in self.end.annotations if "nix flake lock" in text]
        self.assertEqual(len(warnings), 1, self.end.log)
        self.assertTrue(warnings[0].startswith("warning|Evaluate flake.nix|flake.lock is missing"))

        self.job.commit({})
        self.job.env["GITHUB_SHA"] = self.job.git("rev-parse", "HEAD").strip()
        self.assertRegex(self.drv(), r"-first\.drv$")
        self.assertNotIn("nix flake lock", self.end.log, "now it is locked")

        text = (self.job.checkout / "flake.nix").read_text()
        self.job.commit({"flake.nix": text.replace(str(first), str(second))})
        self.job.env["GITHUB_SHA"] = self.job.git("rev-parse", "HEAD").strip()
        self.assertRegex(self.drv(), r"-second\.drv$")
        self.assertIn("nix flake lock", self.end.log)

    def _input(self, name: str) -> Path:
        folder = scratch(self)
        (folder / "flake.nix").write_text(f'{{ outputs = {{ self }}: {{ name = "{name}"; }}; }}')
        return folder

    def _with_input(self, outputs: str, folder: Path) -> None:
        self.job.flake(outputs)
        text = (self.job.checkout / "flake.nix").read_text()
        changed = text.replace(
            "outputs = { self }",
            f'inputs.other.url = "path:{folder}";\n  outputs = {{ self, other }}',
        )
        self.job.commit({"flake.nix": changed})
        self.job.env["GITHUB_SHA"] = self.job.git("rev-parse", "HEAD").strip()


class Unreadable(unittest.TestCase):
    def setUp(self) -> None:
        need("nix", "git")
        self.job = PlanJob(self)

    def refusal(self, **entries: object) -> str:
        _, end = self.job.planned(code=1, rules=rules("*.*"), **entries)
        self.assertEqual(len(end.annotations), 1, end.log)
        self.assertTrue(end.annotations[0].startswith("error|Evaluate flake.nix|"), end.log)
        return end.annotations[0]

    def test_the_folder(self) -> None:
        self.job.flake("", **{"inside/x": ""})
        (self.job.checkout / "out").symlink_to(scratch(self))
        for folder in ("..", "out", "inside/../..", "/etc", "none", "-"):
            refusal = self.refusal(flakeDir=folder)
            self.assertIn(f"the flake's directory {folder} is not in the checkout", refusal)

    def test_no_flake_and_one_that_is_none(self) -> None:
        self.job.commit({"README": ""})
        self.job.env["GITHUB_SHA"] = self.job.git("rev-parse", "HEAD").strip()
        self.assertIn("the flake cannot be read: ", self.refusal())
        for text, message in {
            "{ outputs = { self }: { a = ; } }": "syntax error",
            '{ outputs = { self }: throw "nothing works"; }': "nothing works",
        }.items():
            self.job.commit({"flake.nix": text})
            self.job.env["GITHUB_SHA"] = self.job.git("rev-parse", "HEAD").strip()
            self.assertRegex(self.refusal(), f"the flake cannot be read: (.|\n)*{message}")
        self.job.env["GITHUB_SHA"] = ""
        self.assertIn("the flake cannot be read: ", self.refusal())

    def test_a_shallow_clone(self) -> None:
        self.job.flake(f'{A} = ok "a";')
        self.job.commit({"more": ""})
        head = self.job.git("rev-parse", "HEAD").strip()
        whole = scratch(self) / "whole"
        shutil.move(self.job.checkout / ".git", whole)
        clone = [
            "git",
            "clone",
            "-q",
            "--bare",
            "--depth",
            "1",
            f"file://{whole}",
            str(self.job.checkout / ".git"),
        ]
        subprocess.run(clone, check=True)
        self.job.git("config", "core.bare", "false")
        self.job.env["GITHUB_SHA"] = head
        self.job.model(targets={A: True})
        end = self.job.run("plan")
        if end.code:
            self.assertIn("fetch-depth: 0", end.log)
