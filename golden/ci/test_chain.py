"""A whole run: plan, builds and checks, each on a machine of its own; and Cache Only."""

from __future__ import annotations

import json
import shutil
import unittest
from typing import Any

from building import TOKEN
from harness import HOSTILE, STANDINS, End, Job, need, nix_string
from loopback import CacheServer, Request, hash_of
from planning import PlanJob, rules


class Run:
    """A run of the build workflow on a flake, as a push to main, with a cache and the stand-in client of Cachix."""

    def __init__(self, test: unittest.TestCase, outputs: str, *include: str, **model: Any) -> None:
        need("nix", "nix-store", "nix-instantiate", "git")
        self.test = test
        self.job = PlanJob(test)
        shutil.copy(STANDINS / "cachix", self.job.bin / "cachix")
        self.log = self.job.temp / "client.log"
        cache = self.job.cache()
        self.cache: CacheServer = self.job.server
        self.job.model(cache=cache, **{"rules": rules(*include), "aggregate": "All", **model})
        self.job.flake(outputs)
        self.env = {
            "CAN_PUSH": "true",
            "CACHIX_AUTH_TOKEN": TOKEN,
            "STANDIN_CACHE_URL": self.cache.url,
            "STANDIN_CACHE_NAME": "mine",
            "STANDIN_CACHIX_TOKEN": TOKEN,
            "STANDIN_CACHIX_LOG": str(self.log),
        }
        self.start()

    def next(self) -> Job:
        """Return another machine with the same commit, tools and plan."""
        job = Job(self.test)
        job.checkout, job.bin = self.job.checkout, self.job.bin
        kept = {name: job.env[name] for name in ("HOME", "RUNNER_TEMP")}
        job.env = {**self.job.env, **kept}
        shutil.rmtree(job.plan)
        if self.job.plan.exists():
            shutil.copytree(self.job.plan, job.plan)
        return job

    def start(self, **env: str) -> None:
        """Run every job in the order of the workflow."""
        self.env |= env
        self.results: list[dict[str, Any]] = []
        self.built: list[End] = []
        self.checked: End | None = None
        shutil.rmtree(self.job.plan, ignore_errors=True)
        self.planned = self.job.run("plan", **self.env)
        if self.planned.code:
            return
        last, build = self.next(), "skipped"
        for entry in json.loads(self.planned.outputs["matrix"]):
            job = self.next()
            secrets = {} if self.planned.outputs["push"] == "true" else {"CACHIX_AUTH_TOKEN": ""}
            end = job.run("build", **{**self.env, **secrets, "ENTRY": entry["id"]})
            self.built.append(end)
            if build != "failure":
                build = "failure" if end.code else "success"
            file = job.path(f"result/{entry['id']}.json")
            if file.exists():
                self.results.append(json.loads(file.read_text()))
                artifact = last.path(f"results/garnix2gha-result-{entry['id']}")
                artifact.mkdir(parents=True)
                shutil.copy(file, artifact)
        self.checked = last.run("checks", BUILD=build)

    @property
    def code(self) -> int:
        """Return the run's end."""
        return self.checked.code if self.checked else 1

    def told(self) -> str:
        """Return what the run said, for a test that fails."""
        ends = [self.planned, *self.built, *([self.checked] if self.checked else [])]
        return "\n".join(end.log for end in ends)

    def states(self) -> list[str]:
        """Return "attr state" of every result."""
        return sorted(
            f"{t['attr']} {t['state']}" for result in self.results for t in result["targets"]
        )

    def output(self, name: str) -> str:
        """Return the path of a package."""
        targets = [target for result in self.results for target in result["targets"]]
        return next(t["outputs"]["out"] for t in targets if t["path"][-1] == name)

    def cache_only(self, **env: str) -> End:
        """Run Cache Only."""
        there = self.job.there
        (there / "targets.json").write_text(json.dumps(self.job.entries))
        return self.next().run("verify", programs=there / "ci", **env)


class Chain(unittest.TestCase):
    def test_it_builds_pushes_proves_and_then_has_nothing_to_do(self) -> None:
        run = Run(
            self,
            """packages.x86_64-linux = { a = ok "a"; alias = ok "a"; "with space" = ok "b";
              multi = derivation { name = "multi"; inherit n; system = "x86_64-linux"; outputs = [ "out" "dev" ]; builder = "/bin/sh"; args = [ "-c" "echo > $out; echo > $dev" ]; }; };
            nixosConfigurations.web.config.system.build.toplevel = ok "web";""",
            "*.*",
            "*.x86_64-linux.*",
        )
        self.assertEqual(0, run.code, run.told())
        self.assertEqual(1, len(run.results), "one job for one system")
        self.assertIn("6 in the cache, 0 upstream, 0 missing, 0 unknown", run.checked.log)
        self.assertNotIn(TOKEN, run.told())
        pushes = run.cache.asked("PUT", ".narinfo")
        self.assertGreaterEqual(pushes, 5)

        run.start()
        self.assertEqual(0, run.code, run.told())
        self.assertEqual("[]", run.planned.outputs["matrix"], "nothing is left to build")
        self.assertEqual(pushes, run.cache.asked("PUT", ".narinfo"))
        self.assertIn("6 in the cache", run.checked.log, "what was skipped is proven as well")

        end = run.cache_only()
        self.assertEqual((0, []), (end.code, end.annotations), end.log)
        next(run.cache.folder.glob("*.narinfo")).unlink()
        self.assertEqual(1, run.cache_only().code, "an evicted path is found")

    def test_it_pushes_the_rest_where_a_target_fails(self) -> None:
        run = Run(
            self,
            """packages.x86_64-linux = { good = ok "good"; bad = d "bad" "x86_64-linux" "exit 1"; throws = throw "no";
              needy = derivation { name = "needy"; inherit n; needs = d "bad" "x86_64-linux" "exit 1"; system = "x86_64-linux"; builder = "/bin/sh"; }; };""",
            "*.*.*",
        )
        self.assertEqual(1, run.code)
        self.assertEqual(
            [
                "packages.x86_64-linux.bad failed",
                "packages.x86_64-linux.good built",
                "packages.x86_64-linux.needy failed",
            ],
            run.states(),
        )
        self.assertTrue(run.cache.has(run.output("good")))
        self.assertIn("1 in the cache, 0 upstream, 0 missing", run.checked.log)
        self.assertEqual(2, len(run.checked.annotations), "the build, and what does not evaluate")

    def test_it_is_red_where_a_push_is_lost(self) -> None:
        run = Run(self, 'packages.x86_64-linux.a = ok "a";', "*.*.none")
        self.assertEqual(0, run.code, run.told())
        run.job.model(**{**run.job.entries, "rules": rules("*.*.*")})
        for name, fault in (
            ("refused", {"STANDIN_CACHIX_FAIL": "403"}),
            ("broken off", {"STANDIN_CACHIX_FAIL": "halfway"}),
            ("an expired token", {"CACHIX_AUTH_TOKEN": "old", "STANDIN_CACHIX_FAIL": ""}),
        ):
            with self.subTest(name):
                run.start(**fault)
                self.assertEqual(1, run.code)
                self.assertEqual(
                    ["packages.x86_64-linux.a built"], run.states(), "it is built all the same"
                )
                self.assertIn("(HTTP 404). Build it again", run.checked.log)

        def lose(request: Request, _: int) -> bool:
            if request.command == "PUT" and request.name.endswith(".narinfo"):
                request.reply(200)
                return True
            return False

        run.cache.answer = lose
        run.start(CACHIX_AUTH_TOKEN=TOKEN, STANDIN_CACHIX_FAIL="")
        self.assertTrue(run.results[0]["pushed"], "the client saw nothing")
        self.assertEqual(1, run.code)
        self.assertIn("(HTTP 404). Build it again", run.checked.log)

    def test_a_pull_request_only_builds(self) -> None:
        run = Run(
            self,
            'packages.x86_64-linux = { a = ok "a"; b = ok "b"; };',
            rules=[
                *rules("packages.x86_64-linux.a", branch="main"),
                *rules("packages.x86_64-linux.none"),
            ],
        )
        run.job.model(
            **{**run.job.entries, "rules": [*rules("*.*.a", branch="main"), *rules("*.*.b")]}
        )
        head = run.job.env["GITHUB_SHA"]
        run.job.event(
            "pull_request",
            "refs/pull/1/merge",
            pull_request={"head": {"sha": head, "ref": "main", "repo": None}},
        )
        puts = run.cache.asked("PUT")
        run.log.unlink(missing_ok=True)
        run.start(CAN_PUSH="false")
        self.assertEqual(0, run.code, run.told())
        self.assertEqual(["packages.x86_64-linux.b built"], run.states(), "no section of a branch")
        self.assertEqual(puts, run.cache.asked("PUT"))
        self.assertFalse(run.log.exists())
        self.assertEqual([], run.planned.annotations)

    def test_an_import_that_is_not_cached_is_evaluated_on_its_runner(self) -> None:
        run = Run(
            self,
            """packages.x86_64-linux = { plain = ok "plain"; via = ok (import (d "ifd" "x86_64-linux" "echo '\\"made\\"' > $out")); };
            packages.aarch64-linux.other = d "other" "aarch64-linux" "";""",
            "packages.x86_64-linux.*",
        )
        self.assertEqual(0, run.code, run.told())
        self.assertEqual(
            ["packages.x86_64-linux.plain built", "packages.x86_64-linux.via built"], run.states()
        )
        self.assertIn("2 in the cache", run.checked.log)
        self.assertIn("ifd", [path[44:] for path in run.results[0]["finished"]])

    def test_a_system_that_only_its_runner_can_list_is_listed_there(self) -> None:
        run = Run(
            self,
            """packages.x86_64-linux = import (d "list" "x86_64-linux" "echo '{ made = builtins.derivation { name = \\"made\\"; system = \\"x86_64-linux\\"; builder = \\"/bin/sh\\"; args = [ \\"-c\\" \\"echo > \\$out\\" ]; n = \\"'$n'\\"; }; }' > $out");""",
            "packages.x86_64-linux.*",
        )
        self.assertEqual(0, run.code, run.told())
        self.assertEqual(["packages.x86_64-linux.made built"], run.states())
        self.assertIn("1 in the cache", run.checked.log)

    def test_a_flake_that_cannot_be_listed_ends_with_the_plan(self) -> None:
        run = Run(
            self,
            'packages.x86_64-linux.a = ok "a"; packages.aarch64-darwin = throw "no mac";',
            "packages.*.*",
        )
        self.assertEqual(1, run.planned.code)
        self.assertIn("no mac", run.planned.log)
        self.assertEqual([], run.results)

    def test_hostile_names(self) -> None:
        command = (
            "echo '::error::from the builder'\necho > $out",
            "echo '::error::from the builder'\nexit 1",
        )
        outputs = "".join(
            f'packages.x86_64-linux.{nix_string(name)} = d "x{"i" * i}" "x86_64-linux" {nix_string(command[i % 2])};\n'
            for i, name in enumerate(HOSTILE)
            if "." not in name
        )
        run = Run(self, outputs, "packages.*.*")
        self.assertEqual(1, run.code)
        good = [state for state in run.states() if state.endswith(" built")]
        self.assertIn(
            f"{len(good)} in the cache, 0 upstream, 0 missing, 0 unknown",
            run.checked.log,
            run.told(),
        )
        for end in (run.planned, *run.built, run.checked):
            for annotation in end.annotations:
                self.assertRegex(
                    annotation,
                    r"^(error\|packages\.x86_64-linux\.|notice\|x86_64-linux\|and |error\|Decision\|the build did not)",
                )
            self.assertNotIn("\x1b", end.log + end.summary)
        self.assertFalse((run.job.checkout / "pwned").exists())


class CacheOnly(unittest.TestCase):
    def test_it_demands_every_target(self) -> None:
        run = Run(
            self,
            """packages.x86_64-linux = {
              a = derivation { name = "a"; inherit n; system = "x86_64-linux"; outputs = [ "out" "dev" ]; builder = "/bin/sh"; args = [ "-c" "echo > $out; echo > $dev" ]; };
              b = ok "b"; };
            checks.x86_64-linux = { broken = throw "no"; via = ok (import (d "ifd" "x86_64-linux" "exit 1")); };""",
            "packages.*.*",
        )
        self.assertEqual(0, run.code, run.told())
        end = run.cache_only()
        self.assertEqual((0, []), (end.code, end.annotations), end.log)
        self.assertIn("3 in the cache, 0 upstream, 0 missing, 0 unknown", end.summary)

        run.job.model(**{**run.job.entries, "rules": rules("checks.*.*")})
        end = run.cache_only()
        self.assertEqual(1, end.code)
        self.assertEqual(2, len(end.annotations), end.log)
        self.assertEqual(
            "error|checks.x86_64-linux.broken|checks.x86_64-linux.broken cannot be verified: does not evaluate: no",
            end.annotations[0],
        )
        self.assertRegex(
            end.annotations[1],
            r"^error\|checks\.x86_64-linux\.via\|checks\.x86_64-linux\.via cannot be verified: what it imports is not in the cache: ",
        )

        run.job.model(**{**run.job.entries, "rules": rules("*.*.none")})
        end = run.cache_only()
        self.assertEqual(0, end.code)
        said = "No target is selected on this branch: nothing was verified."
        self.assertEqual([f"warning|Verify|{said}"], end.annotations)
        self.assertIn(said.replace(":", "&#58;"), end.summary)

        run.job.model(
            **{**run.job.entries, "rules": rules("packages.*.*"), "cache": {"backend": "cachix"}}
        )
        for selected in ("packages.*.*", "*.*.none"):
            run.job.model(**{**run.job.entries, "rules": rules(selected)})
            end = run.cache_only()
            self.assertEqual(1, end.code)
            self.assertEqual(
                ["error|Verify|the cache cannot be used: no cache is configured"],
                [one for one in end.annotations if one.startswith("error")],
            )

    def test_what_has_no_path_is_unknown(self) -> None:
        run = Run(self, 'packages.x86_64-linux.a = ok "a";', "packages.*.*")
        run.job.env["NIX_CONFIG"] = run.job.env["NIX_CONFIG"].replace(
            "flakes", "flakes ca-derivations"
        )
        run.job.flake(
            """packages.x86_64-linux.floating = derivation { name = "floating"; inherit n; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ];
            __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };"""
        )
        end = run.cache_only()
        self.assertEqual(1, end.code)
        self.assertEqual(
            [
                "error|packages.x86_64-linux.floating|packages.x86_64-linux.floating cannot be verified: its path is not known before it is built"
            ],
            end.annotations,
        )

    def test_it_waits_as_long_as_it_is_asked_to_and_can(self) -> None:
        run = Run(
            self,
            'packages.x86_64-linux.a = ok "a";',
            "packages.*.*",
            minutes={"build": 330, "verify": 6},
        )
        a = run.output("a")
        narinfo = run.cache.folder / f"{hash_of(a)}.narinfo"
        text = narinfo.read_text()
        narinfo.unlink()
        before = run.cache.asked("GET", hash_of(a))

        def arrive(request: Request, number: int) -> bool:
            if hash_of(a) in request.name and number == before + 3:
                narinfo.write_text(text)
            return False

        run.cache.answer = arrive
        run.job.event("workflow_dispatch", inputs={"wait-minutes": "1"})
        end = run.cache_only()
        self.assertEqual(0, end.code, end.log)
        self.assertIn("asking again", end.log)

        narinfo.unlink()
        run.job.age(2 * 60)
        end = run.cache_only()
        self.assertEqual(1, end.code, "the job would be over before the wait")
        self.assertNotIn("asking again", end.log)
        for wait in ("1; touch pwned", "nan", "-1"):
            run.job.event("workflow_dispatch", inputs={"wait-minutes": wait})
            end = run.cache_only()
            self.assertEqual(
                (1, 1), (end.code, len(end.annotations)), "what is no number ends the job"
            )
