"""What a build job tells people."""

from __future__ import annotations

import contextlib
import io
import unittest
from typing import Any
from unittest import mock

from harness import HOSTILE, annotations, plain_lines, scratch

import build
from report import Note


def outcome(
    attr: str, state: str, cause: str = "", log: str = "", **outputs: str
) -> dict[str, Any]:
    """Return what became of a target."""
    return {"attr": attr, "state": state, "cause": cause, "log": log, "outputs": outputs}


def result(targets: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return what became of an entry."""
    return {
        "entry": "x86_64-linux-1",
        "pushed": False,
        "diskFull": False,
        "targets": targets,
        **more,
    }


class Report(unittest.TestCase):
    def tell(
        self, told: dict[str, Any], system: str = "x86_64-linux", *faults: tuple[str, str]
    ) -> tuple[str, str]:
        """Return the log and the summary."""
        summary, log = scratch(self) / "summary", io.StringIO()
        env = mock.patch.dict("os.environ", GITHUB_STEP_SUMMARY=str(summary))
        with env, contextlib.redirect_stdout(log):
            notes = [Note("error", *fault) for fault in faults]
            build._tell({"name": "x86_64-linux (1/2)", "system": system}, told, notes)
        return log.getvalue(), summary.read_text()

    def test_a_row_for_everything_and_an_annotation_for_what_failed(self) -> None:
        targets = [
            outcome("b.multi", "built", out="/x", dev="/y"),
            outcome("a.one", "built", out="/x"),
            outcome("bad", "failed", "its builder failed", "last\nwords\n"),
            outcome("thrown", "evaluation-failed", "does not evaluate: no"),
            outcome("late", "not-started", "there was no time left"),
        ]
        log, summary = self.tell(result(targets, pushed=True))
        self.assertEqual(
            [
                "error|thrown|thrown does not evaluate: no",
                "error|bad|bad is not built: its builder failed\nlast\nwords",
                "error|late|late is not built: there was no time left",
            ],
            annotations(log),
        )
        self.assertIn("### x86&#95;64-linux (1/2)\n", summary)
        self.assertIn("\n2 built, 3 not, pushed\n", summary)
        rows = plain_lines(summary, r"\| (built|failed|evaluation-failed|not-started) \|")
        self.assertEqual(
            [
                "| evaluation-failed | <code>thrown</code> | does not evaluate&#58; no |",
                "| failed | <code>bad</code> | its builder failed |",
                "| not-started | <code>late</code> | there was no time left |",
                "| built | <code>a.one</code> | 1 output |",
                "| built | <code>b.multi</code> | 2 outputs |",
            ],
            rows,
        )
        self.assertIn("0 built, 0 not, not pushed", self.tell(result([]))[1])

    def test_advice_against_a_full_disk_fits_the_system(self) -> None:
        full = result([outcome("a", "failed", "No space left on device")], diskFull=True)
        for system, linux in (
            ("x86_64-linux", True),
            ("aarch64-linux", True),
            ("aarch64-darwin", False),
        ):
            with self.subTest(system):
                first = annotations(self.tell(full, system)[0])[0]
                self.assertRegex(
                    first, r"^error\|disk full\|No space left on device: .*larger runner"
                )
                self.assertEqual(linux, "disk-space: free" in first)

    def test_what_else_went_wrong_comes_first(self) -> None:
        log, summary = self.tell(
            result([outcome("a", "built", out="/x")]), "x", ("Push", "refused <b>")
        )
        self.assertEqual(["error|Push|refused <b>"], annotations(log))
        self.assertIn("refused &#60;b&#62;", summary)

    def test_it_stays_within_githubs_limits(self) -> None:
        targets = [
            outcome(f"packages.x86_64-linux.{'<' * 200}{number}", "failed", "|" * 500, "%\n" * 4000)
            for number in range(2500)
        ]
        log, summary = self.tell(result(targets, diskFull=True))
        found = annotations(log)
        self.assertEqual(11, len(found))
        self.assertEqual("notice|x86_64-linux (1/2)|and 2491 more", found[10])
        self.assertTrue(all(len(annotation) <= 4500 for annotation in found))
        self.assertLessEqual(len(summary), 910000)

    def test_hostile_text_is_harmless(self) -> None:
        targets = [
            outcome(name, "failed", name, f"x\n{name}\n::stop-commands::x\n") for name in HOSTILE
        ]
        log, summary = self.tell(result(targets))
        self.assertEqual(11, len(annotations(log)))
        for bad in ("\x1b", "\u202e", "##["):
            self.assertNotIn(bad, log + summary)
        self.assertNotIn("<img", summary)
        rows = plain_lines(summary, r"\| failed")
        self.assertEqual(len(HOSTILE), len(rows))
        self.assertEqual({4}, {row.count("|") for row in rows})
