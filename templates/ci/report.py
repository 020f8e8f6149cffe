"""Tells what a build job did: annotations for what failed, a row of the summary for everything."""

from __future__ import annotations

from typing import Any

import text
from context import summarize

ROWS = 2000


def tell(result: dict[str, Any], system: str, faults: list[tuple[str, str]]) -> None:
    """Tell of a result; `faults` are titles and messages of what went wrong besides."""
    targets = sorted(result["targets"], key=lambda one: (one["state"] == "built", one["attr"]))
    failed = [target for target in targets if target["state"] != "built"]
    if failed and result["diskFull"]:
        advice = "name a larger runner, or spread the targets over more jobs (shards)."
        if system.endswith("-linux"):
            advice = f"set disk-space: free in garnix2gha's settings, or {advice}"
        faults = [("disk full", f"No space left on device: {advice}"), *faults]
    for title, message in faults:
        text.annotate("error", title, message)
    room = 10 - len(faults)  # GitHub shows ten of a step
    for target in failed[:room]:
        evaluated = target["state"] != "evaluation-failed"
        what = f"{target['attr']} {'is not built' if evaluated else 'does not evaluate'}"
        message = f"{what}: {target['cause']}\n{target['log'][-2500:]}"
        text.annotate("error", target["attr"], message.removesuffix("\n"))
    if len(failed) > room:
        text.annotate("notice", "Build", f"and {len(failed) - room} more targets that failed")
    pushed = "pushed" if result["pushed"] else "not pushed"
    lines = [f"### {text.markdown(result['entry'])}", ""]
    lines += [f"{text.markdown(message)}\n" for _, message in faults]
    lines += [f"{len(targets) - len(failed)} built, {len(failed)} not; {pushed}.", ""]
    if targets:
        lines += ["| state | attribute | |", "| --- | --- | --- |"]
    for target in targets[:ROWS]:
        said = target["cause"][:300] or text.count(len(target["outputs"]), "output")
        name = text.code(target["attr"])
        lines.append(f"| {target['state']} | {name} | {text.markdown(said)} |")
    if len(targets) > ROWS:
        lines.append(f"| | and {len(targets) - ROWS} more | |")
    summarize("\n".join(lines) + "\n")
