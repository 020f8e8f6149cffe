"""Whether the workflows are still those of the files that they were generated from."""

from __future__ import annotations

import hashlib
from pathlib import Path

from context import PROGRAMS, Model


def digest(name: str, content: bytes) -> str:
    """Return the digest of what an input says, as targets.json has it; empty for one that says nothing.

    It is over the lines without their ends, without blank ones and comments.
    """
    comments = (b"#", b"//") if name.endswith((".jsonnet", ".libsonnet")) else (b"#",)
    lines = content.replace(b"\r", b"").split(b"\n")
    kept = [line for line in lines if line.strip() and not line.strip().startswith(comments)]
    return hashlib.sha256(b"\n".join([*kept, b""])).hexdigest()[:32] if kept else ""


def message(model: Model) -> str:
    """Return what to say of inputs that changed since the workflows were generated, empty if none did."""
    # The programs lie in .github/garnix2gha/ci of the event's commit.
    root = PROGRAMS.parents[2]
    changed = [name for name, was in model.get("inputs", {}).items() if _now(root / name) != was]
    if not changed:
        return ""
    verb = "is" if len(changed) == 1 else "are"
    return (
        f"{', '.join(changed)} {verb} not what these workflows were generated from:"
        " run garnix2gha generate and commit the result"
    )


def _now(path: Path) -> str:
    try:
        return digest(path.name, path.read_bytes())
    except OSError:
        return ""
