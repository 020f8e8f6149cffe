"""What the workflows run: python3 -IBu DIRECTORY COMMAND. A command is a module."""

import importlib
import signal
import sys
import traceback

import text
from process import Fault, ended_by


def main(arguments: list[str]) -> int:
    """Run a command: its main takes the rest of the arguments and returns the exit code."""
    # What cannot be encoded is replaced: a log with an odd byte must not end the run.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    # A cancelled run removes what it must not leave behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: ended_by.append(number))
    try:
        return int(importlib.import_module(arguments[0]).main(arguments[1:]))
    except Fault as fault:
        text.annotate("error", fault.title, str(fault))
    except Exception as error:  # noqa: BLE001 - a fault of ours, told without foreign text
        frames = reversed(traceback.extract_tb(error.__traceback__))
        where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
        what = f"a fault in the programs: {type(error).__name__} in {where}"
        text.annotate("error", "garnix2gha", what)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
