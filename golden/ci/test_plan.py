"""The plan as a step: what it hands on, prints and remembers."""

from __future__ import annotations

import json
import unittest

from harness import HOSTILE, PROGRAMS, ROOT, need, nix_string
from planning import RUNNERS, PlanJob, by_attr, jobs, rules, states


class Plan(unittest.TestCase):
    def setUp(self) -> None:
        need("nix", "git")
        self.job = PlanJob(self)
        self.job.env["CAN_PUSH"] = "true"

    def test_it_plans_what_is_not_there_and_hands_it_on(self) -> None:
        head = self.job.flake(r"""
          packages.aarch64-darwin.m = d "m" "aarch64-darwin" "";
          packages.x86_64-linux = { a = ok "a"; same = ok "a"; there = ok "there"; fails = throw "no\nreason";
            half = derivation { name = "half"; inherit n; system = "x86_64-linux"; outputs = [ "out" "dev" ]; builder = "x"; }; };
          nixosConfigurations.riscv.config.system.build.toplevel = d "r" "riscv64-linux" "";
          nixosConfigurations.web.config.system.build.toplevel = d "web" "aarch64-linux" "";""")
        entries = {"rules": rules("*.*", "*.*.*"), "cache": self.job.cache(), "runners": RUNNERS}
        plan, _ = self.job.planned(**entries)
        outputs = {attr: target["outputs"] for attr, target in by_attr(plan["targets"]).items()}
        self.job.server.put(
            outputs["packages.x86_64-linux.there"]["out"],
            outputs["packages.x86_64-linux.half"]["out"],
        )
        plan, end = self.job.planned(**entries)
        self.assertEqual(
            states(plan),
            {
                "nixosConfigurations.riscv": "no-runner",
                "nixosConfigurations.web": "build",
                "packages.aarch64-darwin.m": "build",
                "packages.x86_64-linux.a": "build",
                "packages.x86_64-linux.fails": "failed",
                "packages.x86_64-linux.half": "build",
                "packages.x86_64-linux.same": "build",
                "packages.x86_64-linux.there": "cached",
            },
        )
        self.assertEqual(
            jobs(plan),
            [
                "x86_64-linux: packages.x86_64-linux.a packages.x86_64-linux.same packages.x86_64-linux.half",
                "aarch64-linux: nixosConfigurations.web",
                "aarch64-darwin: packages.aarch64-darwin.m",
            ],
        )
        facts = {name: plan[name] for name in ("head", "branch", "push", "faults")}
        self.assertEqual(
            facts,
            {
                "head": head,
                "branch": "main",
                "push": True,
                "faults": ["2 targets cannot be built anywhere; the plan names them"],
            },
        )
        self.assertEqual(
            plan["cache"],
            {"state": "ok", "message": "", "url": self.job.server.url, "keys": []},
        )
        self.assertEqual(set(end.outputs), {"matrix", "push"})
        self.assertEqual(end.outputs["push"], "true")
        rows = json.loads(end.outputs["matrix"])
        self.assertEqual(
            rows[0],
            {
                "id": "x86_64-linux-1",
                "name": "x86_64-linux",
                "runner": "ubuntu-24.04",
            },
        )
        self.assertEqual(rows[1]["runner"], ["self-hosted", "arm"])
        self.assertCountEqual(
            end.annotations,
            [
                "error|packages.x86_64-linux.fails|packages.x86_64-linux.fails does not evaluate: no\nreason",
                "error|nixosConfigurations.riscv|nixosConfigurations.riscv needs a runner for riscv64-linux, and none is configured",
            ],
        )
        self.assertIn("\n5 to build in 3 jobs, 1 already there, 2 cannot be built\n", end.summary)
        self.assertIn("<details><summary>the others (6)</summary>", end.summary)
        self.assertRegex(end.summary, r"\| cached \| <code>packages.x86&#95;64-linux.there</code>")
        self.assertIn("5 to build in 3 jobs, 1 already there, 2 cannot be built", end.log)

        handed = self.job.path("plan")
        self.assertEqual(json.loads((handed / "targets.json").read_text()), self.job.entries)
        for file in PROGRAMS.iterdir():
            if file.is_file():
                self.assertEqual((handed / "ci" / file.name).read_bytes(), file.read_bytes())
        self.assertEqual([str(path) for path in self.job.checkout.rglob("__pycache__")], [])

    def test_nothing_to_build_starts_nothing(self) -> None:
        self.job.flake("packages.x86_64-linux = { };")
        plan, end = self.job.planned(rules=rules("packages.*.*"), cache=self.job.cache())
        self.assertEqual((plan["entries"], plan["targets"], end.outputs["matrix"]), ([], [], "[]"))
        self.assertEqual(end.annotations, [])

    def test_a_missing_tool_is_named(self) -> None:
        self.job.flake("packages.x86_64-linux = { };")
        self.job.env["PATH"] = str(self.job.bin)
        if not ROOT:
            _, end = self.job.planned(rules=rules("*.*"), code=1)
            self.assertEqual(
                end.annotations,
                ["error|Nix Build Cache|nix-instantiate is not installed on this runner"],
            )

    def test_hostile_names_are_harmless(self) -> None:
        outputs = ""
        for number, name in enumerate(HOSTILE):
            quoted = nix_string(name)
            value = (
                f"throw ({quoted} + {nix_string('x' * 5000)})"
                if number % 3 == 1
                else f'd "p{number}" "x86_64-linux" ""'
            )
            outputs += f"packages.x86_64-linux.{quoted} = {value};\nnixosConfigurations.{quoted} = {{ }};\n"
        self.job.flake(outputs)
        self.job.event("push", "refs/heads/$(touch pwned)")
        entries = {"rules": rules("*.*", "*.*.*"), "granularity": "target"}
        plan, end = self.job.planned(**entries, cache=self.job.cache())
        names = {target["path"][-1] for target in plan["targets"]}
        self.assertEqual(names, {name for name in HOSTILE if "." not in name})
        patterns = r"^(error\|(packages\.x86_64-linux|nixosConfigurations)\.|notice\|Plan\|and [0-9]+ more|notice\|not built\|)"
        for annotation in end.annotations:
            self.assertRegex(annotation, patterns)
            self.assertLessEqual(len(annotation), 4200)
        self.assertEqual(sum("has a dot in its name" in text for text in end.annotations), 6)
        for bad in ("<img", "](http"):
            self.assertNotIn(bad, end.summary)
        for bad in ("\x1b", "\u202e"):
            self.assertNotIn(bad, end.summary + end.log)
        self.assertTrue(json.loads(end.outputs["matrix"]))
        there = sorted(path.name for path in self.job.checkout.iterdir())
        self.assertEqual(
            there, [".garnix2gha", ".git", ".gitignore", "flake.nix"], "nothing was executed"
        )

    def test_a_forks_pull_request_without_variables_says_so(self) -> None:
        self.job.flake('packages.x86_64-linux.a = ok "a";')
        cache = {
            "backend": "cachix",
            "variable": "CACHIX_CACHE_NAME",
            "secrets": ["CACHIX_AUTH_TOKEN"],
        }
        self.job.pull_request(repo={"full_name": "stranger/r"})
        plan, end = self.job.planned(rules=rules("*.*.*"), cache=cache)
        self.assertEqual(end.annotations, [])
        self.assertIn("no variables", end.summary)
        self.assertIn("garnix2gha init --cache NAME", end.summary.replace("&#45;", "-"))
        self.assertEqual(plan["cache"]["state"], "none")
        self.assertEqual((plan["push"], plan["faults"]), (False, []))

    def test_a_bots_pull_request_is_built_on_its_branch_and_not_pushed(self) -> None:
        self.job.flake('packages.x86_64-linux.a = ok "a"; checks.x86_64-linux.b = ok "b";')
        self.job.pull_request("bump", {"full_name": "o/r"}, user={"login": "github-actions[bot]"})
        sections = [*rules("packages.*.*"), *rules("checks.*.*", branch="bump")]
        plan, end = self.job.planned(rules=sections, cache=self.job.cache())
        self.assertEqual(len(plan["targets"]), 2)
        self.assertEqual((plan["branch"], plan["push"]), ("bump", False))
        self.assertEqual(end.annotations, [])

    def test_a_variable_names_the_cache_and_may_be_wrong(self) -> None:
        self.job.flake("packages.x86_64-linux = { };")
        cache = {"backend": "cachix", "variable": "CACHIX_CACHE_NAME"}
        self.job.env["CACHE_NAME"] = "a b\nnetrc-file = x"
        _, end = self.job.planned(rules=rules("*.*.*"), cache=cache, code=1)
        self.assertRegex(end.annotations[0], r"^error\|Nix Build Cache\|the name of the cache")

    def test_a_private_cache_is_read_with_the_token_and_no_trace_stays(self) -> None:
        self.job.flake(
            'packages.x86_64-linux.a = ok "a"; packages.x86_64-linux.v = d (import (d "i" "x86_64-linux" "")) "x86_64-linux" "";'
        )
        cache = self.job.cache(private=True)
        seen: set[str | None] = set()

        def answer(request, number) -> bool:
            seen.add(request.headers.get("Authorization"))
            if request.headers.get("Authorization"):
                return False
            request.reply(401)
            return True

        self.job.server.answer = answer
        calls = self.job.counted()
        self.job.tool(
            "nix-instantiate",
            f"""printf '%s' "$NIX_CONFIG" | grep netrc-file >>{calls}; env | grep s3cret >>{calls}
printf '%s' "$NIX_CONFIG" | sed -n 's/netrc-file = //p' | xargs -r stat -c %a >>{calls}
exec /usr/bin/nix-instantiate "$@" """,
        )
        self.job.env["READ_TOKEN"] = "s3cret"
        plan, end = self.job.planned(rules=rules("*.*.*"), cache=cache)
        self.assertEqual(plan["cache"]["state"], "ok")
        self.assertIn(f"netrc-file = {self.job.temp}/", calls.read_text())
        self.assertIn("600", calls.read_text())
        self.assertNotIn("s3cret", calls.read_text() + end.log + end.summary)
        self.assertFalse(self.job.path("netrc").exists())
        kept = [
            file
            for file in self.job.temp.rglob("*")
            if file.is_file() and b"s3cret" in file.read_bytes()
        ]
        self.assertEqual(kept, [])
        self.job.pull_request(repo={"full_name": "stranger/r"})
        plan, end = self.job.planned(rules=rules("*.*.*"), cache=cache)
        self.assertRegex(
            "\n".join(end.annotations),
            r"^notice\|Nix Build Cache\|the cache mine cannot be read \(HTTP 401",
        )


class Stale(unittest.TestCase):
    def test_what_changed_since_the_workflows_were_generated_is_told(self) -> None:
        need("nix", "git")
        job = PlanJob(self)
        job.env["CAN_PUSH"] = "true"
        job.flake("packages.x86_64-linux = { };")
        root = job.checkout / ".garnix2gha"
        job.model(rules=[], cache=job.cache())
        root.joinpath("garnix.yaml").write_text("# a comment\nbuilds: []\r\n")
        same = self.digest("builds: []\n")
        for name, inputs, stale, annotation, told in (
            ("the same", {"garnix.yaml": same}, "fail", "", ""),
            ("none named", {}, "fail", "", ""),
            ("changed", {"garnix.yaml": "0"}, "fail", "error", "garnix.yaml: not what"),
            ("by default it fails", {"garnix.yaml": "0"}, None, "error", "garnix.yaml: not what"),
            (
                "removed",
                {".github/garnix2gha/config.yaml": same},
                "warn",
                "warning",
                "config.yaml: not what",
            ),
            ("not there, and never was", {".github/garnix2gha/config.yaml": ""}, "fail", "", ""),
            (
                "two of them",
                {"garnix.yaml": "0", "lock": "0"},
                "warn",
                "warning",
                "garnix.yaml, lock: not what",
            ),
            ("switched off", {"garnix.yaml": "0"}, "off", "", ""),
        ):
            with self.subTest(name):
                entries = {**job.entries, "inputs": inputs, "stale": stale}
                job.entries = {key: value for key, value in entries.items() if value is not None}
                plan, end = job.planned()
                if not annotation:
                    self.assertEqual((end.annotations, plan["faults"]), ([], []))
                    continue
                self.assertEqual(len(end.annotations), 1)
                self.assertTrue(
                    end.annotations[0].startswith(f"{annotation}|Nix Build Cache|"), end.log
                )
                self.assertIn(told, end.annotations[0])
                self.assertIn("Run garnix2gha generate and commit the result", end.annotations[0])
                self.assertIn("generated from", end.summary)
                self.assertEqual(
                    bool(plan["faults"]), annotation == "error", "only then the run ends red"
                )

    def digest(self, text: str) -> str:
        import plan

        return plan.digest("garnix.yaml", text.encode())
