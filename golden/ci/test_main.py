"""How a program ends."""

from __future__ import annotations

import os
import subprocess
import unittest

from harness import PYTHON, ROOT, Job


class Ends(unittest.TestCase):
    def setUp(self) -> None:
        self.job = Job(self)

    def test_a_command_that_nobody_knows_is_a_fault(self) -> None:
        for arguments in ((), ("os",), ("text",), ("--help",)):
            end = self.job.run(*arguments)
            self.assertEqual(end.code, 1)
            self.assertRegex(end.annotations[0], r"^error\|garnix2gha\|a fault in the programs: ")

    def test_a_fault_of_ours_is_told_in_one_line_without_foreign_text(self) -> None:
        self.replace(
            "def main(arguments):\n    raise ValueError('::error::' + chr(10) + '::error::forged')\n"
        )
        end = self.job.run("disk")
        self.assertEqual(end.code, 1)
        self.assertEqual(len(end.annotations), 1, end.log)
        self.assertRegex(
            end.annotations[0],
            r"^error\|garnix2gha\|a fault in the programs: ValueError in main:2 < main:",
        )
        self.assertNotIn("forged", end.log)

    def test_what_a_person_must_know_is_an_annotation(self) -> None:
        self.replace(
            "import process\ndef main(arguments):\n    raise process.Fault('no: 100%\\n::error::x \\x1b[31mred', 'a,b')\n"
        )
        end = self.job.run("disk")
        self.assertEqual((end.code, end.annotations), (1, ["error|a,b|no: 100%\n::error::x red"]))

    @unittest.skipIf(ROOT, "the signal would be for unshare")
    def test_a_cancelled_run_cleans_up(self) -> None:
        self.replace(
            "import process\ndef main(arguments):\n    try:\n        print('it runs', flush=True)\n        process.pause(60)\n    finally:\n        print('cleaned up')\n"
        )
        call = [PYTHON, "-IBu", str(self.job.programs), "disk"]
        with subprocess.Popen(call, env=self.job.env, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            self.assertEqual(child.stdout.readline(), "it runs\n")
            child.terminate()
            self.assertEqual(child.stdout.read(), "cleaned up\n")
        self.assertEqual(child.returncode, 143)

    @unittest.skipIf(ROOT, "the signal would be for unshare")
    def test_what_has_just_been_started_ends_too(self) -> None:
        # Told to end when it has started a program, and before it knows that.
        self.starts("", "os.kill(os.getpid(), signal.SIGTERM)")
        end = self.job.run("disk")
        self.assertEqual((end.code, end.annotations), (143, []))
        with self.assertRaises(ProcessLookupError):
            os.kill(int(end.log), 0)

    @unittest.skipIf(ROOT, "the signal would be for unshare")
    def test_nothing_is_started_any_more(self) -> None:
        self.starts("os.kill(os.getpid(), signal.SIGTERM)", "")
        end = self.job.run("disk")
        self.assertEqual((end.code, end.log), (143, ""))

    def starts(self, before: str, then: str) -> None:
        """Let a command do something before and just after it starts a program, which tells its number."""
        self.replace(f"""
import os, process, signal, subprocess
real = subprocess.Popen
def start(*arguments, **how):
    child = real(*arguments, **how)
    print(child.pid, flush=True)
    {then or "pass"}
    return child
subprocess.Popen = start
def main(arguments):
    {before or "pass"}
    process.stream(["sleep", "300"], print)
""")

    def replace(self, source: str) -> None:
        """Put another module in the place of a command's."""
        (self.job.programs / "disk.py").write_text(source)
