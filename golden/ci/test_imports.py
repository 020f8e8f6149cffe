"""Import from derivation: substituted where a cache has it, never built by the plan."""

from __future__ import annotations

import re
import unittest

from harness import NIX, SYSTEM, need
from planning import PlanJob, by_attr, jobs, rules, states

MAC = "aarch64-darwin"
FLAKE = """
  lib.imports = builtins.listToAttrs (map
    (system: { name = system; value = d "import" system "echo '\\"made\\"' > $out"; }) [ "x86_64-linux" "aarch64-darwin" ]);
  packages.x86_64-linux = { plain = ok "plain"; other = ok "other"; late = ok "late";
    via = d (import self.lib.imports.x86_64-linux) "x86_64-linux" ""; };
  packages.aarch64-darwin = { plain = d "plain" "aarch64-darwin" "";
    via = d (import self.lib.imports.aarch64-darwin) "aarch64-darwin" ""; };
"""


class Imports(unittest.TestCase):
    def setUp(self) -> None:
        need("nix", "git")
        self.job = PlanJob(self)
        # Nothing in the test's cache is signed, and this machine plays a Mac too.
        self.job.env["NIX_CONFIG"] = f"{NIX}require-sigs = false\nextra-platforms = {MAC}\n"

    def test_only_what_a_cache_lacks_goes_to_its_runner(self) -> None:
        self.job.flake(FLAKE)
        entries = {"cache": self.job.cache(), "rules": rules("packages.*.*")}
        plan, _ = self.job.planned(**entries)
        away = {f"packages.{SYSTEM}.via", f"packages.{MAC}.via"}
        self.assertEqual(
            {attr for attr, state in states(plan).items() if state == "elsewhere"}, away
        )
        self.assertEqual(set(states(plan).values()), {"build", "elsewhere"})
        self.assertNotIn("cannot be built", " ".join(plan["faults"]))
        self.assertEqual(
            jobs(plan),
            [
                f"{SYSTEM}: packages.{SYSTEM}.late packages.{SYSTEM}.other packages.{SYSTEM}.plain packages.{SYSTEM}.via",
                f"{MAC}: packages.{MAC}.plain packages.{MAC}.via",
            ],
        )
        plan, _ = self.job.planned(**entries, shards={SYSTEM: 2})
        self.assertEqual(len(plan["entries"]), 3, "shards have effect")
        plan, _ = self.job.planned(**entries, granularity="target")
        self.assertIn(f"packages.{MAC}.via: packages.{MAC}.via", jobs(plan))
        self.assertEqual(len(plan["entries"]), 6, "a job each")

        imports = {system: self._push(system) for system in (SYSTEM, MAC)}
        plan, _ = self.job.planned(**entries)
        self.assertEqual(set(states(plan).values()), {"build"}, "substituted, for a Mac too")
        drv = by_attr(plan["targets"])[f"packages.{MAC}.via"]["drv"]
        self.assertRegex(drv, "-made.drv$")

        # The cache has lost one of them.
        self._lose(*imports.values())
        for file in (self.job.temp / "cache").glob(f"{imports[SYSTEM][11:43]}.narinfo"):
            file.unlink()
        plan, _ = self.job.planned(**entries)
        self.assertEqual(
            {attr for attr, state in states(plan).items() if state == "elsewhere"},
            {f"packages.{SYSTEM}.via"},
        )

    def _push(self, system: str) -> str:
        """Build an import, move it to the cache, and return its path."""
        attr = f".#lib.imports.{system}"
        path = self._nix("nix", "eval", "--raw", f"{attr}.outPath")
        self._nix("nix", "build", "--no-link", attr)
        self._nix("nix", "copy", "--to", f"file://{self.job.temp / 'cache'}", path)
        self._lose(path)
        return path

    def _lose(self, *paths: str) -> None:
        self._nix("nix-store", "--delete", *paths)

    def _nix(self, *call: str) -> str:
        ended = self.job.call(list(call))
        self.assertEqual(ended.returncode, 0, ended.stdout)
        return ended.stdout.splitlines()[-1] if ended.stdout else ""

    def test_many_of_them_do_not_take_a_process_each(self) -> None:
        self.job.flake("""packages.x86_64-linux = builtins.listToAttrs (builtins.genList (i:
          { name = "p${toString i}"; value = d (import (d "i${toString i}" "x86_64-linux" "")) "x86_64-linux" ""; }) 60);""")
        calls = self.job.counted()
        plan, _ = self.job.planned(rules=rules("packages.*.*"))
        self.assertEqual(list(states(plan).values()), ["elsewhere"] * 60)
        self.assertLessEqual(len(calls.read_text().splitlines()), 27)

    def test_what_cannot_be_listed_without_a_build_is_listed_on_its_runner(self) -> None:
        self.job.flake("""
          packages.x86_64-linux.a = ok "a";
          packages.aarch64-darwin = { x = import (d "ifd" "aarch64-darwin" ""); y = d "y" "aarch64-darwin" ""; };
          packages.aarch64-linux = import (d "ifd" "aarch64-linux" "echo {} > $out");
          checks.aarch64-linux.c = d "c" "aarch64-linux" "";
          packages.x86_64-darwin = import (d "ifd" "x86_64-darwin" "");
          nixosConfigurations.good.config.system.build.toplevel = ok "good";
          nixosConfigurations.arm.config.system.build.toplevel = d "arm" "aarch64-linux" "";
          nixosConfigurations.needs = { config.system.build.toplevel = import (d "ifd" "i686-linux" "");
            pkgs.stdenv.hostPlatform.system = "i686-linux"; };
          nixosConfigurations.dark = { config.system.build.toplevel = import (d "ifd" "i686-linux" ""); };""")
        runners = {
            SYSTEM: "l",
            "aarch64-linux": ["self-hosted", "arm"],
            MAC: "m",
            "i686-linux": "l",
        }
        sections = rules("*.*", "*.*.*")
        plan, end = self.job.planned(rules=sections, runners=runners)
        self.assertEqual(
            states(plan),
            {
                "nixosConfigurations.arm": "build",
                "nixosConfigurations.dark": "failed",
                "nixosConfigurations.good": "build",
                "nixosConfigurations.needs": "elsewhere",
                "packages.aarch64-darwin.x": "elsewhere",
                "packages.aarch64-darwin.y": "build",
                "packages.x86_64-linux.a": "build",
                "aarch64-linux": "elsewhere",
                "x86_64-darwin": "no-runner",
            },
        )
        self.assertIn(
            "its system is not known", by_attr(plan["targets"])["nixosConfigurations.dark"]["error"]
        )
        self.assertEqual(
            jobs(plan),
            [
                "x86_64-linux: nixosConfigurations.good packages.x86_64-linux.a",
                "i686-linux: nixosConfigurations.needs",
                "aarch64-linux (listed there): nixosConfigurations.arm",
                "aarch64-darwin: packages.aarch64-darwin.x packages.aarch64-darwin.y",
            ],
        )
        self.assertEqual(
            [entry.get("rules", False) for entry in plan["entries"]], [False, False, True, False]
        )
        self.assertEqual(plan["entries"][2]["runner"], ["self-hosted", "arm"])
        self.assertEqual(
            plan["faults"],
            ["2 targets cannot be built anywhere; the plan names them"],
            "dark, and a system without a runner",
        )
        row = (
            r"\| elsewhere \| <code>aarch64-linux</code> \| aarch64-linux, evaluated on its runner"
        )
        self.assertRegex(re.sub("&#95;", "_", end.summary).replace("&#58;", ":"), row)
        self.assertIn(
            "error|x86_64-darwin|x86_64-darwin needs a runner for x86_64-darwin, and none is configured",
            end.annotations,
        )
        plan, _ = self.job.planned(rules=sections, runners=runners, granularity="target")
        self.assertIn("nixosConfigurations.arm: nixosConfigurations.arm", jobs(plan))
        self.assertIn("aarch64-linux (listed there): ", jobs(plan))

    def test_nothing_is_built_whatever_the_machine_allows(self) -> None:
        self.job.env["NIX_CONFIG"] += "allow-import-from-derivation = false\n"
        marker = self.job.temp / "built"
        self.job.flake(
            f"""packages.x86_64-linux = {{ plain = ok "plain"; via = import (d "i" "x86_64-linux" "touch {marker}"); }};"""
        )
        for extra in ("", "max-jobs = 4\nallow-import-from-derivation = true\n"):
            self.job.env["NIX_CONFIG"] += extra
            plan, _ = self.job.planned(rules=rules("*.*.*"))
            self.assertEqual(
                states(plan),
                {"packages.x86_64-linux.plain": "build", "packages.x86_64-linux.via": "elsewhere"},
            )
        self.assertFalse(marker.exists())

    def test_a_path_that_is_read_before_it_is_in_the_store_counts_as_there(self) -> None:
        self.job.flake(
            """packages.x86_64-linux.a = ok (if builtins.pathExists "${./folder}/file" then "there" else "gone");""",
            **{"folder/file": "x"},
        )
        plan, _ = self.job.planned(rules=rules("*.*.*"))
        self.assertRegex(plan["targets"][0]["drv"], "-there.drv$")

    def test_an_import_that_cannot_be_built_is_not_tried_twice_for_a_target(self) -> None:
        marker = self.job.temp / "tried"
        self.job.flake(f"""packages.x86_64-linux = {{ good = ok "good";
          a = import (d "bad" "x86_64-linux" "echo x >>{marker}; exit 1"); }};""")
        found = by_attr(
            self.job.evaluated([["packages", SYSTEM, "a"], ["packages", SYSTEM, "good"]])
        )
        self.assertEqual(found[f"packages.{SYSTEM}.a"]["state"], "failed")
        self.assertRegex(found[f"packages.{SYSTEM}.a"]["error"], "bad.drv")
        self.assertEqual(found[f"packages.{SYSTEM}.good"]["state"], "")
        self.assertEqual(marker.read_text(), "x\n")
