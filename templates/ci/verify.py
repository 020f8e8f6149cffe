"""Demands that every target of this branch is in the cache, whoever pushed it (Cache Only)."""

import re
import time
from collections.abc import Iterator, Mapping

import cache
import evaluate
import report
import text
from context import Event, Model, variable
from process import Fault
from web import Client

RESERVE = 5  # minutes of the job that are not for waiting


def main(_arguments: list[str]) -> int:
    event, model, client = Event(), Model(), Client()
    minutes = str(event.at("inputs", "wait-minutes") or 0)
    if not re.fullmatch(r"[0-9]{1,4}", minutes):
        raise Fault("wait-minutes must be a number of minutes", "Verify")
    survey = evaluate.survey(event, model, client)
    until = event.started + (int(model.get("minutes", {}).get("verify", 60)) - RESERVE) * 60
    wait = max(min(int(minutes) * 60, until - time.time()), 0)
    paths = [path for target in survey.targets for path in target.outputs.values() if path]
    token = variable("READ_TOKEN")
    found = cache.look_up(client, model.cache, paths, token=token, wait=wait)
    if found.state.state == "none":
        text.annotate("error", "Verify", "no cache is configured")
    rows = list(_rows(survey, found.verdicts))
    note = "" if rows else "No target is selected on this branch: nothing was verified."
    if note:
        text.annotate("warning", "Verify", note)
    whole = report.prove(model.cache, found, rows, note)
    return 0 if whole and found.state.state == "ok" else 1


def _rows(survey: evaluate.Survey, verdicts: Mapping[str, cache.Verdict]) -> Iterator[report.Row]:
    causes = {"failed": "does not evaluate", "elsewhere": "what it imports is not in the cache"}
    for target in survey.targets:
        if target.state in causes:
            why = f"{causes[target.state]}: {target.error}"
            yield report.Row(target.attr, "", None, "unknown", why)
        else:
            yield from report.rows(target.attr, target.outputs, verdicts)
    why = "its targets cannot be listed without what is not in the cache"
    for system in survey.unlisted:
        yield report.Row(system, "", None, "unknown", why)
