"""What these programs and garnix2gha itself must know alike: tables of cases that both are tested with."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import unittest
from pathlib import Path
from typing import Any

from harness import CASES, Job, need

import evaluate
import nix
import plan
import text
from context import Model
from flake import Flake
from process import Fault


def cases(name: str) -> Any:
    """Return a table."""
    return json.loads((CASES / name).read_text(encoding="utf-8"))


class Tables(unittest.TestCase):
    def test_digests_of_inputs(self) -> None:
        for case in cases("digest.json"):
            digest = plan.digest(case["path"], case["text"].encode())
            self.assertEqual(digest, case["digest"], case["name"])

    def test_cleaning_of_text(self) -> None:
        table = cases("text.json")
        for point in table["harmful"]:
            dirty = f"a{chr(point)}b"
            self.assertEqual(text.plain(dirty), "a b", hex(point))
            self.assertEqual(text.markdown(dirty), "a b", hex(point))
        self.assertEqual(text.plain(table["harmless"]), table["harmless"])

    def test_selection(self) -> None:
        need("nix", "git")
        before = Path.cwd()
        self.addCleanup(os.chdir, before)
        for given in cases("selection.json")["flakes"]:
            job = Job(self)
            head = job.flake(f"{given['outputs']}".replace("leaf", '(throw "leaf")'))
            job.env["PATH"] = os.environ["PATH"]
            os.chdir(job.checkout)
            os.environ["NIX_CONFIG"] = job.env["NIX_CONFIG"]
            model = Model(job.path("plan/targets.json"))
            flake = Flake(model, head, nix.environment(model, {"state": "none"}, ""))
            for case in given["cases"]:
                with self.subTest(flake=given["name"], case=case["name"]):
                    job.model(rules=case["sections"])
                    self.check(flake, Model(job.path("plan/targets.json")), case)

    def check(self, flake: Flake, model: Model, case: dict[str, Any]) -> None:
        """Compare what is listed for a case."""
        if "fails" in case:
            with self.assertRaises(Fault) as caught:
                evaluate.of_branch(flake, model, case["branch"])
            found = re.findall(r"^(\S+) cannot be listed", str(caught.exception), re.MULTILINE)
            self.assertEqual(found, case["fails"])
            return
        with contextlib.redirect_stdout(io.StringIO()) as log:
            paths, unlisted = evaluate.of_branch(flake, model, case["branch"])
        self.assertEqual(sorted(".".join(path) for path in paths), case["targets"])
        dotted = re.findall(
            r"^::notice title=not built::(.*) has a dot", log.getvalue(), re.MULTILINE
        )
        self.assertEqual(dotted, [text.line(name) for name in case.get("dotted", [])])
        self.assertEqual(unlisted, [])
