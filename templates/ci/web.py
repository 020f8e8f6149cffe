"""HTTP by curl: it keeps connections, tries again, and takes credentials to no other host."""

import tempfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import process
from context import variable

LARGEST = 1 << 20  # bytes of an answer that are read
SECONDS = 300  # for all answers: some curl sleeps before it tries again and never wakes up
_CURL = ["curl", "--disable", "--silent", "--parallel", "--fail-early", "--config", "-"]
_OPTIONS = f"""location
max-redirs = 5
proto = "=http,https"
globoff
connect-timeout = 20
max-time = 60
max-filesize = {LARGEST}
retry = {variable("RETRIES", "4")}
retry-all-errors
retry-max-time = 60
user-agent = "garnix2gha"
write-out = "%{{urlnum}} %{{http_code}} %{{errormsg}}\\n"
"""


class Answer(NamedTuple):
    """What came back; where nobody answered, status 0 and why."""

    status: int
    text: str


def ask(requests: Sequence[Mapping[str, str]], limit: int = 32) -> list[Answer]:
    """Send requests, made of options of curl, and return the answers in order.

    An empty option is none. When somebody does not answer, nobody else is asked any more.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = f"parallel-max = {limit}\n"
        for number, request in enumerate(requests):
            config += f"next\n{_OPTIONS}" if number else _OPTIONS
            for name, value in {**request, "output": f"{folder}/{number}"}.items():
                quoted = value.replace("\\", "\\\\").replace('"', '\\"').splitlines()
                config += f'{name} = "{" ".join(quoted)}"\n' if value else ""
        over = process.after(SECONDS)
        told = process.run(_CURL, stdin=config, over=over).stdout if requests else ""
        found = {int(line.split()[0]): line.split(" ", 2)[1:] for line in told.split("\n") if line}
        given_up = next((why for _, why in found.values() if why), "no answer")
        answers = []
        for number in range(len(requests)):
            status, why = found.get(number, ("0", given_up))
            with open(f"{folder}/{number}", "ab+") as file:
                file.seek(0)
                text = file.read(LARGEST).decode("utf-8", errors="replace")
            answers.append(Answer(0, given_up) if why else Answer(int(status), text))
        return answers
