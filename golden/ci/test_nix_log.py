"""What nix says, in the words of its old and new versions."""

from __future__ import annotations

import unittest

from loopback import store_path

from nix import AWAY, Reader

BAD, LEAF, SLOW, MAC, OTHER, WRONG = (
    store_path(n + 1, f"{name}.drv")
    for n, name in enumerate(("bad", "leaf", "slow", "mac", "other", "wrong"))
)

OLD = f"""these 5 derivations will be built:
  {BAD}
building '{BAD}'...
it breaks
error: builder for '{BAD}' failed with exit code 3;
       last 1 log lines:
       > it breaks
       For full logs, run 'nix log {BAD}'.
building '{SLOW}'...
error: building of '{SLOW}' timed out after 1 seconds
error: a 'aarch64-darwin' with features {{}} is required to build '{MAC}', but I am a 'x86_64-linux' with features {{}}
error: hash mismatch in fixed-output derivation '{WRONG}':
         specified: sha256-AAAA
            got:    sha256-BBBB
error: 1 dependencies of derivation '{LEAF}' failed to build
error: build of '{BAD}', '{LEAF}' failed
"""

NEW = f"""building '{BAD}'...
bad> it breaks
\x1b[31;1merror:\x1b[0m Cannot build '\x1b[35;1m{BAD}\x1b[0m'.
       Reason: \x1b[31;1mbuilder failed with exit code 3\x1b[0m.
       Output paths:
         {store_path(9, "bad")}
error: Cannot build '{LEAF}'.
       Reason: 1 dependency failed.
       Output paths:
         {store_path(10, "leaf")}
error: Cannot build '{SLOW}'.
       Reason: timed out after 7200 seconds.
error: Cannot build '{MAC}'.
       Reason: required system or feature not available
       Required system: 'x86_64-linux' with features {{kvm}}
       Current system: 'x86_64-linux' with features {{}}
error: hash mismatch in fixed-output derivation '{WRONG}':
"""


def read(text: str) -> Reader:
    """Return a reader that was fed a text."""
    reader = Reader()
    for line in text.split("\n"):
        reader.feed(line)
    return reader


class Log(unittest.TestCase):
    def test_old_nix(self) -> None:
        reader = read(OLD)
        self.assertEqual(
            {
                BAD: "its builder failed with exit code 3",
                SLOW: "timed out",
                MAC: AWAY,
                WRONG: "hash mismatch",
            },
            reader.failures,
        )
        self.assertEqual([BAD, SLOW], reader.built)
        self.assertIn("got:    sha256-BBBB", "\n".join(reader.tail(WRONG)))
        self.assertIn("is required to build", reader.tail(MAC)[0])

    def test_new_nix(self) -> None:
        reader = read(NEW)
        self.assertEqual(
            {
                BAD: "its builder failed with exit code 3",
                SLOW: "timed out after 7200 seconds",
                MAC: AWAY,
                WRONG: "hash mismatch",
            },
            reader.failures,
        )
        self.assertEqual([BAD], reader.built)

    def test_what_nothing_is_known_of_has_the_last_lines(self) -> None:
        self.assertEqual(["c", "d", "e", "f", "g"], read("a\nb\nc\nd\ne\nf\ng").tail(OTHER))

    def test_a_full_disk(self) -> None:
        for line in ("write error: No space left on device", "error: database or disk is full"):
            self.assertTrue(read(f"x\n{line}").disk_full)
        self.assertFalse(read(OLD + NEW).disk_full)
