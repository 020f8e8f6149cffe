"""The last job: it proves what the run had to push or skipped, trusts the plan before a job, and decides."""

from __future__ import annotations

import json
import unittest

from harness import HOSTILE, plain_lines
from loopback import Request, hash_of, store_path
from outcomes import ChecksJob, entry, wants

ADVICE = "Build it again: run the build workflow on this branch, or re-run its failed jobs."


class Proving(unittest.TestCase):
    def test_it_demands_what_the_run_pushed_or_skipped(self) -> None:
        job = ChecksJob(self)
        job.planned(
            wants("cached", "cached", 1),
            wants("upstream", "upstream", 2),
            wants("built", "build", 3, 4),
            wants("failed", "failed", 6),
            entries=[entry("built"), entry(id="two", rules=True)],
        )
        job.told(wants("built", "built", 3, 4))
        job.told(wants("unplanned", "built", 7), "rubbish", {"state": "built"}, id="two")
        upstream = ChecksJob(self).cache
        upstream.put(store_path(2))
        job.model(
            cache={
                "backend": "cachix",
                "name": "mine",
                "url": job.cache.url,
                "upstreams": [upstream.url],
            }
        )
        job.holds(1, 3, 4, 7)
        end = job.check()
        self.assertEqual(0, end.code, end.log)
        self.assertEqual([], end.annotations)
        self.assertIn("\n4 in the cache, 1 upstream, 0 missing, 0 unknown\n", end.summary)
        self.assertIn("4 in the cache, 1 upstream, 0 missing, 0 unknown", end.log)
        self.assertIn("all is well", end.log)
        self.assertEqual({}, end.outputs)
        self.assertEqual(0, job.cache.asked("GET", hash_of(store_path(6))))

        for number in (4, 7):
            (job.cache.folder / f"{hash_of(store_path(number))}.narinfo").unlink()

        def refuse(request: Request, _: int) -> bool:
            if hash_of(store_path(7)) in request.name:
                request.reply(401)
            return hash_of(store_path(7)) in request.name

        job.cache.answer = refuse
        end = job.check()
        self.assertEqual(1, end.code)
        self.assertEqual(
            [
                f"error|built dev|built dev is missing: {store_path(4)} (HTTP 404). {ADVICE}",
                "error|unplanned|unplanned cannot be verified: credentials: HTTP 401",
                "error|Decision|the cache does not hold everything",
            ],
            end.annotations,
        )
        self.assertIn("2 in the cache, 1 upstream, 1 missing, 1 unknown", end.log)
        self.assertIn(
            f"| missing | <code>built dev</code> | {store_path(4)} HTTP 404 |", end.summary
        )

    def test_a_cache_that_cannot_be_used_is_told_once(self) -> None:
        job = ChecksJob(self)
        job.planned(wants("a", "cached", 1), wants("b", "cached", 2))
        job.cache.answer = lambda request, _: request.reply(502) or True
        end = job.check()
        self.assertEqual(1, end.code)
        self.assertEqual(
            [
                "error|Verify|the cache mine cannot be used: HTTP 502",
                "error|Decision|the cache does not hold everything",
            ],
            end.annotations,
        )
        self.assertIn("cannot be used&#58; HTTP 502", end.summary)

    def test_nothing_to_prove_is_fine(self) -> None:
        job = ChecksJob(self)
        job.planned()
        end = job.check(build="skipped")
        self.assertEqual((0, []), (end.code, end.annotations), end.log)

    def test_what_was_just_pushed_may_need_a_moment(self) -> None:
        job = ChecksJob(self)
        job.planned(wants("built", "build", 3), wants("old", "cached", 1))
        job.told(wants("built", "built", 3))
        job.holds(1)

        def arrive(request: Request, number: int) -> bool:
            if hash_of(store_path(3)) in request.name and number == 3:
                job.holds(3)
            return False

        job.cache.answer = arrive
        end = job.check(POLL_SECONDS="0.5")
        self.assertEqual(0, end.code, end.log)
        self.assertEqual(1, job.cache.asked("GET", hash_of(store_path(1))))

    def test_what_was_skipped_as_cached_and_is_gone_is_not_waited_for(self) -> None:
        job = ChecksJob(self)
        job.planned(wants("old", "cached", 1))
        end = job.check(build="skipped")
        self.assertEqual(1, end.code)
        self.assertEqual(1, job.cache.asked("GET", hash_of(store_path(1))))
        self.assertNotIn("asking again", end.log)

    def test_a_private_cache_is_read_with_the_token(self) -> None:
        job = ChecksJob(self, private=True)
        job.planned(wants("old", "cached", 1))
        job.holds(1)

        def private(request: Request, _: int) -> bool:
            if request.headers.get("Authorization") != "Basic OnMzY3JldA==":
                request.reply(401)
                return True
            return False

        job.cache.answer = private
        end = job.check(build="skipped", READ_TOKEN="s3cret")
        self.assertEqual(0, end.code, end.log)
        self.assertNotIn("s3cret", end.log + end.summary)
        self.assertEqual(1, job.check(build="skipped").code)

    def test_what_has_no_path_before_it_is_built_is_known_by_its_job(self) -> None:
        job = ChecksJob(self)
        job.planned(wants("floating", "build", None), wants("away", "elsewhere"))
        job.told(wants("floating", "built", 5), wants("away", "built", 6))
        job.holds(5, 6)
        end = job.check()
        self.assertEqual(0, end.code, end.log)
        self.assertIn(f"| in-cache | <code>floating</code> | {store_path(5)} |", end.summary)
        job.told()
        end = job.check()
        self.assertEqual(1, end.code)
        self.assertEqual(
            [
                "error|away|away cannot be verified: its path is not known before it is built",
                "error|floating|floating cannot be verified: its path is not known before it is built",
                "error|Decision|the cache does not hold everything",
            ],
            end.annotations,
        )

    def test_it_stays_within_githubs_limits_and_harmless(self) -> None:
        job = ChecksJob(self)
        names = [*HOSTILE, *(f"p{number}" for number in range(1100 - len(HOSTILE)))]
        job.planned(*(wants(name, "cached", number + 1) for number, name in enumerate(names)))
        end = job.check(build="skipped")
        self.assertEqual(1, end.code)
        self.assertEqual(12, len(end.annotations))
        self.assertRegex(end.annotations[10], r"^notice\|Cache .*\|and 1090 more$")
        self.assertLess(len(end.summary), 1000000)
        for bad in ("\x1b", "\u202e", "##["):
            self.assertNotIn(bad, end.log + end.summary)
        self.assertNotIn("<img", end.summary)
        rows = plain_lines(end.summary, r"\| missing \| <")
        self.assertEqual(1100, len(rows))
        self.assertEqual({4}, {row.count("|") for row in rows})


class Lies(unittest.TestCase):
    """A build job ran the repository's code: neither its silence nor what it says makes a planned output proven."""

    def test_the_plan_is_trusted_before_a_job(self) -> None:
        mine = wants("built", "built", 1)
        job = ChecksJob(self)
        for name, results in {
            "no result": [],
            "an empty result": [{}],
            "another path": [{"targets": [mine]}],
            "another name": [{"targets": [{**mine, "attr": "other"}]}],
            "no outputs": [{"targets": [{**mine, "outputs": {}}]}],
            "a path of no store": [{"targets": [{**mine, "outputs": {"out": "/etc/passwd"}}]}],
            "another entry's name": [{"entry": "two", "targets": [mine]}],
            "no entry": [{"entry": None, "targets": [mine]}],
            "no state": [{"targets": [{**mine, "state": "cached"}]}],
            "numbers": [
                {"targets": [{**mine, "attr": 1}, {**mine, "outputs": 5}, {**mine, "path": "a"}]}
            ],
            "texts": [{"targets": ["built", None, 3, [], {}]}],
        }.items():
            with self.subTest(name):
                job.planned(wants("built", "build", 3))
                for result in results:
                    job.told(**{"targets": [], **result})
                job.holds(1)
                end = job.check()
                self.assertEqual(1, end.code, end.log)
                self.assertIn(f"is missing: {store_path(3)}", end.log)

    def test_what_is_no_result_at_all_is_an_error(self) -> None:
        job = ChecksJob(self)
        for text in ("", "{", "3", "[]", '{"targets":3}', "[" * 100000, "\xff"):
            with self.subTest(text[:10]):
                job.planned(wants("built", "build", 3))
                job.put("results/garnix2gha-result-one/one.json", text)
                job.holds(3)
                end = job.check()
                self.assertEqual(1, end.code)
                self.assertEqual(1, len(end.annotations), end.log)
                self.assertRegex(end.annotations[0], r"^error\|.*cannot be read")

    def test_a_job_speaks_only_for_its_own_targets(self) -> None:
        job = ChecksJob(self)
        entries = [
            entry("mine"),
            entry("yours", id="two"),
            entry(id="three", rules=True, system="aarch64-darwin"),
        ]
        job.planned(
            wants("mine", "build", 1),
            wants("yours", "build", None),
            wants("old", "cached", 3),
            entries=entries,
        )
        # The first claims what the second builds, what is cached, and what nobody planned.
        job.told(
            wants("mine", "built", 1),
            wants("yours", "built", 8),
            wants("old", "failed", 8),
            wants("new", "built", 8),
        )
        # The third lists its own system only.
        job.told(
            wants("old", "failed", 8),
            wants("linux", "built", 8),
            wants("mac", "built", 4, system="aarch64-darwin"),
            # Listed for that system, though its derivation is for another.
            wants("packages.aarch64-darwin.intel", "built", 5, system="x86_64-darwin"),
            id="three",
        )
        job.told(wants("yours", "built", 2), id="two")
        job.holds(1, 2, 3, 4, 5)
        end = job.check()
        self.assertEqual((0, []), (end.code, end.annotations), end.log)
        self.assertEqual(0, job.cache.asked("GET", hash_of(store_path(8))))
        self.assertEqual(6, job.cache.asked("GET"))

    def test_a_single_artifact_may_lie_flat_and_a_link_is_none(self) -> None:
        job = ChecksJob(self)
        job.planned(wants("floating", "build", None))
        job.told(wants("floating", "built", 1), flat=True)
        job.holds(1, 2)
        self.assertEqual(0, job.check().code)
        folder = job.path("results")
        (folder / "one.json").rename(job.temp / "elsewhere.json")
        (folder / "one.json").symlink_to(job.temp / "elsewhere.json")
        self.assertEqual(1, job.check().code)

    def test_who_says_that_a_target_failed_ends_the_run_red(self) -> None:
        job = ChecksJob(self)
        for state in ("failed", "evaluation-failed", "not-started"):
            with self.subTest(state):
                job.planned(wants("a", "build", 1))
                job.told(wants("a", state, 1))
                end = job.check()
                self.assertEqual(1, end.code)
                self.assertEqual(
                    [
                        "error|Decision|the build says that it succeeded, and that targets are not built"
                    ],
                    end.annotations,
                )


class Deciding(unittest.TestCase):
    def test_it_is_green_only_where_everything_that_had_to_run_did(self) -> None:
        some = [wants("a", "build", 1)]
        job = ChecksJob(self)
        for name, good, jobs, targets, more in (
            ("everything succeeded", True, {}, some, {}),
            ("nothing to build", True, {"build": "skipped"}, [], {}),
            ("nothing to build or push", True, {"build": "skipped"}, [], {"push": False}),
            ("built without pushing", True, {}, [wants("a", "build", 2)], {"push": False}),
            ("a build failed", False, {"build": "failure"}, some, {}),
            ("a build was cancelled", False, {"build": "cancelled"}, some, {}),
            ("skipped although there is something to build", False, {"build": "skipped"}, some, {}),
            ("no result of the build", False, {"build": ""}, some, {}),
            (
                "a target does not evaluate",
                False,
                {},
                some,
                {"faults": ["1 target cannot be built"]},
            ),
            (
                "a run that should push and cannot",
                False,
                {},
                some,
                {"faults": ["there is no token"], "push": False},
            ),
            ("stale inputs", False, {}, some, {"faults": ["garnix.yaml changed"]}),
            ("a result nobody knows", False, {"build": "::error::x"}, some, {}),
        ):
            with self.subTest(name):
                job.planned(*targets, **more)
                job.told(*({**target, "state": "built"} for target in targets))
                job.holds(1)
                end = job.check(**jobs)
                self.assertEqual(0 if good else 1, end.code, end.log)
                self.assertEqual(good, "all is well" in end.log)
                self.assertEqual(good, end.annotations == [])
                for annotation in end.annotations:
                    self.assertRegex(annotation, r"^error\|Decision\|")

    def test_a_cancelled_run_decides_without_asking_anybody(self) -> None:
        job = ChecksJob(self)
        job.planned(wants("a", "build", 1), wants("b", "cached", 2))
        end = job.check(build="cancelled")
        self.assertEqual(1, end.code)
        self.assertEqual(0, job.cache.asked("GET"))

    def test_a_run_that_does_not_push_asks_nobody(self) -> None:
        job = ChecksJob(self)
        job.planned(wants("a", "build", 1), push=False)
        self.assertEqual(0, job.check().code)
        self.assertEqual(0, job.cache.asked("GET"))

    def test_a_re_run_counts_the_results_of_the_jobs_that_ran_again(self) -> None:
        job = ChecksJob(self)
        job.planned(
            wants("a", "build", 1),
            wants("b", "build", 2),
            entries=[entry("a"), entry("b", id="two")],
        )
        job.told(wants("a", "built", 1))
        job.told(wants("b", "failed", 2, cause="its builder failed"), id="two")
        job.holds(1)
        self.assertEqual(1, job.check(build="failure").code)
        job.told(wants("b", "built", 2), id="two")
        job.holds(2)
        self.assertEqual(0, job.check().code)

    def test_it_needs_its_plan(self) -> None:
        job = ChecksJob(self)
        end = job.check()
        self.assertEqual(1, end.code)
        self.assertIn("plan.json cannot be read", json.dumps(end.annotations))
