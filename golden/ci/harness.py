"""A job of a workflow as the programs see one, and what its steps leave behind.

With GARNIX2GHA_ROOT=DIR, a root that .ci/trixie made, everything runs inside of it, on its nix. That takes root.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

GOLDEN = Path(__file__).resolve().parent.parent
PROGRAMS = GOLDEN.parent / "templates" / "ci"
CASES = GOLDEN / "testdata" / "cases"
STANDINS = GOLDEN / "testdata" / "standins"
ROOT = os.environ.get("GARNIX2GHA_ROOT", "")
# Not what PATH has under that name, which may be a slow wrapper.
PYTHON = "python3" if ROOT else sys.executable
SYSTEM = "x86_64-linux"
HEAD = "a" * 40
# What a workflow may hand to a step and nobody's code may see; spelled here, as the programs' own list is under test.
SECRETS = (
    "CACHIX_AUTH_TOKEN",
    "CACHIX_SIGNING_KEY",
    "NIX_SIGNING_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "ATTIC_TOKEN",
    "READ_TOKEN",
    "GITHUB_TOKEN",
    "ACTION_KEY",
)
# Of targets.json.
DEFAULTS = {
    "version": 1,
    "runners": {SYSTEM: "ubuntu-24.04"},
    "minutes": {"build": 330, "verify": 60},
}

sys.path.insert(0, str(PROGRAMS))
sys.dont_write_bytecode = True
os.environ["RETRIES"] = "0"  # of the programs that run in this process

# A single-user nix that builds without a sandbox and substitutes nothing.
NIX = "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n"

# Names that a flake may give its outputs.
HOSTILE = (
    "with space",
    "it's",
    'say "hi"',
    "$(touch pwned)",
    "`touch pwned`",
    "line\nbreak\n::error::forged",
    "::error::forged",
    "::set-output name=x::y",
    "a${" + "{ github.token }}",
    "\x1b[31mred",
    "*bold* [link](http://127.0.0.1) <img src=x>",
    "| cell |",
    "-rf",
    "--help",
    "##[error]forged",
    "%0A::error::forged",
    "a,b:c",
    "#",
    "?",
    "@",
    "\\",
    "..",
    "/",
    "\u202egnp",
)

# The other system sees the temporary folders under their own names.
_ENTER = """mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && mkdir -p "$1$2" && mount --rbind "$2" "$1$2" && cd "$1" &&
root=$1 dir=$3 && shift 3 && exec chroot "$root" env --chdir="$dir" "$@\""""


class Seen(NamedTuple):
    """A call of nix, and the environments of nix and of the program that called it."""

    call: str
    own: str
    callers: str

    @property
    def by_us(self) -> bool:
        """Say whether the programs called it: clients do so without these options."""
        return "--option accept-flake-config false" in self.call


class End(NamedTuple):
    """What a step left behind; annotations are "level|title|message"."""

    code: int
    log: str
    summary: str
    outputs: dict[str, str]

    @property
    def annotations(self) -> list[str]:
        """Return the commands that a runner would obey in the log."""
        return annotations(self.log)


def annotations(log: str) -> list[str]:
    """Return the commands that a runner would obey in a log: "level|title|message"."""
    found, stopped = [], ""
    for line in map(str.strip, log.split("\n")):
        if stopped:
            stopped = "" if line == f"::{stopped}::" else stopped
        elif line.startswith("::stop-commands::"):
            stopped = line.removeprefix("::stop-commands::")
        elif line.startswith("::"):
            head, _, message = line[2:].partition("::")
            level, _, properties = head.partition(" ")
            found.append(
                f"{level}|{_unescape(properties.removeprefix('title='))}|{_unescape(message)}"
            )
        elif "##[" in line:
            found.append(f"legacy||{line}")
    return [*found, "never resumed||"] if stopped else found


def _unescape(text: str) -> str:
    for escaped, plain in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escaped, plain)
    return text


def scratch(test: unittest.TestCase) -> Path:
    """Return a folder that goes with the test."""
    folder = tempfile.mkdtemp(prefix="garnix2gha-test-")
    test.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def need(*tools: str) -> None:
    """Skip the test where a tool is missing, and fail it in CI."""
    for tool in tools:
        if not shutil.which(tool):
            if os.environ.get("CI") == "true":
                raise AssertionError(f"{tool} is needed in CI")
            raise unittest.SkipTest(f"{tool} is not installed")


class Job:
    """A machine with a checkout, the plan's artifact, and an environment."""

    def __init__(self, test: unittest.TestCase) -> None:
        self.test = test
        folder = scratch(test)
        self.checkout, self.temp, self.bin, home = (
            folder / name for name in ("checkout", "temp", "bin", "home")
        )
        # Where Python keeps what goes with a program, among it the files with secrets.
        self.passing = self.temp / "passing"
        for place in (self.checkout, self.temp, self.bin, home, self.passing):
            place.mkdir()
        self.plan = self.path("plan")
        self.programs = self.plan / "ci"
        shutil.copytree(PROGRAMS, self.programs, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        self.env = {
            "PATH": f"{self.bin}:{'/usr/sbin:/usr/bin:/sbin:/bin' if ROOT else os.environ['PATH']}",
            "HOME": str(home),
            "RUNNER_TEMP": str(self.temp),
            "TMPDIR": str(self.passing),
            "GITHUB_WORKSPACE": str(self.checkout),
            "NIX_CONFIG": NIX,
            "LANG": "C.UTF-8",
            "RETRIES": "0",
            "PUSH_PAUSE": "0",
            "POLL_SECONDS": "0.01",
        }
        self.model()
        self.event("push")

    def path(self, name: str) -> Path:
        """Return a file of the programs' folder in RUNNER_TEMP."""
        return self.temp / "garnix2gha" / name

    def put(self, name: str, value: Any) -> None:
        """Write a file of that folder: text, or a value as JSON."""
        file = self.path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value if isinstance(value, str) else json.dumps(value))

    def get(self, name: str) -> Any:
        """Read a JSON file of that folder."""
        return json.loads(self.path(name).read_text())

    def model(self, **entries: Any) -> None:
        """Write targets.json."""
        self.put("plan/targets.json", {**DEFAULTS, **entries})

    def event(self, name: str, ref: str = "refs/heads/main", **payload: Any) -> None:
        """Say which event the run is about."""
        repository = {"default_branch": "main", "fork": False, "full_name": "o/r"}
        self.put("event.json", {"repository": repository, **payload})
        self.env |= {
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(self.path("event.json")),
            "GITHUB_REF": ref,
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_SHA": HEAD,
            "GITHUB_ACTOR": "someone",
        }

    def age(self, seconds: float) -> None:
        """Make the job so old."""
        began = time.time() - seconds
        os.utime(self.path("event.json"), (began, began))

    def run(self, *arguments: str, programs: Path | None = None, **env: str) -> End:
        """Run a program as a step does."""
        output, summary = self.path("output"), self.path("summary")
        output.write_text("")
        summary.write_text("")
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        call = [PYTHON, "-IBu", str(programs or self.programs), *arguments]
        ended = self.call(call, {**self.env, **files, **env})
        outputs = {}
        for line in output.read_text().splitlines():
            name, equals, value = line.partition("=")
            self.test.assertTrue(equals, f"an output that is not one line: {line!r}")
            outputs[name] = value
        return End(ended.returncode, ended.stdout, summary.read_text(), outputs)

    def call(
        self, arguments: list[str], env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run any program in the checkout with this environment and no other."""
        if ROOT:
            folders = [ROOT, tempfile.gettempdir(), str(self.checkout)]
            arguments = [
                "unshare",
                "--mount",
                "--fork",
                "sh",
                "-euc",
                _ENTER,
                "sh",
                *folders,
                *arguments,
            ]
        return subprocess.run(
            arguments,
            env=dict(self.env if env is None else env),
            cwd=self.checkout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=300,
            check=False,
        )

    def tool(self, name: str, text: str) -> None:
        """Put a shell script on PATH."""
        file = self.bin / name
        file.write_text(f"#!/bin/bash\n{text}")
        file.chmod(0o755)

    def flake(self, outputs: str, **files: str) -> str:
        """Commit a flake with these outputs, and return the commit.

        `d NAME SYSTEM COMMAND` makes a derivation that no other test run made, `ok NAME` one that is built, `n` is new.
        """
        nonce = f"{time.time_ns()}"
        self.commit({"flake.nix": _FLAKE % (nonce, outputs), **files})
        return self.git("rev-parse", "HEAD").strip()

    def commit(self, files: Mapping[str, str]) -> None:
        """Commit files."""
        for name, text in files.items():
            file = self.checkout / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("init", "-q", "-b", "main", ".")
        self.git("add", "-A")
        self.git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "x")

    def git(self, *arguments: str) -> str:
        """Call git in the checkout."""
        env = {**os.environ, "HOME": self.env["HOME"], "GIT_CONFIG_GLOBAL": "/dev/null"}
        return subprocess.run(
            ["git", *arguments],
            cwd=self.checkout,
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def kept(self, secret: str) -> list[str]:
        """Return the files below RUNNER_TEMP that hold a secret."""
        files = (file for file in self.temp.rglob("*") if file.is_file())
        return sorted(file.name for file in files if secret.encode() in file.read_bytes())

    def counted(self) -> Path:
        """Count the calls of nix: each is a line of the file."""
        calls = self.temp / "calls"
        self._before_nix(f'printf "%s\\n" "${{0##*/}} $*" >>{calls}')
        return calls

    def seen_by_nix(self) -> Callable[[], list[Seen]]:
        """Record what each call of nix has in its environment, and whatever called it; return what reads that."""
        seen = scratch(self.test)
        self._before_nix(
            f"""file=$(mktemp {seen}/XXXXXX)
printf '%s\\n' "${{0##*/}} $*" >"$file"
env -0 >"$file.own"
cat /proc/$PPID/environ >"$file.callers"
"""
        )

        def read(file: Path) -> Seen:
            texts = (Path(f"{file}.{part}").read_text() for part in ("own", "callers"))
            # The stand-ins for clients are told which secret is right.
            own, callers = (re.sub(r"(^|\0)STANDIN_[^\0]*", "", text) for text in texts)
            return Seen(file.read_text(), own, callers)

        return lambda: [read(file) for file in seen.iterdir() if not file.suffix]

    def _before_nix(self, text: str) -> None:
        for name in ("nix", "nix-store", "nix-instantiate"):
            real = f"/usr/bin/{name}" if ROOT else shutil.which(name)
            self.tool(name, f'{text}\nexec {real} "$@"\n')


_FLAKE = """{
  outputs = { self }: let
    n = "%s";
    d = name: system: command: derivation { inherit name system n; builder = "/bin/sh"; args = [ "-c" command ]; };
    ok = name: d name "x86_64-linux" "echo ${name} > $out";
  in {
%s
  };
}
"""


def nix_string(text: str) -> str:
    """Quote text as a string of the Nix language."""
    for plain, escaped in (
        ("\\", "\\\\"),
        ('"', '\\"'),
        ("$", "\\$"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
    ):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def plain_lines(text: str, pattern: str) -> list[str]:
    """Return the lines of a text that begin with a pattern."""
    return [line for line in text.split("\n") if re.match(pattern, line)]
