"""Building an entry: what is built, why the rest is not, and that it is pushed whatever happens."""

from __future__ import annotations

import base64
import shutil
import unittest

from building import TOKEN, BuildJob, backend, here
from harness import HOSTILE, NIX, ROOT, SECRETS, nix_string, scratch
from loopback import hash_of
from outcomes import entry


class Outcomes(unittest.TestCase):
    def test_it_tells_what_was_built_and_why_the_rest_was_not(self) -> None:
        job = BuildJob(self)
        names = "good alias multi bad root leaf throws elsewhere wrong late absent"
        job.packages(
            """
            good = ok "good"; alias = ok "good";
            multi = derivation { name = "multi"; inherit n; system = "x86_64-linux"; outputs = [ "out" "dev" ]; builder = "/bin/sh"; args = [ "-c" "echo > $out; echo > $dev" ]; };
            bad = d "bad" "x86_64-linux" "echo '::error::forged by the builder'; echo last words; exit 3";
            root = d "root" "x86_64-linux" "echo root trouble; exit 4";
            leaf = derivation { name = "leaf"; inherit n; needs = derivation { name = "middle"; inherit n; needs = root; system = "x86_64-linux"; builder = "/bin/sh"; }; system = "x86_64-linux"; builder = "/bin/sh"; };
            throws = throw "no";
            elsewhere = d "elsewhere" "aarch64-darwin" "";
            wrong = derivation { name = "wrong-${n}"; inherit n; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; outputHashMode = "flat"; };
            late = d "late" "x86_64-linux" "echo late > $out";
            """,
            *names.split(" "),
            push=False,
        )
        end = job.build()
        self.assertEqual(1, end.code, end.log)
        result = job.result()
        self.assertEqual(
            ("one", False, False, False),
            tuple(result[k] for k in ("entry", "diskFull", "late", "pushed")),
        )
        for name, want in {
            "good": ("built", ""),
            "alias": ("built", ""),
            "multi": ("built", ""),
            "late": ("built", ""),
            "bad": ("failed", "its builder failed with exit code 3"),
            "root": ("failed", "its builder failed with exit code 4"),
            "leaf": ("failed", "dependency root: its builder failed with exit code 4"),
            "throws": ("evaluation-failed", "does not evaluate: no"),
            "absent": ("evaluation-failed", "the flake has no such output"),
            "elsewhere": ("failed", "this runner cannot build it"),
            "wrong": ("failed", "hash mismatch"),
        }.items():
            with self.subTest(name):
                target = job.target(name)
                self.assertEqual(want, (target["state"], target["cause"]))
                for path in target["outputs"].values():
                    self.assertEqual(want[0] == "built", here(path).exists())
        self.assertEqual(2, len(job.target("multi")["outputs"]))
        self.assertEqual("::error::forged by the builder\nlast words\n", job.target("bad")["log"])
        self.assertIn("root trouble", job.target("leaf")["log"])
        self.assertRegex(job.target("wrong")["log"], "got: +sha256-")
        self.assertIn("::error::forged by the builder", end.log, "it is shown")
        self.assertEqual(7, len(end.annotations), "and is no command")
        self.assertIn(
            "error|packages.x86_64-linux.bad|packages.x86_64-linux.bad is not built: its builder failed with exit code 3\n::error::forged by the builder\nlast words",
            end.annotations,
        )
        self.assertIn(
            "error|packages.x86_64-linux.throws|packages.x86_64-linux.throws does not evaluate: no",
            end.annotations,
        )
        self.assertIn("4 built, 7 not, not pushed", end.summary)
        self.assertIn(
            "| built | <code>packages.x86&#95;64-linux.multi</code> | 2 outputs |", end.summary
        )
        self.assertIn(
            "| failed | <code>packages.x86&#95;64-linux.leaf</code> | dependency root&#58; its builder failed with exit code 4 |",
            end.summary,
        )
        self.assertEqual("", job.calls())

    def test_one_nix_builds_everything(self) -> None:
        job = BuildJob(self)
        names = [f"p{number}" for number in range(20)]
        job.packages("".join(f'{name} = ok "{name}"; ' for name in names), *names, push=False)
        calls = job.counted()
        end = job.build()
        self.assertEqual(0, end.code, end.log)
        self.assertEqual(1, calls.read_text().count("--realise"), calls.read_text())
        self.assertLessEqual(calls.read_text().count("\n"), 3)
        self.assertEqual({"built"}, set(job.states().values()))

    def test_what_failed_is_not_built_again(self) -> None:
        job = BuildJob(self)
        runs = job.temp / "runs"
        job.packages(
            f"""
            fails = d "fails" "x86_64-linux" "echo fails >> {runs}; exit 1";
            refers = derivation {{ name = "refers"; inherit n; system = "x86_64-linux"; builder = "/bin/sh";
              args = [ "-c" "echo refers >> {runs}; echo $out > $out" ]; allowedReferences = [ ]; }};
            """,
            "fails",
            "refers",
        )
        self.assertEqual(1, job.build().code)
        self.assertEqual({"fails": "failed", "refers": "failed"}, job.states())
        self.assertEqual(["fails", "refers"], sorted(runs.read_text().split()))

    def test_a_log_is_read_once_for_all_that_its_failure_stops(self) -> None:
        job = BuildJob(self)
        needs = "".join(f'{name} = d "{name}" "x86_64-linux" "echo ${{root}}"; ' for name in "abc")
        job.packages(
            f'root = d "root" "x86_64-linux" "echo why; exit 1"; {needs}', *"abc", push=False
        )
        calls = job.counted()
        self.assertEqual(1, job.build().code)
        self.assertEqual(["why\n"] * 3, [job.target(name)["log"] for name in "abc"])
        self.assertEqual(1, calls.read_text().count("--read-log"), calls.read_text())

    def test_nothing_is_built_where_the_store_does_not_answer(self) -> None:
        job = BuildJob(self)
        job.packages('a = d "a" "x86_64-linux" "exit 1"; b = ok "b";', "a", "b", push=False)
        real = "/usr/bin/nix-store" if ROOT else shutil.which("nix-store")
        job.tool("nix-store", f'[[ "$*" != *--check-validity* ]] && exec {real} "$@"; exit 1')
        self.assertEqual(1, job.build().code)
        self.assertNotIn("built", job.states().values())

    def test_an_entry_may_have_nothing_to_build(self) -> None:
        job = BuildJob(self)
        job.model(cache=job.settings, rules=[])
        job.planned(job.flake(""), entry(rules=True))
        end = job.build()
        self.assertEqual((0, []), (end.code, end.annotations), end.log)
        self.assertEqual([], job.result()["targets"])
        self.assertIn("0 built, 0 not, not pushed", end.summary)
        self.assertNotIn("push mine", job.calls())

    def test_a_full_disk_and_a_timeout_have_names(self) -> None:
        job = BuildJob(self)
        job.env["NIX_CONFIG"] += "timeout = 1\n"
        job.packages(
            """
            full = d "full" "x86_64-linux" "echo 'write error: No space left on device'; exit 1";
            slow = d "slow" "x86_64-linux" "while :; do :; done";
            """,
            "full",
            "slow",
        )
        end = job.build()
        self.assertEqual(1, end.code)
        self.assertTrue(job.result()["diskFull"])
        self.assertEqual(
            "No space left on device (its builder failed with exit code 1)",
            job.target("full")["cause"],
        )
        self.assertIn("timed out", job.target("slow")["cause"])
        self.assertRegex(
            end.annotations[0], r"^error\|disk full\|No space left on device: set disk-space: free"
        )

    def test_content_addressed_outputs_are_found(self) -> None:
        job = BuildJob(self)
        job.env["NIX_CONFIG"] = NIX.replace("flakes", "flakes ca-derivations")
        job.packages(
            """
            floating = derivation { name = "floating"; inherit n; outputs = [ "out" "dev" ]; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $n > $out; echo $n dev > $dev" ];
              __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
            broken = derivation { name = "broken"; inherit n; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
            """,
            "floating",
            "broken",
            push=False,
        )
        self.assertEqual(1, job.build().code)
        self.assertEqual({"floating": "built", "broken": "failed"}, job.states())
        outputs = job.target("floating")["outputs"]
        self.assertRegex(outputs["out"], "-floating$")
        self.assertRegex(outputs["dev"], "-floating-dev$")
        self.assertTrue(here(outputs["out"]).exists())
        self.assertEqual({"out": None}, job.target("broken")["outputs"])

    def test_a_log_that_is_not_utf8_is_text_all_the_same(self) -> None:
        job = BuildJob(self)
        job.packages(
            r"""bad = d "bad" "x86_64-linux" "printf 'caf\\351 \\377\\n'; exit 1"; good = ok "good";""",
            "bad",
            "good",
        )
        end = job.build()
        self.assertEqual(1, end.code)
        self.assertEqual({"bad": "failed", "good": "built"}, job.states())
        self.assertIn("caf\ufffd \ufffd", job.target("bad")["log"])
        self.assertTrue(job.result()["pushed"])

    def test_an_entry_that_is_not_planned_is_refused(self) -> None:
        job = BuildJob(self)
        job.planned("a" * 40, entry("a"))
        for name in ("../x", "a b", "$(touch pwned)", "a\nb", "", "two"):
            end = job.build(ENTRY=name)
            self.assertEqual((1, 1), (end.code, len(end.annotations)))
            self.assertRegex(end.annotations[0], "a fault in the programs: ValueError in main")

    def test_hostile_names_and_logs(self) -> None:
        job = BuildJob(self)
        names = [name for name in HOSTILE if "." not in name]
        command = (
            "echo '::error::from the builder'\necho > $out",
            "echo '::error::from the builder'\nexit 1",
        )
        job.packages(
            "".join(
                f'{nix_string(name)} = d "x{"i" * i}" "x86_64-linux" {nix_string(command[i % 2])};\n'
                for i, name in enumerate(names)
            )
        )
        targets = {"targets": [["packages", "x86_64-linux", name] for name in names]}
        plan = job.get("plan/plan.json")
        job.put("plan/plan.json", {**plan, "entries": [{**plan["entries"][0], **targets}]})
        end = job.build()
        self.assertEqual(1, end.code)
        self.assertEqual(len(names), len(job.states()))
        for annotation in end.annotations:
            self.assertRegex(
                annotation, r"^(error\|packages\.x86_64-linux\.|notice\|x86_64-linux\|and )"
            )
        self.assertNotIn("\x1b", end.log + end.summary)
        self.assertFalse((job.checkout / "pwned").exists())

    def test_what_the_evaluation_cannot_do_is_told(self) -> None:
        job = BuildJob(self)
        job.packages("a = ;", "a")
        end = job.build()
        self.assertEqual(1, end.code)
        self.assertEqual(1, len(end.annotations), end.log)
        self.assertRegex(end.annotations[0], r"^error\|.*the flake cannot be read: syntax error")
        self.assertFalse(job.path("result/one.json").exists())

    # The newest nix words its failures otherwise than the one that is installed where this runs.
    def test_it_goes_on_without_what_this_runner_cannot_build(self) -> None:
        job = BuildJob(self)
        names = ("bad", "leaf", "slow", "mac", "other")
        job.packages(
            """bad = d "bad" "x86_64-linux" ""; leaf = derivation { name = "leaf"; inherit n; needs = bad; system = "x86_64-linux"; builder = "/bin/sh"; };
            slow = d "slow" "x86_64-linux" ""; mac = d "mac" "x86_64-linux" ""; other = d "other" "x86_64-linux" "";""",
            *names,
            push=False,
        )
        rounds = job.temp / "rounds"
        job.tool(
            "nix-store",
            f"""case "$*" in
*--realise*)
  printf '%s\\n' "$*" >>{rounds}
  for drv in "$@"; do
    case "$drv" in
      *-bad.drv) printf "\\033[31;1merror:\\033[0m Cannot build '\\033[31;1m%s\\033[0m'.\\n       Reason: \\033[31;1mbuilder failed with exit code 3\\033[0m.\\n" "$drv" ;;
      *-leaf.drv) printf "error: Cannot build '%s'.\\n       Reason: 1 dependency failed.\\n" "$drv" ;;
      *-slow.drv) printf "error: Cannot build '%s'.\\n       Reason: timed out after 7200 seconds.\\n" "$drv" ;;
      *-mac.drv) printf "error: Cannot build '%s'.\\n       Reason: required system or feature not available\\n" "$drv" ;;
    esac
  done >&2
  exit 1 ;;
esac
PATH=${{PATH#*:}} exec nix-store "$@"
""",
        )
        end = job.build()
        self.assertEqual(1, end.code, end.log)
        self.assertEqual(
            {
                "bad": "its builder failed with exit code 3",
                "leaf": "dependency bad: its builder failed with exit code 3",
                "slow": "timed out after 7200 seconds",
                "mac": "this runner cannot build it",
                "other": "not built; see the log",
            },
            {name: job.target(name)["cause"] for name in names},
        )
        first, second = rounds.read_text().splitlines()
        self.assertIn("-bad.drv", first)
        self.assertIn("-other.drv", second, "what nothing is known of is tried once more, alone")
        self.assertNotIn("-bad.drv", second)


class Meanwhile(unittest.TestCase):
    """The client of Cachix pushes while nix builds, and keeps the token to itself."""

    def test_it_pushes_what_is_built_without_showing_the_token(self) -> None:
        job = BuildJob(self)
        job.packages(
            """a = ok "a"; bad = d "bad" "x86_64-linux" "exit 1";
            needs = derivation { name = "needs"; inherit n a; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; };""",
            "a",
            "bad",
        )
        end = job.build()
        self.assertEqual(
            1, end.code, "a failed target fails the step although cachix is in between"
        )
        a = job.target("a")["outputs"]["out"]
        self.assertIn(f"watched mine {a}", job.calls())
        self.assertTrue(job.cache.has(a))
        self.assertNotIn(TOKEN, end.log + end.summary + job.path("result/one.json").read_text())
        self.assertEqual("built", job.target("a")["state"])

    def test_it_builds_also_where_nothing_can_be_pushed_meanwhile(self) -> None:
        for name, env, code, log, calls in (
            (
                "a token that is refused",
                {"CACHIX_AUTH_TOKEN": "old"},
                1,
                "did not start; building without pushing meanwhile",
                "watch-exec mine",
            ),
            (
                "an empty token",
                {"CACHIX_AUTH_TOKEN": ""},
                1,
                "CACHIX_AUTH_TOKEN is empty: nothing is pushed",
                "",
            ),
            (
                "every push is refused",
                {"STANDIN_CACHIX_FAIL": "500"},
                1,
                "Failed to push some store paths",
                "watched mine",
            ),
            (
                "a signing key and a token",
                {"CACHIX_SIGNING_KEY": "key"},
                0,
                "building",
                "watched mine",
            ),
            (
                "it does not start",
                {"STANDIN_CACHIX_TROUBLE": "hang-start", "PUSH_TIMEOUT": "1"},
                0,
                "did not start; building without pushing meanwhile",
                "hang-start",
            ),
            (
                "it dies at the start",
                {"STANDIN_CACHIX_TROUBLE": "die-start"},
                0,
                "did not start; building without pushing meanwhile",
                "die-start",
            ),
            (
                "it dies while nix builds",
                {"STANDIN_CACHIX_TROUBLE": "die-middle"},
                0,
                "ended early (exit code 137)",
                "die-middle",
            ),
            (
                "it does not end",
                {"STANDIN_CACHIX_TROUBLE": "hang-end", "PUSH_TIMEOUT": "1"},
                0,
                "did not end; what is finished is pushed now",
                "hang-end",
            ),
        ):
            with self.subTest(name):
                job = BuildJob(self)
                job.packages(
                    'a = ok "a"; b = d "b" "x86_64-linux" "read x < ${a}; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo > $out";',
                    "b",
                )
                end = job.build(**env)
                self.assertEqual(code, end.code, end.log)
                self.assertEqual({"b": "built"}, job.states())
                self.assertIn(log, end.log)
                self.assertIn(calls, job.calls())
                self.assertEqual(calls == "", job.calls() == "")
                self.assertEqual(code == 0, job.result()["pushed"])
                if code == 0:
                    self.assertTrue(job.cache.has(job.target("b")["outputs"]["out"]))
                    self.assertEqual(
                        [], [one for one in end.annotations if one.startswith("error")]
                    )

    def test_a_client_that_is_not_there_is_named(self) -> None:
        job = BuildJob(self)
        (job.bin / "cachix").unlink()
        job.model(cache={**job.settings, "client": "path:/nowhere#cachix"})
        job.packages('a = ok "a";', "a")
        end = job.build()
        self.assertEqual((1, {"a": "built"}), (end.code, job.states()), end.log)
        self.assertRegex(end.annotations[0], r"^error\|Push\|cachix cannot be installed: .")

    def test_a_client_is_installed_from_what_the_settings_lock(self) -> None:
        job = BuildJob(self)
        (job.bin / "cachix").unlink()
        wrapper = f'#!/bin/sh\\nexec {job.temp}/real-cachix \\"$@\\"\\n'
        head = job.flake(
            f"""packages.x86_64-linux = {{
              a = ok "a";
              client = d "client" "x86_64-linux" "PATH=/bin:/usr/bin; mkdir -p $out/bin; printf '{wrapper}' >$out/bin/cachix; chmod +x $out/bin/cachix; [ -z \\"$CACHIX_AUTH_TOKEN\\" ]";
            }};"""
        )
        job.standin("cachix")
        (job.bin / "cachix").rename(job.temp / "real-cachix")
        job.model(cache={**job.settings, "client": f"git+file://{job.checkout}?rev={head}#client"})
        job.planned(head, entry("packages.x86_64-linux.a"))
        end = job.build()
        self.assertEqual(0, end.code, end.log)
        self.assertTrue(job.cache.has(job.target("a")["outputs"]["out"]))


class Secrets(unittest.TestCase):
    def test_no_nix_has_any_and_a_client_has_its_own(self) -> None:
        """Whoever runs the repository's code has none, also not by what it was called by."""
        key = f"test-1:{base64.b64encode(bytes(64)).decode()}"
        values = {name: f"the {name}" for name in SECRETS} | {"NIX_SIGNING_KEY": key}
        right = {
            "STANDIN_CACHIX_TOKEN": values["CACHIX_AUTH_TOKEN"],
            "STANDIN_ATTIC_TOKEN": values["ATTIC_TOKEN"],
        }
        for name, own in {
            "cachix": {"CACHIX_AUTH_TOKEN", "CACHIX_SIGNING_KEY"},
            "nix": set(),
            "attic": set(),
        }.items():
            with self.subTest(name):
                job = backend(self, name)
                seen = job.seen_by_nix()
                job.packages(
                    """a = ok (import (d "ifd" "x86_64-linux" "echo '\\"x\\"' > $out"));""", "a"
                )
                end = job.build(**values, **right)
                self.assertEqual(0, end.code, end.log)
                calls = seen()
                ours = [call for call in calls if call.by_us]
                theirs = [call for call in calls if not call.by_us]
                self.assertEqual(
                    {"nix-instantiate", "nix-store"}, {call.call.split(" ")[0] for call in ours}
                )
                self.assertTrue(theirs)
                for secret, value in values.items():
                    for call in ours:
                        self.assertNotIn(value, call.own + call.callers, f"{secret}: {call.call}")
                    for call in theirs:
                        self.assertEqual(secret in own, value in call.own, f"{secret}: {call.call}")
                    self.assertNotIn(value, end.log + end.summary)
                    self.assertEqual([], job.kept(value))


class Unlocked(unittest.TestCase):
    def test_a_flake_whose_inputs_are_not_locked_is_locked_once_for_all(self) -> None:
        job = BuildJob(self)
        other = scratch(self)
        (other / "flake.nix").write_text('{ outputs = { self }: { name = "other"; }; }')
        job.flake(
            """packages.x86_64-linux.a = ok other.name;
            packages.aarch64-linux.b = ok "b";
            nixosConfigurations.c.config.system.build.toplevel = ok "c";"""
        )
        text = (job.checkout / "flake.nix").read_text()
        inputs = f'inputs.other.url = "path:{other}";\n  outputs = {{ self, other }}'
        job.commit({"flake.nix": text.replace("outputs = { self }", inputs)})
        attrs = ("packages.x86_64-linux.a", "packages.aarch64-linux.b", "nixosConfigurations.c")
        job.planned(job.git("rev-parse", "HEAD").strip(), entry(*attrs))
        end = job.build()
        self.assertEqual(0, end.code, end.log)
        self.assertEqual(3, len(job.result()["targets"]))
        self.assertEqual(1, sum("flake.lock is missing" in said for said in end.log.split("\n")))


class Again(unittest.TestCase):
    def test_a_re_run_builds_what_failed_and_pushes_it(self) -> None:
        job = BuildJob(self)
        flag = job.temp / "mended"
        job.packages(
            f'a = ok "a"; flaky = d "flaky" "x86_64-linux" "[ -e {flag} ] && echo > $out";',
            "a",
            "flaky",
        )
        self.assertEqual(1, job.build().code)
        self.assertEqual({"a": "built", "flaky": "failed"}, job.states())
        flag.touch()
        end = job.build()
        self.assertEqual(0, end.code, end.log)
        self.assertEqual({"a": "built", "flaky": "built"}, job.states())
        self.assertTrue(job.cache.has(job.target("flaky")["outputs"]["out"]))
        self.assertEqual([], end.annotations)
        again = job.build()
        self.assertEqual((0, []), (again.code, again.annotations))
        self.assertEqual(
            1, job.cache.asked("PUT", f"{hash_of(job.target('a')['outputs']['out'])}.narinfo")
        )
