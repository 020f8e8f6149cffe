"""What a cache is asked, and what its answers mean."""

from __future__ import annotations

import json
import time
import unittest
from unittest import mock

from harness import CASES, scratch
from loopback import CacheServer, Request, Server, hash_of, narinfo, store_path

import cache
from cache import State, Verdict
from context import Cache
from web import Client


def settings(url: str, *upstreams: str, **more: object) -> Cache:
    """Return the cache as targets.json would name it."""
    keys = dict.fromkeys(Cache._fields, "")
    return Cache(
        **{**keys, "backend": "cachix", "url": url, "keys": (), "upstreams": upstreams, **more}
    )


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
                found = cache.look_up(Client(pause=0), settings(server.url), [table["path"]])
                self.assertEqual(found.verdicts[table["path"]].verdict, case["verdict"])
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
        found = cache.look_up(Client(pause=0), settings(there.url, upstream.url), path.values())
        self.assertEqual(State("ok"), found.state)
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
            {name: found.verdicts[each] for name, each in path.items()},
        )
        self.assertEqual(1, there.asked("GET", hash_of(path["absent"])), "a miss is an answer")
        self.assertEqual(1, there.asked("GET", "nix-cache-info"))
        self.assertEqual(0, upstream.asked("GET", hash_of(path["there"])))


class CheckedFirst(unittest.TestCase):
    def look(self, server: Server, *upstreams: str) -> cache.Found:
        return cache.look_up(
            Client(pause=0), settings(server.url, *upstreams), [store_path(1), store_path(2)]
        )

    def test_a_cache_that_cannot_be_used_is_not_asked_for_paths(self) -> None:
        for name, status, body, state, message in (
            (
                "private",
                401,
                "",
                "missing-or-private",
                "HTTP 401: it does not exist, or it is private",
            ),
            ("missing", 404, "", "missing-or-private", "HTTP 404"),
            ("forbidden", 403, "", "missing-or-private", "HTTP 403"),
            ("a web site", 200, "<html>", "not-a-cache", "names no StoreDir /nix/store"),
            (
                "another store",
                200,
                "StoreDir: /gnu/store\n",
                "not-a-cache",
                "names no StoreDir /nix/store",
            ),
            (
                "a longer name",
                200,
                "StoreDir: /nix/store2\n",
                "not-a-cache",
                "names no StoreDir /nix/store",
            ),
            ("out of order", 502, "", "unreachable", "HTTP 502"),
            ("busy", 429, "", "unreachable", "HTTP 429"),
            ("a teapot", 418, "", "not-a-cache", "HTTP 418 for nix-cache-info"),
        ):
            with self.subTest(name):
                server = Server(self, lambda request, _, s=status, b=body: request.reply(s, b))
                upstream = CacheServer(self, scratch(self))
                upstream.put(store_path(2))
                found = self.look(server, upstream.url)
                self.assertEqual(state, found.state.state)
                self.assertIn(message, found.state.message)
                self.assertEqual(
                    Verdict("unknown", found.state.message), found.verdicts[store_path(1)]
                )
                self.assertEqual("upstream", found.verdicts[store_path(2)].verdict)
                self.assertEqual(0, server.asked("GET", "narinfo"))

    def test_nobody_answers(self) -> None:
        server = Server(self, lambda request, _: request.hang_up())
        state = self.look(server).state
        self.assertEqual("unreachable", state.state)
        self.assertRegex(state.message, "^no answer: .")

    def test_none_is_configured(self) -> None:
        upstream = CacheServer(self, scratch(self))
        upstream.put(store_path(2))
        found = cache.look_up(
            Client(pause=0), settings("", upstream.url), [store_path(1), store_path(2)], wait=300
        )
        self.assertEqual(State("none", "no cache is configured"), found.state)
        self.assertEqual(
            Verdict("unknown", "no cache is configured"), found.verdicts[store_path(1)]
        )
        self.assertEqual("upstream", found.verdicts[store_path(2)].verdict)

    def test_line_ends_of_windows_are_fine(self) -> None:
        server = Server(
            self, lambda request, _: request.reply(200, "StoreDir: /nix/store/\r\nPriority: 1\r\n")
        )
        self.assertEqual(State("ok"), cache.check(Client(), settings(server.url)))


class Asking(unittest.TestCase):
    def test_each_path_once_and_many_at_a_time(self) -> None:
        server = CacheServer(self, scratch(self))
        paths = [store_path(number + 1) for number in range(300)]
        server.put(*paths)

        def answer(request: Request, _: int) -> bool:
            time.sleep(0.005)
            return False

        server.answer = answer
        found = cache.look_up(Client(), settings(server.url), paths * 2)
        self.assertEqual({"in-cache"}, {verdict.verdict for verdict in found.verdicts.values()})
        self.assertEqual(300, len(found.verdicts))
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
        found = cache.look_up(
            Client(pause=0), settings(server.url, other.url), [a, b, c], token=token
        )
        self.assertEqual(
            ["in-cache", "in-cache", "missing"], [found.verdicts[p].verdict for p in (a, b, c)]
        )
        self.assertEqual({None}, set(leaked), "neither a redirect nor an upstream gets the token")
        found = cache.look_up(Client(pause=0), settings(server.url), [a], token="")
        self.assertEqual("missing-or-private", found.state.state)

    def test_it_waits_for_a_push_under_way(self) -> None:
        late, there = store_path(1, "late"), store_path(2, "there")
        server = CacheServer(self, scratch(self))
        server.put(there)

        def arrive(request: Request, number: int) -> bool:
            if hash_of(late) in request.name and number == 3:
                server.put(late)
            return False

        server.answer = arrive
        with mock.patch.dict("os.environ", POLL_SECONDS="0.02"), mock.patch("builtins.print"):
            found = cache.look_up(Client(), settings(server.url), [late, there], wait=60)
        self.assertEqual("in-cache", found.verdicts[late].verdict)
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
        with mock.patch.dict("os.environ", POLL_SECONDS="0.02"), mock.patch("builtins.print"):
            found = cache.look_up(Client(pause=0), settings(server.url), [path], wait=60)
        self.assertEqual((State("ok"), "in-cache"), (found.state, found.verdicts[path].verdict))

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
        found = cache.look_up(Client(), settings(server.url), [good, *bad])
        self.assertEqual({good: Verdict("in-cache")}, found.verdicts)
        self.assertEqual(2, server.asked("GET"))
        self.assertEqual({}, cache.look_up(Client(), settings(server.url), []).verdicts)


class Keys(unittest.TestCase):
    KEY = "mine.cachix.org-1:" + "A" * 43 + "="

    def ask(self, body: str, token: str = "", **more: object) -> list[str]:
        def answer(request: Request, _: int) -> None:
            self.seen = request.headers.get("Authorization")
            known = request.name == "/api/v1/cache/mine"
            request.reply(200 if known else 404, body)

        server = Server(self, answer)
        store = settings("", name="mine", **more)
        with mock.patch.dict("os.environ", CACHIX_API=f"{server.url}/api/v1"):
            return cache.keys(Client(pause=0), store, token)

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
        self.assertEqual(["a:b"], self.ask("{}", keys=("a:b",)))
        self.assertEqual(
            [], self.ask(json.dumps({"publicSigningKeys": [self.KEY]}), backend="attic")
        )
