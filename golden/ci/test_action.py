"""Garnix's actions: what is built for them, and what they see."""

from __future__ import annotations

import re
import unittest

from harness import need, nix_string
from planning import PlanJob

SEES = r"""
echo "cwd has: $(ls -A | sort | tr '\n' ' ')"
echo "key: $(cat "$GARNIX_ACTION_PRIVATE_KEY_FILE") $(stat -c %a "$GARNIX_ACTION_PRIVATE_KEY_FILE") $(stat -c %a "$(dirname "$GARNIX_ACTION_PRIVATE_KEY_FILE")")"
env | sort | cut -d= -f1 | tr '\n' ' '
echo "branch $GARNIX_BRANCH commit $GARNIX_COMMIT_SHA ci $GARNIX_CI"
echo "::error::forged"
echo x >file
echo "in $(basename "$PWD")"
mkdir closed && chmod 500 closed
(sleep 60 &)
exit 7"""

# Tells whether the key is there when something long begins.
_TELLS = """
def _telling(holder, name):
    real = getattr(holder, name)
    def call(*arguments, **how):
        print(f"{name}, there:", [file.name for file in work().rglob("key")])
        setattr(holder, name, real)
        result = real(*arguments, **how)
        setattr(holder, name, call)
        return result
    setattr(holder, name, call)
_telling(shutil, "copytree")
_telling(tempfile.TemporaryDirectory, "cleanup")
"""


def program(name: str, text: str) -> str:
    """Return a derivation with a program that runs a text with bash."""
    return f"""(derivation {{ name = "{name}"; inherit n; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
      text = {nix_string("#!/bin/bash" + chr(10) + text)};
      args = [ "-c" "mkdir $out && printf %s \\"$text\\" > $out/run && chmod +x $out/run" ]; }})"""


class Action(unittest.TestCase):
    def setUp(self) -> None:
        need("nix", "git", "bash")
        self.job = PlanJob(self)
        self.act("foo")

    def act(self, app: str, with_repository: bool = False) -> None:
        """Make the job one that runs an app."""
        self.job.env["GITHUB_JOB"] = "action-1"
        self.job.model(actions={"action-1": {"app": app, "withRepo": with_repository}})

    def test_a_program_runs_as_garnix_ran_it(self) -> None:
        app = f'apps.x86_64-linux.foo = {{ type = "app"; program = "${{{program("foo", SEES)}}}/run"; }};'
        head = self.job.flake(app, data="")
        self.job.env |= {"GITHUB_TOKEN": "s3cret", "CI": "true"}
        end = self.job.run("action", "build")
        self.assertEqual(end.code, 0, end.log)
        end = self.job.run("action", "run", ACTION_KEY="AGE-SECRET-KEY-1")
        self.assertEqual(end.code, 7, "the exit code is the program's\n" + end.log)
        self.assertIn("cwd has: \n", end.log)
        self.assertIn("key: AGE-SECRET-KEY-1 600 700\n", end.log)
        self.assertIn(f"branch main commit {head} ci true\n", end.log)
        self.assertIn("in base\n", end.log)
        self.assertEqual(
            end.annotations,
            ["error|Action|action ended with exit code 7"],
            "its output is no command",
        )
        variables = re.search("^GARNIX_ACTION.*(?=branch main)", end.log, re.MULTILINE)
        self.assertEqual(
            variables and variables[0],
            "GARNIX_ACTION_PRIVATE_KEY_FILE GARNIX_BRANCH GARNIX_CI GARNIX_COMMIT_SHA HOME LANG PATH PWD SHLVL TMPDIR USER _ ",
        )
        self.assertFalse((self.job.checkout / "file").exists())

        self.act("foo", with_repository=True)
        self.job.pull_request(repo=None)
        end = self.job.run("action", "run")
        self.assertIn(
            "cwd has: .git .gitignore data flake.nix \n",
            end.log,
            "the programs are none of its business",
        )
        self.assertIn("key: none 600 700\n", end.log)
        self.assertIn(f"branch  commit {head}", end.log)
        self.assertFalse((self.job.checkout / "file").exists(), "it works in a copy")
        kept = [path.name for path in self.job.path("").iterdir()]
        self.assertEqual(
            [name for name in kept if name.startswith("tmp")], [], "the key and the copy are gone"
        )

    def test_the_key_does_not_wait_for_the_copy(self) -> None:
        self.act("foo", with_repository=True)
        self.job.flake("")
        self.job.put("action-program", "/bin/true")
        module = self.job.programs / "action.py"
        module.write_text(module.read_text() + _TELLS)
        end = self.job.run("action", "run", ACTION_KEY="AGE-SECRET-KEY-1")
        told = [line for line in end.log.split("\n") if "there" in line]
        self.assertEqual(
            told, ["copytree, there: []", "cleanup, there: ['key']", "cleanup, there: []"]
        )

    def test_what_garnix_refused_is_refused(self) -> None:
        self.job.flake(f"""
          apps.x86_64-linux = {{
            two = {{ type = "app"; program = "${{ok "a"}}${{ok "b"}}"; }};
            none = {{ type = "app"; program = "/bin/sh"; }};
            arguments = {{ type = "app"; program = "${{{program("x", "")}}}/run --flag"; }};
            gone = {{ type = "app"; program = "${{ok "a"}}/bin/x"; }};
            plain = {{ type = "app"; program = "${{ok "plain"}}"; }};
            outside = {{ type = "app"; program = "/etc/${{ok "a"}}"; }};
            broken = {{ type = "app"; program = "${{d "broken" "x86_64-linux" "echo '::error::forged'; exit 1"}}"; }};
            throws = throw "no app"; empty = {{ }}; text = "x";
            newline = {{ type = "app"; program = "${{{program("x", "")}}}/run\\n::error::forged"; }};
          }};
          packages.x86_64-linux.foo = ok "foo";""")
        for action, message in {
            "two": "must come from exactly one derivation; it comes from 2",
            "none": "must come from exactly one derivation; it comes from 0",
            "arguments": "does not exist",
            "gone": "does not exist",
            "plain": "cannot be executed",
            "outside": "is not in the store",
            "broken": "could not be built",
            "throws": "no app",
            "empty": "has no program",
            "text": "has no program",
            "foo": "the flake has no apps.x86_64-linux.foo",
            "newline": "does not exist",
            "$(touch pwned)": "the flake has no apps.x86_64-linux.$(touch pwned)",
        }.items():
            with self.subTest(action):
                self.act(action)
                end = self.job.run("action", "build")
                self.assertEqual(end.code, 1)
                self.assertEqual(len(end.annotations), 1, end.log)
                self.assertTrue(end.annotations[0].startswith("error|Action|"), end.log)
                self.assertIn(message, end.annotations[0])
                self.assertFalse(self.job.path("action-program").exists())
        self.assertFalse((self.job.checkout / "pwned").exists())

    def test_what_a_flake_says_is_no_command(self) -> None:
        app = f'{{ type = "app"; program = "${{{program("foo", "")}}}/run"; }}'
        said = nix_string("said\n::error::forged\n##[error]forged")
        self.job.flake(f"apps.x86_64-linux.foo = builtins.trace {said} {app};")
        end = self.job.run("action", "build")
        self.assertEqual((end.code, end.annotations), (0, []), end.log)
        self.assertIn("said", end.log)

    def test_a_job_of_another_name_has_no_action(self) -> None:
        end = self.job.run("action", "build", GITHUB_JOB="renamed")
        self.assertEqual(
            (1, ["error|Action|targets.json has no action for the job renamed"]),
            (end.code, end.annotations),
        )

    def test_a_program_that_does_not_end_is_ended(self) -> None:
        self.job.flake("")
        forever = self.job.temp / "forever"
        forever.write_text("#!/bin/bash\necho it runs\nsleep 60\necho never reached\n")
        forever.chmod(0o755)
        self.job.put("action-program", str(forever))
        end = self.job.run("action", "run", ACTION_SECONDS="1")
        self.assertEqual(end.code, 124)
        self.assertIn("it runs\n", end.log)
        self.assertNotIn("never reached", end.log)
        self.assertEqual(end.annotations, ["error|Action|action ended with exit code 124"])
