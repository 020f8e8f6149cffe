"""A build that GitHub cancels: it sends SIGINT to the step's process, and SIGTERM where that does not end."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import time
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from building import TOKEN, backend
from harness import PYTHON, ROOT, annotations

KEY = f"test-1:{base64.b64encode(bytes(64)).decode()}"
# What lies in files while a build or a push goes on.
FILES = {
    "cachix": {"netrc"},
    "nix": {"netrc", "signing-key"},
    "attic": {"netrc", "config.toml"},
}


class Interrupted:
    """A build with a backend, whose builder sleeps, or whose client does when it pushes; and how it ended."""

    def __init__(self, test: unittest.TestCase, name: str, phase: str, client: str = "") -> None:
        self.job = job = backend(test, name)
        self.name, self.phase = name, phase
        job.settings["private"] = True
        job.model(cache=job.settings)
        job.env |= {"READ_TOKEN": "r3ad"}
        if name == "nix":
            job.env |= {"NIX_SIGNING_KEY": KEY}
        slow = f'd "slow" "x86_64-linux" "echo $$ > {job.temp}/builder; exec /bin/sleep 300"'
        a = slow if phase == "build" else 'ok "a"'
        job.readable(job.flake(f"packages.x86_64-linux.a = {a};"), "a", push=True)
        self.known("nix-store", '[ "$1" = --realise ]')
        # While it builds there is a client only where that watches; nix itself is the one that copies.
        self.waits_for = ["nix-store", "builder"] if phase == "build" else [name]
        if phase == "build" and name == "cachix":
            self.waits_for.append(name)
            self.known(name, "true")
        elif phase == "push":
            pushes = '[ "$1" = copy ]' if name == "nix" else '[ "$1" = push ]'
            self.known(name, pushes, client or "exec sleep 300")

    def known(self, tool: str, when: str, does: str = "") -> None:
        """Let a program tell its number when it begins with what is meant, and do something else."""
        real = self.job.bin / tool
        call = f'PATH=${{PATH#*:}} exec {tool} "$@"'
        if real.exists():
            call = f'exec {real.rename(self.job.bin / f"{tool}-itself")} "$@"'
        told = f"{self.job.temp}/{tool}"
        self.job.tool(tool, f"if {when}; then echo $$ >{told}; {does or ':'}; fi\n{call}\n")

    def start(self) -> subprocess.Popen[str]:
        """Start it, and wait until it is at what takes so long."""
        call = [PYTHON, "-IBu", str(self.job.programs), "build"]
        output, err = subprocess.PIPE, subprocess.STDOUT
        child = subprocess.Popen(
            call, env=self.job.env, cwd=self.job.checkout, stdout=output, stderr=err, text=True
        )
        self.job.test.addCleanup(self.stop, child)
        wait(lambda: all(map(self.number, self.waits_for)) or child.poll() is not None)
        return child

    def stop(self, child: subprocess.Popen[str]) -> None:
        """End what has not ended."""
        child.kill()
        for number in filter(None, map(self.number, self.waits_for)):
            if not ended(number):
                os.kill(number, signal.SIGKILL)

    def end(self, number: int) -> str:
        """Run it and interrupt it; return what it printed."""
        child = self.start()
        self.before = self.files()
        child.send_signal(number)
        log, _ = child.communicate(timeout=120)
        self.code = child.returncode
        return log

    def number(self, name: str) -> int:
        """Return the number of a process that told it, 0 for none yet."""
        file = self.job.temp / name
        told = file.read_text() if file.exists() else ""
        return int(told) if told.endswith("\n") else 0

    def goes_on(self, name: str) -> bool:
        """Say whether a process that told its number has not ended in good time."""
        return not wait(lambda: ended(self.number(name)))

    def files(self) -> set[str]:
        """Return the names of the files with secrets that there are."""
        names = {file.name for file in self.job.temp.rglob("*")}
        return names & set().union(*FILES.values())


def wait(until: Callable[[], bool]) -> bool:
    """Wait a good while until something is so; say whether it is."""
    end = time.monotonic() + 60
    while not until() and time.monotonic() < end:
        time.sleep(0.05)
    return until()


def ended(number: int) -> bool:
    """Say whether a process has ended, also where nobody asked how."""
    status = Path(f"/proc/{number}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@unittest.skipIf(ROOT, "the signal would be for unshare")
class Interruptions(unittest.TestCase):
    def test_nothing_goes_on_and_no_secret_is_left(self) -> None:
        cases = [
            (Interrupted(self, name, phase), number)
            for name, phase in (
                ("cachix", "build"),
                ("nix", "build"),
                ("cachix", "push"),
                ("nix", "push"),
                ("attic", "push"),
            )
            for number in (signal.SIGINT, signal.SIGTERM)
        ]
        with ThreadPoolExecutor(3) as pool:
            logs = list(pool.map(lambda case: case[0].end(case[1]), cases))
        for (run, number), log in zip(cases, logs, strict=True):
            with self.subTest(run.name, phase=run.phase, signal=number.name):
                self.assertEqual(128 + number, run.code, log)
                self.assertEqual(FILES[run.name], run.before, "it was at work\n" + log)
                self.assertEqual(set(), run.files())
                for secret in (TOKEN, "r3ad", KEY):
                    self.assertEqual([], run.job.kept(secret))
                self.assertEqual([], [name for name in run.waits_for if run.goes_on(name)], log)
                self.assertEqual([], annotations(log), "nor does it speak of a fault")
                self.assertNotIn("Traceback", log)
                self.assertFalse(run.job.path("result/one.json").exists())

    def test_a_client_that_heeds_nothing_delays_until_the_second_signal(self) -> None:
        heeds = "trap 'echo 1 >$RUNNER_TEMP/heard' INT; trap '' TERM; while :; do sleep 0.1; done"
        run = Interrupted(self, "attic", "push", heeds)
        child = run.start()
        self.assertEqual(FILES["attic"], run.files())
        child.send_signal(signal.SIGINT)
        self.assertTrue(wait(lambda: bool(run.number("heard"))))
        child.send_signal(signal.SIGTERM)
        log, _ = child.communicate(timeout=120)
        self.assertEqual(128 + signal.SIGTERM, child.returncode, log)
        self.assertEqual(set(), run.files())
        self.assertNotIn("Traceback", log)
