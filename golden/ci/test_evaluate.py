"""What a plan lists and evaluates, with real nix."""

from __future__ import annotations

import re
import unittest

from harness import NIX, need
from planning import PlanJob, attrs, by_attr, rules, states

IFD = """import (d "ifd" "%s" "echo '{ made = 1; }' > $out")"""


class Evaluates(unittest.TestCase):
    def setUp(self) -> None:
        need("nix", "git")
        self.job = PlanJob(self)

    def test_what_is_listed_is_taken_for_its_branch(self) -> None:
        self.job.flake(
            'packages.x86_64-linux = { a = ok "a"; b = ok "b"; c = ok "c"; "with space" = ok "d"; };'
        )
        prefix = "packages.x86_64-linux."
        targets = {
            f"{prefix}a": True,
            f"{prefix}b": ["main", "x"],
            f"{prefix}with space": ["dev"],
            f"{prefix}gone": True,
            f"{prefix}c": [],
        }
        for branch, want in {"main": "a b", "dev": "a,with space", "": "a"}.items():
            with self.subTest(branch):
                if branch:
                    self.job.event("push", f"refs/heads/{branch}")
                else:
                    self.job.pull_request()
                plan, end = self.job.planned(targets=targets)
                names = want.split("," if "," in want else " ")
                self.assertEqual(attrs(plan["targets"]), [prefix + name for name in names])
                self.assertIn(
                    f"warning|not in the flake|{prefix}gone is listed but the flake has no such output",
                    end.annotations,
                )

    def test_a_flake_that_has_more_than_its_committed_list_is_told(self) -> None:
        self.job.flake('packages.x86_64-linux = { a = ok "a"; new = ok "b"; other = ok "c"; };')
        entries = {
            "targets": {"packages.x86_64-linux.a": True},
            "rules": rules("packages.*.*", exclude=("*.*.other",)),
        }
        plan, end = self.job.planned(**entries)
        self.assertEqual(attrs(plan["targets"]), ["packages.x86_64-linux.a"])
        told = [
            text for text in end.annotations if text.startswith("warning|not in the committed list")
        ]
        self.assertEqual(len(told), 1, end.log)
        self.assertIn("packages.x86_64-linux.new is selected and nothing builds it", told[0])
        self.assertIn("garnix2gha snapshot", told[0])

        self.job.flake(
            'packages.x86_64-linux.a = ok "a"; packages.aarch64-darwin = throw "no mac";'
        )
        plan, end = self.job.planned(**entries)
        self.assertEqual(attrs(plan["targets"]), ["packages.x86_64-linux.a"])
        self.assertRegex(
            "\n".join(end.annotations),
            r"warning\|Evaluate flake.nix\|packages.aarch64-darwin cannot be listed: no mac",
        )

    def test_a_fork_has_no_branch_not_even_an_empty_one(self) -> None:
        self.job.flake('packages.x86_64-linux.a = ok "a"; checks.x86_64-linux.a = ok "check";')
        sections = [*rules("packages.x86_64-linux.a", branch=""), *rules("checks.*.*")]
        for repository in ({"full_name": "stranger/r"}, None):
            self.job.pull_request(repo=repository)
            plan, _ = self.job.planned(rules=sections)
            self.assertEqual(attrs(plan["targets"]), ["checks.x86_64-linux.a"])
            self.assertIsNone(plan["branch"])

    def test_targets_have_garnixs_names_and_their_own_systems(self) -> None:
        self.job.flake("""
          packages.x86_64-linux = { a = ok "a"; same = ok "a"; };
          packages.aarch64-darwin.mac = d "mac" "aarch64-darwin" "";
          checks.x86_64-linux.a = ok "check"; devShells.x86_64-linux.s = ok "s";
          devShell.x86_64-linux = ok "shell"; defaultPackage.x86_64-linux = ok "default";
          nixosConfigurations.web.config.system.build.toplevel = d "web" "aarch64-linux" "";
          darwinConfigurations.mac.config.system.build.toplevel = d "mac" "aarch64-darwin" "";
          homeConfigurations."me@host".activationPackage = ok "home"; """)
        plan, _ = self.job.planned(rules=rules("*.*", "*.*.*"))
        found = by_attr(plan["targets"])
        self.assertEqual(
            {
                "packages.x86_64-linux.a",
                "packages.x86_64-linux.same",
                "packages.aarch64-darwin.mac",
                "checks.x86_64-linux.a",
                "devShells.x86_64-linux.s",
                "devShell.x86_64-linux",
                "defaultPackage.x86_64-linux",
                "nixosConfigurations.web",
                "darwinConfigurations.mac",
                "homeConfigurations.me@host",
            },
            set(found),
        )
        self.assertEqual(found["nixosConfigurations.web"]["system"], "aarch64-linux")
        self.assertEqual(
            found["packages.x86_64-linux.a"]["drv"], found["packages.x86_64-linux.same"]["drv"]
        )

    def test_it_looks_where_garnixs_nix_looked(self) -> None:
        self.job.flake("""
          homeConfigurations = { shadowed.activationPackage = ok "shadowed"; both.activationPackage = ok "top"; };
          legacyPackages.x86_64-linux.homeConfigurations = {
            me.activationPackage = ok "me"; both.activationPackage = ok "legacy"; };
          packages.x86_64-linux = { a = ok "a"; darwinConfigurations = ok "not-a-family"; };""")
        plan, _ = self.job.planned(rules=rules("homeConfigurations.*", "packages.*.*"))
        self.assertEqual(
            attrs(plan["targets"]),
            [
                "homeConfigurations.both",
                "homeConfigurations.me",
                "packages.x86_64-linux.a",
                "packages.x86_64-linux.darwinConfigurations",
            ],
        )
        self.assertIn("-legacy.drv", plan["targets"][0]["drv"])
        named = {"homeConfigurations.shadowed": True, "homeConfigurations.both": True}
        plan, _ = self.job.planned(targets=named)
        self.assertEqual(attrs(plan["targets"]), sorted(named))
        self.assertIn("-legacy.drv", plan["targets"][0]["drv"])

    def test_an_entry_is_evaluated_on_its_runner(self) -> None:
        made = IFD.replace("made = 1", "a = 1") % "x86_64-linux"
        self.job.flake(f"""
          packages.x86_64-linux = {made} // {{ b = ok "b"; }};
          packages.aarch64-darwin = throw "not listed here";
          nixosConfigurations = {{ one.config.system.build.toplevel = ok "one";
            two.config.system.build.toplevel = ok "two"; }};""")
        self.job.model(rules=rules("*.*", "*.*.*", branch="main"))
        found = self.job.evaluated(
            [["nixosConfigurations", "two"]], rules=True, system="x86_64-linux"
        )
        self.assertEqual(
            attrs(found),
            ["nixosConfigurations.two", "packages.x86_64-linux.a!", "packages.x86_64-linux.b"],
            "the entry names its configurations",
        )
        valid = self.job.call(
            ["nix-store", "--check-validity", by_attr(found)["packages.x86_64-linux.b"]["drv"]]
        )
        self.assertEqual(valid.returncode, 0, "evaluating made the derivation")
        found = self.job.evaluated(
            [["packages", "x86_64-linux", "b"], ["packages", "x86_64-linux", "gone"]]
        )
        self.assertEqual(attrs(found), ["packages.x86_64-linux.b", "packages.x86_64-linux.gone"])
        self.assertEqual((found[1]["drv"], found[1]["state"]), (None, "missing"))
        self.assertEqual(
            found[1]["error"], "the flake has no such output", "nothing planned goes missing"
        )

    def test_every_machine_looks_as_garnixs_evaluator_did(self) -> None:
        self.job.flake("""
          packages.x86_64-linux = throw "not listed here";
          legacyPackages.x86_64-linux.homeConfigurations.pi.activationPackage = d "pi" "aarch64-linux" "";
          packages.aarch64-linux.b = d "b" "aarch64-linux" ""; packages.x86_64-darwin.c = throw "nor here";""")
        self.job.model(rules=rules("*.*", "*.*.*"))
        found = self.job.evaluated(
            [["homeConfigurations", "pi"]], rules=True, system="aarch64-linux"
        )
        self.assertEqual(attrs(found), ["homeConfigurations.pi", "packages.aarch64-linux.b"])

    def test_what_a_flake_prints_is_no_answer(self) -> None:
        self.job.flake(r"""packages.x86_64-linux = builtins.trace "0 null\ntrace: 0 {}" {
          a = builtins.trace "::error::forged\ntrace: {\"state\":\"ok\"}" (ok "a"); b = builtins.trace "\nx" (throw "no b"); };""")
        plan, end = self.job.planned(rules=rules("*.*.*"))
        self.assertEqual(
            states(plan), {"packages.x86_64-linux.a": "build", "packages.x86_64-linux.b": "failed"}
        )
        self.assertEqual(plan["targets"][1]["error"], "does not evaluate: no b")
        self.assertNotIn("forged", end.log)

    def test_outputs_are_named(self) -> None:
        self.job.env["NIX_CONFIG"] = NIX.replace("flakes", "flakes ca-derivations")
        self.job.flake("""
          packages.x86_64-linux = rec {
            multi = derivation { name = "multi"; system = "x86_64-linux"; outputs = [ "out" "dev" "man" ];
              builder = "/bin/sh"; };
            dev = multi.dev;
            floating = derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh";
              __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
          };""")
        plan, _ = self.job.planned(rules=rules("packages.*.*"))
        found = by_attr(plan["targets"])
        multi = found["packages.x86_64-linux.multi"]["outputs"]
        self.assertEqual(sorted(multi), ["dev", "man", "out"])
        for name, path in multi.items():
            end = "" if name == "out" else f"-{name}"
            self.assertRegex(path, rf"^/nix/store/[0-9a-z]{{32}}-multi{end}$")
        self.assertEqual(
            found["packages.x86_64-linux.dev"]["outputs"], multi, "an output stands for all of them"
        )
        self.assertEqual(found["packages.x86_64-linux.floating"]["outputs"], {"out": None})


class Fails(unittest.TestCase):
    def setUp(self) -> None:
        need("nix", "git")
        self.job = PlanJob(self)

    def test_a_target_that_fails_stops_no_other(self) -> None:
        self.job.flake(r"""
          packages.x86_64-linux = {
            good = ok "good"; throws = throw "first line\n::error::second"; aborts = abort "enough";
            missing = { }.attribute; loops = let x = x; in x; text = "text"; path = ./flake.nix;
            set = { a = ok "a"; }; nothing = null; wrong = abort "cannot build 'x'";
            fake = { type = "derivation"; drvPath = "/etc/passwd"; system = "x86_64-linux"; }; };
          nixosConfigurations = { bare = { }; throws = throw "no host";
            good.config.system.build.toplevel = ok "host"; };""")
        plan, end = self.job.planned(rules=rules("*.*", "*.x86_64-linux.*"))
        found = by_attr(plan["targets"])
        self.assertEqual(len(found), 14)
        good = {attr for attr, target in found.items() if target["state"] == "build"}
        self.assertEqual(good, {"nixosConfigurations.good", "packages.x86_64-linux.good"})
        aborted = "evaluation aborted with the following error message: "
        for attr, message in {
            "packages.x86_64-linux.throws": "first line\n::error::second",
            "packages.x86_64-linux.aborts": f"{aborted}'enough'",
            "packages.x86_64-linux.wrong": f"{aborted}'cannot build 'x''",
            "packages.x86_64-linux.missing": "attribute 'attribute' missing",
            "packages.x86_64-linux.loops": "infinite recursion encountered",
            "packages.x86_64-linux.text": "not a derivation",
            "packages.x86_64-linux.path": "not a derivation",
            "packages.x86_64-linux.set": "not a derivation",
            "packages.x86_64-linux.nothing": "not a derivation",
            "packages.x86_64-linux.fake": "not a derivation",
            "nixosConfigurations.bare": "has no config.system.build.toplevel",
            "nixosConfigurations.throws": "no host",
        }.items():
            self.assertEqual(found[attr]["error"], f"does not evaluate: {message}", attr)
        self.assertIn("12 targets cannot be built", plan["faults"][0], states(plan))
        self.assertEqual(len(end.annotations), 12, "ten, how many more, and that there is no cache")
        self.assertIn("notice|Plan|and 2 more", end.annotations)
        self.assertRegex(
            end.summary,
            r"\| failed \| <code>nixosConfigurations.bare</code> \| does not evaluate&#58; has no config",
        )

    def test_a_family_that_cannot_be_listed_fails_the_commit(self) -> None:
        mac = 'packages.aarch64-darwin = throw "no mac";'
        for name, (outputs, sections, culprit, message) in {
            "a throw": (
                f'packages.x86_64-linux.a = ok "a"; {mac}',
                rules("packages.*.*"),
                "packages.aarch64-darwin",
                "no mac",
            ),
            "an abort": (
                'packages.aarch64-darwin = abort "no mac";',
                rules("packages.*.*"),
                "packages.aarch64-darwin",
                "no mac",
            ),
            "not a set": (
                'packages.x86_64-linux = "text";',
                rules("packages.*.*"),
                "packages.x86_64-linux",
                "value is a string while a set was expected|expected a set but found a string",
            ),
            "an excluded system": (
                mac,
                rules("packages.*.*", exclude=("packages.aarch64-darwin.*",)),
                "packages.aarch64-darwin",
                "no mac",
            ),
            "another branch's section": (
                mac,
                rules("packages.*.*", branch="other"),
                "packages.aarch64-darwin",
                "no mac",
            ),
            "a direct output": (
                'devShell.x86_64-linux = throw "no shell";',
                rules("devShell.*"),
                "devShell.x86_64-linux",
                "no shell",
            ),
            "a configuration family": (
                'nixosConfigurations = throw "no hosts";',
                rules("*.*"),
                "nixosConfigurations",
                "no hosts",
            ),
        }.items():
            with self.subTest(name):
                self.job.flake(outputs)
                plan, end = self.job.planned(rules=sections, code=1)
                self.assertEqual(plan, {})
                self.assertEqual(len(end.annotations), 1, end.log)
                self.assertRegex(
                    end.annotations[0],
                    rf"^error\|Evaluate flake.nix\|{re.escape(culprit)} cannot be listed: .*({message})",
                )

    def test_what_is_not_listed_does_no_harm(self) -> None:
        want = ["nixosConfigurations.web", "packages.aarch64-linux.a"]
        for broken in ('throw "x"', 'abort "x"', "{ }.y"):
            with self.subTest(broken):
                self.job.flake(f"""packages.x86_64-linux = {broken}; packages.aarch64-linux.a = ok "a";
                  nixosConfigurations.web.config.system.build.toplevel = ok "web";""")
                plan, _ = self.job.planned(rules=rules("*.*", "packages.aarch64-linux.*"))
                self.assertEqual(attrs(plan["targets"]), want)
                plan, _ = self.job.planned(targets=dict.fromkeys(want, True))
                self.assertEqual(attrs(plan["targets"]), want)

    def test_any_number_of_targets_takes_the_same_number_of_processes(self) -> None:
        calls = self.job.counted()
        for number, static, processes in ((3, False, 4), (200, False, 4), (200, True, 4)):
            self.job.flake(f"""
              packages.x86_64-linux = builtins.listToAttrs (builtins.genList
                (i: {{ name = "p${{toString i}}"; value = ok "p${{toString i}}"; }}) {number});
              packages.aarch64-linux.a = d "a" "aarch64-linux" "";
              nixosConfigurations.web.config.system.build.toplevel = ok "web";""")
            listed = ["packages.aarch64-linux.a", "nixosConfigurations.web"]
            listed += [f"packages.x86_64-linux.p{index}" for index in range(number)]
            entries = (
                {"targets": dict.fromkeys(listed, True)}
                if static
                else {"rules": rules("*.*", "*.*.*")}
            )
            calls.write_text("")
            plan, _ = self.job.planned(**entries)
            self.assertEqual(len(plan["targets"]), number + 2)
            made = calls.read_text().splitlines()
            self.assertEqual(
                len(made),
                processes,
                "the list or the store's opening, and one for each system and the configurations",
            )
            self.assertTrue(
                all("--option accept-flake-config false" in call for call in made), made
            )

    def test_the_bad_ones_among_many_are_found(self) -> None:
        self.job.flake("""packages.x86_64-linux = builtins.listToAttrs (builtins.genList (i: { name = "p${toString i}";
          value = if i == 17 then abort "bad" else if i == 50 then throw "worse" else ok "p${toString i}"; }) 64);""")
        calls = self.job.counted()
        plan, _ = self.job.planned(rules=rules("packages.*.*"))
        self.assertEqual(len(plan["targets"]), 64)
        bad = {target["attr"]: target["error"] for target in plan["targets"] if target["error"]}
        self.assertEqual(
            bad,
            {
                "packages.x86_64-linux.p17": "does not evaluate: evaluation aborted with the following error message: 'bad'",
                "packages.x86_64-linux.p50": "does not evaluate: worse",
            },
        )
        made = calls.read_text().splitlines()
        self.assertLessEqual(len(made), 8, "the rest is asked behind the culprit")

    def test_messages_are_asked_for_the_first_failures_only(self) -> None:
        long = "long" * 60
        self.job.flake(f"""packages.x86_64-linux = builtins.listToAttrs (builtins.genList
          (i: {{ name = "p${{toString i}}-{long}"; value = throw "message ${{toString i}}"; }}) 400);""")
        calls = self.job.counted()
        plan, _ = self.job.planned(rules=rules("packages.*.*"))
        errors = [target["error"] for target in plan["targets"]]
        self.assertEqual(
            sum(error.startswith("does not evaluate: message ") for error in errors), 20
        )
        self.assertEqual(errors.count("does not evaluate: evaluation failed"), 380)
        self.assertLessEqual(len(calls.read_text().splitlines()), 2 + 1 + 20 + 2)
