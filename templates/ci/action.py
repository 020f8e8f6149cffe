"""A garnix action: builds the program of a flake's app, then runs it as garnix did. On Linux."""

import getpass
import os
import shutil
import tempfile
from pathlib import Path

import nix
import process
import text
from context import Event, Model, variable, work, write_secret
from flake import Answer, Flake


def main(arguments: list[str]) -> int:
    """Build the program or run it: two steps of one job, of which only the second has the key."""
    job = variable("GITHUB_JOB")
    action = Model()["actions"].get(job)
    if not action:
        raise process.Fault(f"targets.json has no action for the job {job}", "Action")
    work().mkdir(parents=True, exist_ok=True)
    file = work() / "action-program"
    if arguments == ["build"]:
        file.write_text(_build(action["app"]), encoding="utf-8")
        return 0
    code = _run(file.read_text(encoding="utf-8"), action["withRepo"])
    if code:
        text.annotate("error", "Action", f"action ended with exit code {code}")
    return code


def _build(name: str) -> str:
    model = Model()
    env = nix.environment(model, {"state": "none"}, "")
    flake = Flake(model, Event().head, env, lambda line: print("nix:", text.plain(line)))
    # A throw is let through, so that it shows its message.
    (app,) = flake.each("app", {"name": name, "catch": False}, limit=1)
    if wrong := _wrong(flake, name, app):
        raise process.Fault(wrong, "Action")
    return str(app["program"])


def _wrong(flake: Flake, name: str, app: Answer) -> str:
    """Build an app's program; return why garnix would not run it, empty if it would."""
    if app["state"] == "missing":
        return f"the flake has no apps.x86_64-linux.{name}"
    if app["state"] == "ended":
        return f"app {name} does not evaluate: {app['why']}"
    if app["state"] == "error":
        return f"app {name} {app['why']}"
    program, derivations, its = app["program"], app["context"], f"the program of app {name}"
    if len(derivations) != 1:
        return f"{its} must come from exactly one derivation; it comes from {len(derivations)}"
    if derivations[0].endswith(".drv"):
        call = nix.command("nix-store", "--realise", *derivations)
        if process.show(call, env=flake.environment)[0]:
            return f"{its} could not be built; see the log"
    if not program.startswith("/nix/store/"):
        return f"{its} is not in the store: {program}"
    if not Path(program).is_file():
        return f"{its} does not exist: {program} (arguments are not part of it)"
    return "" if os.access(program, os.X_OK) else f"{its} cannot be executed: {program}"


def _run(program: str, with_repository: bool) -> int:
    event = Event()
    over = process.after(float(variable("ACTION_SECONDS", "7200")))  # garnix gave two hours
    new = tempfile.TemporaryDirectory
    with new(dir=work()) as scratch, new(dir=work()) as own:
        base, key = Path(scratch, "base"), Path(own, "key")
        if with_repository:
            shutil.copytree(".", base, symlinks=True, ignore=shutil.ignore_patterns(".garnix2gha"))
        base.mkdir(exist_ok=True)
        # After the copy and gone before it, both of which may take longer than a cancelled run has.
        write_secret(key, f"{variable('ACTION_KEY', 'none')}\n")
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
        code, _ = process.show([program], env=env, cwd=str(base), over=over)
        return code
