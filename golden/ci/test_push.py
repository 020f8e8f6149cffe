"""What is finished arrives in the cache, with every backend, and whoever refuses it is named."""

from __future__ import annotations

import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from building import BACKENDS, TOKEN, BuildJob, backend
from harness import ROOT, End, scratch
from loopback import Request, hash_of

import push
from inner import outputs_of

MULTI = """multi = derivation { name = "multi"; inherit n; system = "x86_64-linux"; outputs = [ "out" "dev" ]; builder = "/bin/sh"; args = [ "-c" "echo > $out; echo > $dev" ]; };
needy = derivation { name = "needy"; inherit n; needs = ok "needed"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $needs > $out" ]; };
bad = d "bad" "x86_64-linux" "exit 1";"""
NEEDY = 'a = derivation { name = "a"; inherit n; needs = ok "needed"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $needs > $out" ]; };'


class EveryBackend(unittest.TestCase):
    def test_every_output_of_what_was_built_arrives_also_where_something_failed(self) -> None:
        for name in BACKENDS:
            with self.subTest(name):
                job = backend(self, name)
                job.packages(MULTI, "multi", "needy", "bad")
                end = job.build()
                self.assertEqual(1, end.code, end.log)
                self.assertTrue(job.result()["pushed"])
                self.assertEqual(
                    {"multi": "built", "needy": "built", "bad": "failed"}, job.states()
                )
                for package in ("multi", "needy"):
                    for path in job.target(package)["outputs"].values():
                        self.assertTrue(job.cache.has(path))
                self.assertIn(", pushed", end.summary)
                self.assertNotIn(TOKEN, end.log)
                self.assertEqual(1, len(end.annotations))

    def test_what_was_built_on_the_way_arrives_too(self) -> None:
        """What evaluating imported, and what only building needed."""
        for name in BACKENDS:
            with self.subTest(name):
                job = backend(self, name)
                job.packages(
                    """ifd = d "ifd" "x86_64-linux" "echo '\\"from-ifd\\"' > $out"; a = ok (import ifd);
                    tool = ok "tool"; b = derivation { name = "b"; inherit n tool; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "read x < $tool; exit 1" ]; };""",
                    "a",
                    "b",
                )
                end = job.build()
                self.assertEqual(1, end.code, end.log)
                self.assertEqual({"a": "built", "b": "failed"}, job.states())
                made = job.result()["finished"]
                self.assertEqual({"ifd", "tool", "from-ifd"}, {path[44:] for path in made})
                for path in made:
                    self.assertTrue(job.cache.has(path), path)

    def test_a_short_limit_ends_building_and_what_is_finished_arrives(self) -> None:
        def build(name: str) -> tuple[BuildJob, End]:
            job = backend(self, name)
            job.packages(
                """quick = ok "quick"; early = ok "early"; after = derivation { name = "after"; inherit n slow; system = "x86_64-linux"; builder = "/bin/sh"; };
                slow = derivation { name = "slow"; inherit n early; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "read x < $early; /bin/sleep 300" ]; };""",
                "quick",
                "slow",
                "after",
            )
            job.model(cache=job.settings, minutes={"build": 5})
            job.age(5 * 60 - 12)
            return job, job.build()

        with ThreadPoolExecutor() as pool:
            builds = dict(zip(BACKENDS, pool.map(build, BACKENDS), strict=True))
        for name, (job, end) in builds.items():
            with self.subTest(name):
                self.assertEqual(1, end.code, end.log)
                self.assertEqual(
                    {"quick": "built", "slow": "not-started", "after": "not-started"}, job.states()
                )
                result = job.result()
                self.assertEqual((True, True), (result["late"], result["pushed"]))
                for path in result["finished"]:
                    self.assertTrue(job.cache.has(path))
                self.assertEqual({"early", "quick"}, {path[44:] for path in result["finished"]})
                late = "is not built: there was no time left to build it"
                self.assertEqual(
                    [
                        "error|time is up|building stopped 5 minutes after the job's start: spread the targets over more jobs (shards), or raise timeouts.build",
                        f"error|packages.x86_64-linux.after|packages.x86_64-linux.after {late}",
                        f"error|packages.x86_64-linux.slow|packages.x86_64-linux.slow {late}",
                    ],
                    end.annotations,
                )

    def test_an_evaluation_that_does_not_end_is_ended(self) -> None:
        job = BuildJob(self)
        job.packages('a = ok (import (d "ifd" "x86_64-linux" "/bin/sleep 300"));', "a")
        job.model(cache=job.settings, minutes={"build": 5})
        job.age(5 * 60 + 121)
        end = job.build()
        self.assertEqual(1, end.code, end.log)
        error = "the evaluation or the build had no time left; see the log"
        self.assertEqual(f"error|Nix Build Cache|{error}", end.annotations[-1])
        self.assertEqual(0, job.calls().count("push "))

    def test_where_pushing_has_no_time_left_that_is_said(self) -> None:
        ready = push.Tool("mine", ["false"], {})
        with mock.patch("builtins.print"):
            cause = push.push(ready, ["/"], time.time() - 1)
        self.assertEqual("what was built could not be pushed to mine: there is no time left", cause)


class Refusals(unittest.TestCase):
    def test_each_has_its_cause(self) -> None:
        job = BuildJob(self)
        job.packages(NEEDY, "a")
        other = {"cache": {**job.settings, "name": "other"}}
        once = "could not be pushed to mine: "
        for name, model, env, cause, tries in (
            (
                "an empty token is never used",
                {},
                {"CACHIX_AUTH_TOKEN": ""},
                "CACHIX_AUTH_TOKEN is empty",
                0,
            ),
            (
                "a wrong token",
                {},
                {"CACHIX_AUTH_TOKEN": "old"},
                f"{once}the token is wrong or expired, or the cache does not exist (401)",
                1,
            ),
            (
                "another cache",
                other,
                {},
                "the token is wrong or expired, or the cache does not exist (401)",
                1,
            ),
            (
                "a token that only reads",
                {},
                {"STANDIN_CACHIX_FAIL": "403"},
                f"{once}the token may not write to it (403)",
                1,
            ),
            (
                "a broken server",
                {},
                {"STANDIN_CACHIX_FAIL": "500"},
                f"{once}the server failed (500)",
                3,
            ),
            (
                "a connection that breaks halfway",
                {},
                {"STANDIN_CACHIX_FAIL": "halfway"},
                f"{once}see the log",
                3,
            ),
        ):
            with self.subTest(name):
                job.client_log.unlink(missing_ok=True)
                job.model(**{"cache": job.settings, **model})
                end = job.build(**env)
                self.assertEqual(1, end.code)
                errors = [one for one in end.annotations if one.startswith("error")]
                self.assertEqual(1, len(errors), end.log)
                self.assertIn(cause, errors[0])
                self.assertIn("error|Push|", errors[0])
                self.assertNotIn(TOKEN, end.log)
                self.assertEqual(tries, job.calls().count("push "))
                self.assertEqual({"a": "built"}, job.states())
                self.assertFalse(job.result()["pushed"])
                self.assertFalse(job.cache.has(job.target("a")["outputs"]["out"]))
        job.model(cache=job.settings)
        end = job.build(STANDIN_CACHIX_FAIL="halfway", STANDIN_CACHIX_FAILS="1")
        self.assertEqual(0, end.code, "the second attempt counts")
        self.assertTrue(job.cache.has(job.target("a")["outputs"]["out"]))

    def test_a_client_that_hangs_or_dies_is_named(self) -> None:
        def build(case: tuple[str, str]) -> tuple[BuildJob, End]:
            name, trouble = case
            job = backend(self, name)
            if name == "nix":
                # The client is nix itself.
                does = {"hang-push": "exec sleep 600", "die-push": "kill -KILL $$"}[trouble]
                log = f'echo "push $3" >>{job.client_log}'
                job.tool(
                    "nix",
                    f'[ "$1" != copy ] || {{ {log}; {does}; }}\nPATH=${{PATH#*:}} exec nix "$@"',
                )
            job.packages(NEEDY, "a")
            return job, job.build(PUSH_TIMEOUT="3", **{f"STANDIN_{name.upper()}_TROUBLE": trouble})

        causes = {
            "hang-push": "no end after 3 seconds",
            "die-push": "its client was ended by signal 9",
        }
        cases = [(name, trouble) for name in BACKENDS for trouble in causes]
        with ThreadPoolExecutor(3) as pool:
            builds = list(zip(cases, pool.map(build, cases), strict=True))
        for (name, trouble), (job, end) in builds:
            with self.subTest(name, trouble=trouble):
                self.assertEqual((1, {"a": "built"}), (end.code, job.states()), end.log)
                place = job.cache.url if name == "nix" else "mine"
                cause = f"what was built could not be pushed to {place}: {causes[trouble]}"
                self.assertEqual([f"error|Push|{cause}"], end.annotations)
                self.assertEqual(3, job.calls().count("push "), job.calls())
                self.assertFalse(job.result()["pushed"])
                # Cachix pushed it while nix built; that is no proof of the rest.
                a = job.target("a")["outputs"]["out"]
                self.assertEqual(name == "cachix", job.cache.has(a))

    def test_nothing_built_is_nothing_to_push(self) -> None:
        job = BuildJob(self)
        job.packages('bad = d "bad" "x86_64-linux" "exit 1";', "bad")
        end = job.build()
        self.assertEqual(1, end.code)
        self.assertIn("0 built, 1 not, not pushed", end.log)
        self.assertNotIn("push mine", job.calls())
        self.assertFalse(job.result()["pushed"])

    @unittest.skipIf(ROOT, "the store that loses something is this machine's")
    def test_what_is_lost_before_it_is_pushed_is_named(self) -> None:
        job = BuildJob(self)
        job.packages('a = ok "a";', "a")
        (job.bin / "cachix").rename(job.bin / "cachix-itself")
        # The client would skip it and succeed.
        job.tool(
            "cachix",
            f'cachix-itself "$@"; status=$?; [ "$1" = push ] || nix-store --delete $(sed -n "s/watched mine //p" {job.client_log}) ; exit $status\n',
        )
        end = job.build()
        self.assertEqual(1, end.code, end.log)
        self.assertRegex(
            "".join(end.annotations),
            r"^error\|Push\|outputs that were built are no longer in the store: /nix/store/\S+-a$",
        )
        self.assertNotIn("push mine", job.calls())


class NixCopy(unittest.TestCase):
    def test_a_store_that_refuses_or_hangs_is_named(self) -> None:
        job = backend(self, "nix")
        job.packages('a = ok "a";', "a")

        def refuse(request: Request, _: int) -> bool:
            if request.command == "PUT":
                request.reply(self.status)
            return request.command == "PUT"

        job.cache.answer = refuse
        for self.status, cause in (
            (403, r"may not write to it \(403\)"),
            (500, r"no end after 2 seconds|the server failed \(500\)"),
        ):
            end = job.build(PUSH_TIMEOUT="2")
            self.assertEqual(1, end.code, end.log)
            self.assertRegex("".join(end.annotations), cause)

    def test_it_signs_with_the_key(self) -> None:
        job = backend(self, "nix")
        job.packages('a = ok "a";', "a")
        key = job.temp / "key"
        made = job.call(
            ["nix-store", "--generate-binary-cache-key", "test-1", str(key), f"{key}.pub"]
        )
        self.assertEqual(0, made.returncode, made.stdout)
        end = job.build(NIX_SIGNING_KEY=key.read_text())
        self.assertEqual(0, end.code, end.log)
        a = job.target("a")["outputs"]["out"]
        self.assertTrue(job.cache.has(a))
        self.assertIn("Sig: test-1:", (job.cache.folder / f"{hash_of(a)}.narinfo").read_text())
        self.assertNotIn(key.read_text().strip(), end.log)
        self.assertEqual(["key"], job.kept(key.read_text().strip()), "no other is left behind")

    def test_an_empty_secret_pushes_nothing(self) -> None:
        job = backend(self, "nix")
        job.packages('a = ok "a";', "a")
        end = job.build(NIX_SIGNING_KEY="")
        self.assertEqual(
            (1, ["error|Push|NIX_SIGNING_KEY is empty: nothing is pushed"]),
            (end.code, end.annotations),
        )
        job.model(cache={**job.settings, "pushUrl": "s3://bucket?endpoint=127.0.0.1"})
        end = job.build(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="x")
        self.assertEqual(
            (1, ["error|Push|AWS_ACCESS_KEY_ID is empty: nothing is pushed"]),
            (end.code, end.annotations),
        )
        self.assertEqual(0, job.cache.asked("PUT"))


class Attic(unittest.TestCase):
    def test_it_gets_its_token_in_a_file(self) -> None:
        job = backend(self, "attic")
        job.packages('a = ok "a";', "a")
        token = 'a"b'
        end = job.build(ATTIC_TOKEN=token, STANDIN_ATTIC_TOKEN='a\\"b')
        self.assertEqual(0, end.code, end.log)
        self.assertEqual(
            'push ci:mine\nmode 600\nenvironment none\n"http://127.0.0.1/"\n', job.calls()
        )
        self.assertTrue(job.cache.has(job.target("a")["outputs"]["out"]))
        self.assertEqual([], list(job.temp.rglob("config.toml")), "and the file goes with the job")
        job.tool("attic", 'echo "it lies in $XDG_CONFIG_HOME"')
        self.assertIn(f"it lies in {job.temp}/", job.build().log, "which the runner empties")
        job.standin("attic")
        end = job.build(ATTIC_TOKEN="old")
        self.assertIn(
            "the token is wrong or expired, or the cache does not exist (401)",
            "".join(end.annotations),
        )
        end = job.build(ATTIC_TOKEN="")
        self.assertEqual(["error|Push|ATTIC_TOKEN is empty: nothing is pushed"], end.annotations)


class PrivateCaches(unittest.TestCase):
    def test_builds_read_them_on_trusted_events_only(self) -> None:
        """The store that nix reads from gets the password from a file that is gone when the job is."""
        for name in BACKENDS:
            with self.subTest(name):
                job = backend(self, name)
                job.settings["private"] = True
                job.model(cache=job.settings)
                head = job.flake('packages.x86_64-linux = { a = ok "a"; b = ok "b"; };')
                seen: list[str | None] = []

                def private(request: Request, _: int, seen: list[str | None] = seen) -> bool:
                    if request.command != "PUT":
                        seen.append(request.headers.get("Authorization"))
                        if not seen[-1]:
                            request.reply(401)
                            return True
                    return False

                job.cache.answer = private
                job.readable(head, "a")
                end = job.build(READ_TOKEN="r3ad")
                self.assertEqual((0, {"a": "built"}), (end.code, job.states()), end.log)
                self.assertIn("Basic OnIzYWQ=", seen, "as nix reads it, without a user")
                seen.clear()
                job.event("pull_request", "refs/pull/1/merge", pull_request={"head": {"sha": head}})
                # Of what is built nothing is asked for.
                job.readable(head, "b")
                end = job.build(READ_TOKEN="r3ad")
                self.assertEqual((0, {"b": "built"}), (end.code, job.states()), end.log)
                self.assertEqual({None}, set(seen), "it is asked, without credentials")
                self.assertEqual([], job.kept("r3ad"))


class Paths(unittest.TestCase):
    def test_a_derivation_names_its_outputs(self) -> None:
        drv = scratch(self) / "x.drv"
        out, dev = "/nix/store/" + "0" * 32 + "-x", "/nix/store/" + "1" * 32 + "-x-dev"
        for text, paths in (
            (
                f'Derive([("dev","{dev}","",""),("out","{out}","","")],[("/nix/store/y.drv",["out"])],[],"x","y",[],[])',
                [dev, out],
            ),
            (f'Derive([("out","{out}","sha256","00")],[],[],"x","y",[],[])', [out]),
            ('Derive([("out","","r:sha256","")],[],[],"x","y",[],[])', []),
            ("", []),
            ("\xff", []),
        ):
            drv.write_text(text, encoding="latin-1")
            self.assertEqual(paths, outputs_of(str(drv)))
        self.assertEqual([], outputs_of("/nix/store/nowhere.drv"))
