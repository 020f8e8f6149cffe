"""How other programs are run and ended."""

from __future__ import annotations

import contextlib
import io
import os
import time
import unittest

from harness import annotations, need, scratch

import process
from process import Fault


class Programs(unittest.TestCase):
    def test_what_a_program_writes_and_how_it_ends(self) -> None:
        ended = process.run(
            ["sh", "-c", "printf 'a\\377'; echo b >&2; exit 3"], env={"PATH": os.environ["PATH"]}
        )
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (3, "a\ufffd", "b"))
        self.assertEqual(process.run(["sh", "-c", "kill -9 $$"]).returncode, 137)
        ended = process.run(["sleep", "60"], over=process.after(0.1))
        self.assertEqual(ended.returncode, 124)
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

    def test_what_floods_us_or_blocks_is_ended(self) -> None:
        for script in ("exec yes", "trap '' INT TERM; exec yes"):
            over = process.after(0.2)
            self.assertEqual(
                process.stream(["sh", "-c", script], lambda line: None, over=over), 124
            )

    def test_what_is_ended_may_clean_up_and_say_so(self) -> None:
        self.assert_cleans_up("trap 'echo cleaning; touch {mark}; exit' INT; {works}")

    def test_what_it_started_may_clean_up_when_it_has_ended(self) -> None:
        self.assert_cleans_up("(trap 'sleep 0.3; touch {mark}; exit' INT; {works}) & wait")

    def test_what_is_ended_may_say_much(self) -> None:
        self.assert_cleans_up("trap 'head -c 1000000 /dev/zero; touch {mark}; exit' INT; {works}")

    def assert_cleans_up(self, script: str) -> None:
        """Demand that a script that is ended while it works has the time to touch its mark."""
        mark, lines = scratch(self) / "cleaned", []
        given = script.format(mark=mark, works="echo a; while :; do sleep 0.1; done")
        process.stream(["bash", "-c", given], lines.append, over=lambda: bool(lines))
        self.assertTrue(mark.exists())

    def test_what_a_program_leaves_running_is_not_waited_for(self) -> None:
        need("setsid")
        lines: list[str] = []
        script = "setsid sh -c 'yes | head -c 200000000; echo; echo behind' & sleep 0.1; printf end; exit 3"
        self.assertEqual(process.stream(["sh", "-c", script], lines.append), 3)
        self.assertNotIn("behind", lines)
        lines.clear()
        process.stream(["sh", "-c", "setsid sleep 1 & printf end"], lines.append)
        self.assertEqual(lines, ["end"], "though the output stays open")

    def test_a_program_may_close_its_output_and_go_on(self) -> None:
        lines: list[str] = []
        script = "echo a; exec >&- 2>&-; sleep 0.3; exit 6"
        self.assertEqual(process.stream(["sh", "-c", script], lines.append), 6)
        self.assertEqual(lines, ["a"])

    def test_much_output_arrives_whole_in_order(self) -> None:
        script = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; echo $i.$i >&2; done"
        ended = process.run(["sh", "-c", f"{script}; head -c 3000000 /dev/zero | tr '\\0' x"])
        numbers = [str(number) for number in range(1, 3001)]
        self.assertEqual(ended.stdout.split("\n"), [*numbers, "x" * 3000000])
        self.assertEqual(ended.stderr.split("\n"), [f"{number}.{number}" for number in numbers])

    def test_the_output_of_others_is_no_command(self) -> None:
        forged = "::error::forged\n##[error]\x1b[31mforged"
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code, said = process.show(["sh", "-c", f"printf '{forged}'; exit 7"])
        self.assertEqual((code, said), (7, forged))
        self.assertEqual(annotations(out.getvalue()), [])
        self.assertIn("forged", out.getvalue())
        self.assertNotIn("\x1b", out.getvalue())

    def test_the_runner_obeys_again_where_it_went_wrong(self) -> None:
        def over() -> bool:
            raise KeyError

        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(KeyError):
            process.show(["sleep", "60"], over=over)
        self.assertEqual(annotations(out.getvalue()), [])

    def test_what_outlives_its_program_is_not_shown(self) -> None:
        need("setsid")
        later = "setsid sh -c 'sleep 0.5; echo ::error::behind' &"
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code, said = process.show(["sh", "-c", f"{later} sleep 0.2; echo within"])
            time.sleep(0.6)
        self.assertEqual((code, said), (0, "within"), "nor is it waited for")
        self.assertNotIn("behind", out.getvalue())
