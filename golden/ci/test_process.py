"""How other programs are run and ended."""

from __future__ import annotations

import contextlib
import io
import os
import time
import unittest

from harness import annotations, scratch

import process
from process import Fault


class Programs(unittest.TestCase):
    def test_what_a_program_writes_and_how_it_ends(self) -> None:
        ended = process.run(
            ["sh", "-c", "printf 'a\\377'; echo b >&2; exit 3"], env={"PATH": os.environ["PATH"]}
        )
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (3, "a\ufffd", "b"))
        self.assertEqual(process.run(["sh", "-c", "kill -9 $$"]).returncode, 137)
        self.assertEqual(process.run(["sleep", "60"], seconds=0.1).returncode, 124)
        for name, message in (
            ("no-such-program", "is not installed on this runner"),
            ("/etc/passwd", "cannot be started: "),
        ):
            with self.assertRaisesRegex(Fault, f"{name} {message}"):
                process.run([name])

    def test_lines_are_handed_on(self) -> None:
        lines: list[str] = []
        code = process.stream(
            ["sh", "-c", "read x; echo got $x; printf 'end\\377' >&2; exit 5"],
            lines.append,
            stdin="in\n",
        )
        self.assertEqual((code, lines), (5, ["got in", "end\ufffd"]))
        lines.clear()
        process.stream(["sh", "-c", "echo out; echo err >&2"], lines.append, out=lambda line: None)
        self.assertEqual(lines, ["err"])
        self.assertEqual(
            process.stream(["true"], print, stdin="x" * 1_000_000), 0, "nobody need read"
        )

    def test_what_takes_too_long_and_what_it_started_is_ended(self) -> None:
        mark = scratch(self) / "alive"
        script = (
            f"touch {mark}; (while :; do touch {mark}; sleep 0.05; done) & echo started; sleep 60"
        )
        lines: list[str] = []
        self.assertEqual(
            process.stream(["bash", "-c", script], lines.append, over=lambda: bool(lines)), 124
        )
        self.assert_dead(mark)
        self.assertEqual(
            process.stream(
                [
                    "bash",
                    "-c",
                    f"touch {mark}; (while :; do touch {mark}; sleep 0.05; done) & sleep 0.2; exit 4",
                ],
                print,
            ),
            4,
        )
        self.assert_dead(mark)

    def assert_dead(self, mark) -> None:
        """Demand that nobody touches a file any more."""
        time.sleep(0.1)
        mark.unlink()
        time.sleep(0.3)
        self.assertFalse(mark.exists())

    def test_a_fault_while_reading_ends_the_program(self) -> None:
        def each(line: str) -> None:
            raise KeyError(line)

        with self.assertRaisesRegex(KeyError, "a"):
            process.stream(["sh", "-c", "echo a; sleep 60"], each)

    def test_the_output_of_others_is_no_command(self) -> None:
        out = io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.suppress(KeyError),
            process.foreign_output() as show,
        ):
            show("::error::forged")
            show("##[error]\x1b[31mforged")
            raise KeyError
        self.assertEqual(annotations(out.getvalue()), [])
        self.assertNotIn("\x1b", out.getvalue())

    def test_what_outlives_its_program_is_not_shown(self) -> None:
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            with process.foreign_output() as show:
                show("::error::within")
            show("::error::behind")
        self.assertIn("within", shown.getvalue())
        self.assertNotIn("behind", shown.getvalue())
