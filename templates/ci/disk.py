"""Removes what GitHub preinstalls on its Linux runners and a Nix build does not use."""

import os

import process

_PLACES = [
    "/usr/local/lib/android",
    "/usr/local/share/powershell",
    "/usr/local/share/chromium",
    "/usr/local/.ghcup",
    "/usr/share/dotnet",
    "/usr/share/swift",
    "/usr/share/miniconda",
    "/opt/ghc",
    "/opt/microsoft",
    "/opt/google",
    "/opt/az",
    "/opt/hostedtoolcache/CodeQL",
    "/opt/hostedtoolcache/go",
    "/opt/hostedtoolcache/PyPy",
]


def main(_arguments: list[str]) -> int:
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for call in (["df", "-h", "/"], [*sudo, "rm", "-rf", "--", *_PLACES], ["df", "-h", "/"]):
        process.show(call)
    return 0
