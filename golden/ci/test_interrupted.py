"""A build that GitHub cancels: it sends SIGINT to the step's process, and SIGTERM where that does not end."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import time
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from building import TOKEN, BuildJob, backend
from harness import PYTHON, ROOT, Job, annotations, need
from planning import PlanJob

KEY = f"test-1:{base64.b64encode(bytes(64)).decode()}"
# What lies in files while a build or a push goes on.
FILES = {
    "cachix": {"netrc"},
    "nix": {"netrc", "signing-key"},
    "attic": {"netrc", "config.toml"},
}


class Interrupted:
    """A program of a job that is busy with what does not end by itself, and how it ends then."""

    def __init__(self, job: Job, command: str) -> None:
        self.job, self.command = job, command
        self.output = job.temp / "output"
        self.waits_for: list[str] = []  # names of processes that tell their numbers

    def known(self, tool: str, when: str, does: str = "") -> None:
        """Let a program tell its number when it begins with what is meant, and do something else."""
        real = self.job.bin / tool
        call = f'PATH=${{PATH#*:}} exec {tool} "$@"'
        if real.exists():
            call = f'exec {real.rename(self.job.bin / f"{tool}-itself")} "$@"'
        told = f"{self.job.temp}/{tool}"
        self.job.tool(tool, f"if {when}; then echo $$ >{told}; {does or ':'}; fi\n{call}\n")

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, and wait until it is at what takes so long."""
        call = [PYTHON, "-IBu", str(self.job.programs), self.command]
        with self.output.open("w") as output:
            where = {"env": self.job.env, "cwd": self.job.checkout}
            child = subprocess.Popen(call, stdout=output, stderr=output, **where)
        self.job.test.addCleanup(self.stop, child)
        wait(lambda: all(map(self.number, self.waits_for)) or child.poll() is not None)
        return child

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """End what has not ended."""
        child.kill()
        for number in filter(None, map(self.number, self.waits_for)):
            if not ended(number):
                os.kill(number, signal.SIGKILL)

    def end(self, number: int) -> None:
        """Run it and interrupt it."""
        child = self.start()
        self.before = self.files()
        child.send_signal(number)
        self.code = child.wait(timeout=120)
        self.log = self.output.read_text()

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


class InterruptedBuild(Interrupted):
    """A build with a backend, whose builder sleeps, at once or after a flood of lines, or whose client does when it pushes."""

    job: BuildJob

    def __init__(self, test: unittest.TestCase, name: str, phase: str, client: str = "") -> None:
        super().__init__(backend(test, name), "build")
        job = self.job
        self.name, self.phase = name, phase
        job.settings["private"] = True
        job.model(cache=job.settings)
        job.env |= {"READ_TOKEN": "r3ad"}
        if name == "nix":
            job.env |= {"NIX_SIGNING_KEY": KEY}
        says = f"/usr/bin/yes {'y' * 100} | /usr/bin/head -c 1000000;" if phase == "flood" else ""
        builder = f"{says} echo $$ > {job.temp}/builder; {says} exec /bin/sleep 300"
        a = 'ok "a"' if phase == "push" else f'd "slow" "x86_64-linux" "{builder}"'
        job.readable(job.flake(f"packages.x86_64-linux.a = {a};"), "a", push=True)
        self.known("nix-store", '[ "$1" = --realise ]')
        # While it builds there is a client only where that watches; nix itself is the one that copies.
        self.waits_for = [name] if phase == "push" else ["nix-store", "builder"]
        if phase != "push" and name == "cachix":
            self.waits_for.append(name)
            self.known(name, "true")
        elif phase == "push":
            pushes = '[ "$1" = copy ]' if name == "nix" else '[ "$1" = push ]'
            self.known(name, pushes, client or "exec sleep 300")


def interrupted_plan(test: unittest.TestCase) -> Interrupted:
    """Return a plan of two systems, both of which nix is busy with."""
    run = Interrupted(PlanJob(test), "plan")
    job = run.job
    job.event("push")
    run.waits_for = ["x86_64-linux", "aarch64-linux"]
    packages = [f"packages.{system}.a" for system in run.waits_for]
    cache = job.cache(private=True)
    job.model(cache=cache, targets=dict.fromkeys(packages, True))
    job.flake("".join(f'{attr} = d "a" "x86_64-linux" "";' for attr in packages))
    job.write_model()
    job.env |= {"READ_TOKEN": "r3ad"}
    asked = "".join(
        f"""*describe*{system}*) echo $$ >{job.temp}/{system}; exec sleep 300;; """
        for system in run.waits_for
    )
    real = shutil.which("nix-instantiate")
    job.tool(
        "nix-instantiate",
        f'given=$(cat)\ncase ${{given##*request = }} in {asked}esac\nprintf %s "$given" | {real} "$@"\n',
    )
    return run


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
            (InterruptedBuild(self, name, phase), number)
            for name, phase in (
                ("cachix", "build"),
                ("nix", "build"),
                ("cachix", "flood"),
                ("nix", "flood"),
                ("cachix", "push"),
                ("nix", "push"),
                ("attic", "push"),
            )
            for number in (signal.SIGINT, signal.SIGTERM)
        ]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda case: case[0].end(case[1]), cases))
        for run, number in cases:
            with self.subTest(run.name, phase=run.phase, signal=number.name):
                self.assertEqual(FILES[run.name], run.before, "it was at work\n" + run.log)
                self.ended(run, 128 + number)
                self.assertFalse(run.job.path("result/one.json").exists())

    def test_every_nix_that_evaluates_ends(self) -> None:
        need("nix", "git")
        run = interrupted_plan(self)
        run.end(signal.SIGTERM)
        self.assertEqual({"netrc"}, run.before, "it was at work\n" + run.log)
        self.ended(run, 128 + signal.SIGTERM)
        self.assertFalse(run.job.path("plan/plan.json").exists())

    def test_a_client_that_heeds_nothing_is_killed(self) -> None:
        heeds = "trap '' INT TERM; while :; do sleep 0.1; done"
        run = InterruptedBuild(self, "attic", "push", heeds)
        run.end(signal.SIGINT)
        self.ended(run, 128 + signal.SIGINT)

    def test_a_nix_that_heeds_nothing_is_killed_before_what_runs_it(self) -> None:
        run = InterruptedBuild(self, "cachix", "build")
        run.known(
            "nix-store", '[ "$1" = --realise ]', "trap '' INT TERM; while :; do sleep 0.1; done"
        )
        run.waits_for = ["nix-store"]
        run.end(signal.SIGINT)
        self.ended(run, 128 + signal.SIGINT)

    def ended(self, run: Interrupted, code: int) -> None:
        """Demand that a program has ended for this reason, with all that it ran, and silently."""
        self.assertEqual(code, run.code, run.log)
        self.assertEqual(set(), run.files())
        for secret in (TOKEN, "r3ad", KEY):
            self.assertEqual([], run.job.kept(secret))
        self.assertEqual([], [name for name in run.waits_for if run.goes_on(name)], run.log)
        self.assertEqual([], annotations(run.log), "nor does it speak of a fault")
        self.assertNotIn("Traceback", run.log)
