"""A garnix action: builds the program of a flake's app, then runs it as garnix did. On Linux."""

import getpass
import os
import shutil
import tempfile
import time
from pathlib import Path

import nix
import process
import text
from context import Event, Model, variable, work
from flake import Flake


def main(arguments: list[str]) -> int:
    """Build the program or run it: two steps of one job, of which only the second has the key."""
    work().mkdir(parents=True, exist_ok=True)
    file = work() / "action-program"
    if arguments == ["build"]:
        file.write_text(_build(variable("ACTION")), encoding="utf-8")
        return 0
    code = _run(file.read_text(encoding="utf-8"))
    if code:
        text.annotate("error", "Action", f"action ended with exit code {code}")
    return code


def _build(name: str) -> str:
    flake = Flake(Model(), Event().head, builds=True)
    # A throw is let through, so that it shows its message.
    (app,) = flake.each("app", {"name": name, "catch": False}, limit=1)
    wrong = {
        "ended": f"app {name} does not evaluate: {app.get('why')}",
        "missing": f"the flake has no apps.x86_64-linux.{name}",
        "error": f"app {name} {app.get('why')}",
    }.get(app["state"])
    if not wrong and (why := _built(flake, app["context"]) or _wrong(app["program"])):
        wrong = f"the program of app {name} {why}"
    if wrong:
        raise process.Fault(wrong, "Action")
    program: str = app["program"]
    return program


def _built(flake: Flake, derivations: list[str]) -> str:
    if len(derivations) != 1:
        return f"must come from exactly one derivation; it comes from {len(derivations)}"
    if derivations[0].endswith(".drv"):
        call = nix.command("nix-store", "--realise", *derivations)
        with process.foreign_output() as show:
            if process.stream(call, show, env=flake.environment()):
                return "could not be built; see the log"
    return ""


def _wrong(program: str) -> str:
    """Say why garnix would not run it, empty if it would."""
    if not program.startswith("/nix/store/"):
        return f"is not in the store: {program}"
    if not program.isprintable():
        return "has a name that cannot be run"
    if not Path(program).is_file():
        return f"does not exist: {program} (arguments are not part of it)"
    return "" if os.access(program, os.X_OK) else f"cannot be executed: {program}"


def _run(program: str) -> int:
    event = Event()
    action = Model().get("actions", {}).get(variable("ACTION"), {})
    until = time.monotonic() + float(variable("ACTION_SECONDS", "7200"))  # garnix gave two hours
    with tempfile.TemporaryDirectory(dir=work()) as scratch:
        base, key = Path(scratch, "base"), Path(scratch, "key")
        key.touch(0o600)
        key.write_text(f"{variable('ACTION_KEY') or 'none'}\n")
        if action.get("withRepo"):
            shutil.copytree(".", base, symlinks=True, ignore=shutil.ignore_patterns(".garnix2gha"))
        base.mkdir(exist_ok=True)
        # Nothing of the runner's reaches the program but what it needs to find its tools.
        env = {
            "PATH": variable("PATH", os.defpath),
            "HOME": variable("HOME", scratch),
            "TMPDIR": variable("TMPDIR", tempfile.gettempdir()),
            "LANG": variable("LANG", "C.UTF-8"),
            "USER": variable("USER") or getpass.getuser(),
            "GARNIX_CI": "true",
            "GARNIX_BRANCH": event.branch or "",
            "GARNIX_COMMIT_SHA": event.head,
            "GARNIX_ACTION_PRIVATE_KEY_FILE": str(key),
        }
        with process.foreign_output() as show:
            return process.stream(
                [program], show, env=env, cwd=str(base), over=lambda: time.monotonic() > until
            )
