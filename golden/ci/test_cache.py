"""What a cache is asked, and what its answers mean."""

from __future__ import annotations

import json
import time
import unittest
from unittest import mock

from harness import CASES, scratch
from loopback import CacheServer, Request, Server, hash_of, narinfo, retries, store_path

import cache
from cache import Verdict
from context import Cache


def settings(url: str, *upstreams: str, **more: object) -> Cache:
    """Return the cache as targets.json would name it."""
    return Cache(**{"url": url, "upstreams": upstreams, **more})


def outputs(*paths: str) -> dict[str, str | None]:
    """Return a target's outputs."""
    return {f"out{number}": path for number, path in enumerate(paths)}


class Meaning(unittest.TestCase):
    def test_answers_mean_what_they_mean_to_the_program_at_home(self) -> None:
        table = json.loads((CASES / "narinfo.json").read_text())
        self.assertTrue(table["cases"])
        for case in table["cases"]:
            with self.subTest(case["name"]):
                server = CacheServer(self, scratch(self))

                def answer(request: Request, _: int, case: dict = case) -> bool:
                    if request.name.endswith(".narinfo"):
                        request.reply(case["status"], case["body"])
                    return request.name.endswith(".narinfo")

                server.answer = answer
                _, verdicts = cache.look_up(settings(server.url), [outputs(table["path"])])
                self.assertEqual(verdicts[table["path"]].state, case["verdict"])
                server.close()

    def test_each_answer_has_its_cause(self) -> None:
        names = "there other page absent gone forbidden private busy broken up unclear"
        path = {name: store_path(number + 1, name) for number, name in enumerate(names.split(" "))}
        there, upstream = CacheServer(self, scratch(self)), CacheServer(self, scratch(self))
        there.put(path["there"], path["busy"])
        upstream.put(path["up"], path["broken"])
        fixed = {
            "other": lambda request: request.reply(200, narinfo(path["other"] + "-2")),
            "page": lambda request: request.reply(200, "<html>"),
            "gone": lambda request: request.reply(410),
            "forbidden": lambda request: request.reply(403),
            "private": lambda request: request.reply(401),
            "broken": lambda request: request.reply(500),
        }

        def answer(request: Request, number: int) -> bool:
            for name, reply in fixed.items():
                if hash_of(path[name]) in request.name:
                    reply(request)
                    return True
            if hash_of(path["busy"]) in request.name and number == 1:
                request.reply(429, retry_after="0")
                return True
            return False

        def unclear(request: Request, _: int) -> bool:
            if hash_of(path["unclear"]) in request.name:
                request.reply(502)
            return hash_of(path["unclear"]) in request.name

        there.answer, upstream.answer = answer, unclear
        with retries(1):
            found, verdicts = cache.look_up(
                settings(there.url, upstream.url), [outputs(*path.values())]
            )
        self.assertEqual(Verdict("ok"), found)
        self.assertEqual(
            {
                "there": Verdict("in-cache"),
                "busy": Verdict("in-cache"),
                "up": Verdict("upstream", upstream.url),
                "broken": Verdict("upstream", upstream.url),
                "other": Verdict(
                    "missing", f"the cache has another path under this hash: {path['other']}-2"
                ),
                "page": Verdict("unknown", "the answer is not a narinfo"),
                "absent": Verdict("missing", "HTTP 404"),
                "gone": Verdict("missing", "HTTP 410"),
                "forbidden": Verdict(
                    "missing", "HTTP 403, which some stores answer for what they do not have"
                ),
                "private": Verdict("unknown", "credentials: HTTP 401"),
                "unclear": Verdict("unknown", f"{upstream.url}: HTTP 502"),
            },
            {name: verdicts[each] for name, each in path.items()},
        )
        self.assertEqual(1, there.asked("GET", hash_of(path["absent"])), "a miss is an answer")
        self.assertEqual(1, there.asked("GET", "nix-cache-info"))
        self.assertEqual(0, upstream.asked("GET", hash_of(path["there"])))


class CheckedFirst(unittest.TestCase):
    def look(self, server: Server, *upstreams: str) -> tuple[Verdict, dict[str, Verdict]]:
        return cache.look_up(
            settings(server.url, *upstreams), [outputs(store_path(1), store_path(2))]
        )

    def test_a_cache_that_cannot_be_used_is_not_asked_for_paths(self) -> None:
        private = "it does not exist, or it is private"
        no_store = "its nix-cache-info names no StoreDir /nix/store"
        for name, status, body, message in (
            ("private", 401, "", f"HTTP 401: {private}"),
            ("missing", 404, "", f"HTTP 404: {private}"),
            ("forbidden", 403, "", f"HTTP 403: {private}"),
            ("a web site", 200, "<html>", no_store),
            ("another store", 200, "StoreDir: /gnu/store\n", no_store),
            ("a longer name", 200, "StoreDir: /nix/store2\n", no_store),
            ("out of order", 502, "", "HTTP 502"),
            ("busy", 429, "", "HTTP 429"),
            ("a teapot", 418, "", "HTTP 418"),
        ):
            with self.subTest(name):
                server = Server(self, lambda request, _, s=status, b=body: request.reply(s, b))
                upstream = CacheServer(self, scratch(self))
                upstream.put(store_path(2))
                found, verdicts = self.look(server, upstream.url)
                self.assertEqual("unusable", found.state)
                self.assertRegex(found.message, f"^{message}")
                self.assertEqual(Verdict("unknown", found.message), verdicts[store_path(1)])
                self.assertEqual("upstream", verdicts[store_path(2)].state)
                self.assertEqual(0, server.asked("GET", "narinfo"))

    def test_nobody_answers(self) -> None:
        server = Server(self, lambda request, _: request.hang_up())
        found, _ = self.look(server)
        self.assertEqual("unusable", found.state)
        self.assertRegex(found.message, "^no answer: .")

    def test_none_is_configured(self) -> None:
        upstream = CacheServer(self, scratch(self))
        upstream.put(store_path(2))
        found, verdicts = cache.look_up(
            settings("", upstream.url), [outputs(store_path(1), store_path(2))], wait=300
        )
        self.assertEqual(Verdict("none", "no cache is configured"), found)
        self.assertEqual(Verdict("unknown", "no cache is configured"), verdicts[store_path(1)])
        self.assertEqual("upstream", verdicts[store_path(2)].state)

    def test_line_ends_of_windows_are_fine(self) -> None:
        server = Server(
            self, lambda request, _: request.reply(200, "StoreDir: /nix/store/\r\nPriority: 1\r\n")
        )
        self.assertEqual(Verdict("ok"), cache.check(settings(server.url)))


class Asking(unittest.TestCase):
    def test_each_path_once_and_many_at_a_time(self) -> None:
        server = CacheServer(self, scratch(self))
        paths = [store_path(number + 1) for number in range(300)]
        server.put(*paths)

        def answer(request: Request, _: int) -> bool:
            time.sleep(0.005)
            return False

        server.answer = answer
        _, verdicts = cache.look_up(settings(server.url), [outputs(*paths)] * 2)
        self.assertEqual({"in-cache"}, {verdict.state for verdict in verdicts.values()})
        self.assertEqual(300, len(verdicts))
        self.assertEqual(301, server.asked("GET"))
        self.assertLessEqual(server.most, 33)
        self.assertGreater(server.most, 8)

    def test_a_private_cache_is_read_and_nobody_else_gets_the_token(self) -> None:
        token, leaked = 's3cr"et\\token', []
        a, b, c = (store_path(number, "p") for number in (1, 2, 3))

        def look(request: Request, _: int) -> bool:
            leaked.append(request.headers.get("Authorization"))
            return False

        other = CacheServer(self, scratch(self))
        other.answer = look
        other.put(b)
        server = CacheServer(self, scratch(self))
        server.put(a)
        expected = "Basic OnMzY3IiZXRcdG9rZW4="

        def private(request: Request, _: int) -> bool:
            if request.headers.get("Authorization") != expected:
                request.reply(401)
                return True
            if hash_of(b) in request.name:
                request.reply(302, location=other.url + request.name)
                return True
            return False

        server.answer = private
        found, verdicts = cache.look_up(
            settings(server.url, other.url, token=token), [outputs(a, b, c)]
        )
        self.assertEqual(
            ["in-cache", "in-cache", "missing"], [verdicts[p].state for p in (a, b, c)]
        )
        self.assertEqual({None}, set(leaked), "neither a redirect nor an upstream gets the token")
        found, verdicts = cache.look_up(settings(server.url), [outputs(a)])
        self.assertEqual("unusable", found.state)

    def test_it_waits_for_a_push_under_way(self) -> None:
        late, there = store_path(1, "late"), store_path(2, "there")
        server = CacheServer(self, scratch(self))
        server.put(there)

        def arrive(request: Request, number: int) -> bool:
            if hash_of(late) in request.name and number == 3:
                server.put(late)
            return False

        server.answer = arrive
        with mock.patch("cache.PAUSE", 0.02), mock.patch("builtins.print"):
            _, verdicts = cache.look_up(settings(server.url), [outputs(late, there)], wait=60)
        self.assertEqual("in-cache", verdicts[late].state)
        self.assertEqual(3, server.asked("GET", hash_of(late)))
        self.assertEqual(
            1, server.asked("GET", hash_of(there)), "what is there is not asked for again"
        )

    def test_a_host_that_was_down_is_asked_again_in_the_next_round(self) -> None:
        path = store_path(1)
        server = CacheServer(self, scratch(self))
        server.put(path)

        def recover(request: Request, number: int) -> bool:
            if request.name == "/nix-cache-info" and number <= 5:
                request.hang_up()
                return True
            return False

        server.answer = recover
        with mock.patch("cache.PAUSE", 0.02), mock.patch("builtins.print"):
            found, verdicts = cache.look_up(settings(server.url), [outputs(path)], wait=60)
        self.assertEqual((Verdict("ok"), "in-cache"), (found, verdicts[path].state))

    def test_only_store_paths_are_asked_for(self) -> None:
        server = CacheServer(self, scratch(self))
        good = store_path(1, "a")
        server.put(good)
        bad = [
            "/nix/store/../../etc/passwd",
            f"{store_path(3, 'x')}\noutput",
            "/etc/passwd",
            store_path(4, "x/y"),
            "",
            store_path(5, "é"),
        ]
        _, verdicts = cache.look_up(settings(server.url), [outputs(good, *bad)])
        self.assertEqual({good: Verdict("in-cache")}, verdicts)
        self.assertEqual(2, server.asked("GET"))
        self.assertEqual({}, cache.look_up(settings(server.url), [])[1])


class Keys(unittest.TestCase):
    KEY = "mine.cachix.org-1:" + "A" * 43 + "="

    def ask(self, body: str, token: str = "", **more: object) -> list[str]:
        def answer(request: Request, _: int) -> None:
            if request.name == "/nix-cache-info":
                request.reply(200, "StoreDir: /nix/store\n")
            else:
                self.seen = request.headers.get("Authorization")
                request.reply(200 if request.name == "/api/v1/cache/mine" else 404, body)

        server = Server(self, answer)
        store = settings(server.url, name="mine", token=token, **more)
        with mock.patch.dict("os.environ", CACHIX_API=f"{server.url}/api/v1"):
            facts = cache.facts(store)
        self.assertEqual(("ok", "", server.url), (facts["state"], facts["message"], facts["url"]))
        return list(facts["keys"])

    def test_cachix_names_them(self) -> None:
        self.assertEqual([self.KEY], self.ask(json.dumps({"publicSigningKeys": [self.KEY]})))
        self.assertIsNone(self.seen)
        self.ask("{}", token="t0ken")
        self.assertEqual("Bearer t0ken", self.seen)

    def test_what_is_no_key_is_left_out(self) -> None:
        evil = [
            f"{self.KEY}\nsubstituters = http://127.0.0.1",
            f"{self.KEY} x:y",
            3,
            None,
            "",
            "a:b",
        ]
        self.assertEqual([], self.ask(json.dumps({"publicSigningKeys": evil[:2]})))
        for body in (
            json.dumps({"publicSigningKeys": evil}),
            "{}",
            "[]",
            "3",
            "<html>",
            "[" * 10000,
            '{"publicSigningKeys":5}',
        ):
            self.assertEqual([], self.ask(body), body[:40])

    def test_those_of_the_settings_come_first(self) -> None:
        self.assertEqual(["a:b"], self.ask("{}", public_keys=("a:b",)))
        self.assertEqual(
            [], self.ask(json.dumps({"publicSigningKeys": [self.KEY]}), backend="attic")
        )
