"""The HTTP client against servers that behave and servers that do not."""

from __future__ import annotations

import base64
import contextlib
import time
import unittest
from unittest import mock

from loopback import Request, Server

import web
from web import BUDGET, TRIES, Answer, Client
from web import Request as Question

NOWHERE = "no web address, or redirects without end"


class Asking(unittest.TestCase):
    def test_answers_come_in_the_order_of_the_questions_over_few_connections(self) -> None:
        def answer(request: Request, _: int) -> None:
            time.sleep(0.01)
            request.reply(200, request.name)

        server = Server(self, answer)
        names = [f"/{number}" for number in range(200)]
        answers = Client().many(Question(server.url + name) for name in names)
        self.assertEqual([(200, name) for name in names], [(a.status, a.text) for a in answers])
        self.assertLessEqual(server.most, 32)
        self.assertEqual(200, server.asked("GET"))
        self.assertEqual(server.most, server.opened, "connections are kept alive")

    def test_one_connection_serves_many_requests(self) -> None:
        server = Server(self, lambda request, _: request.reply(200))
        answers = Client(limit=1).many(Question(f"{server.url}/{n}") for n in range(20))
        self.assertEqual([200] * 20, [answer.status for answer in answers])
        self.assertEqual(1, server.opened)

    def test_a_kept_connection_that_the_server_closes_is_no_failure(self) -> None:
        def answer(request: Request, _: int) -> None:
            request.reply(200)
            request.close_connection = True  # without saying so

        server = Server(self, answer)
        answers = Client(limit=1, pause=0).many(Question(f"{server.url}/{n}") for n in range(3))
        self.assertEqual([200] * 3, [answer.status for answer in answers])

    def test_a_question_without_an_address_is_answered_by_nobody(self) -> None:
        for url in (
            "",
            "ftp://127.0.0.1/x",
            "http://",
            "http://[",
            "http://127.0.0.1:x/",
            "file:///etc/passwd",
        ):
            with self.subTest(url):
                self.assertEqual(Answer(0, error=NOWHERE), Client(pause=0).get(url))

    def test_a_password_has_no_user_and_is_not_there_when_empty(self) -> None:
        server = Server(
            self, lambda request, _: request.reply(200, str(request.headers.get("Authorization")))
        )
        expected = "Basic " + base64.b64encode(b':s3cr"et').decode()
        self.assertEqual(expected, Client().get(server.url, password=':s3cr"et'[1:]).text)
        self.assertEqual("None", Client().get(server.url, password="").text)

    def test_what_no_header_can_hold_is_not_sent(self) -> None:
        server = Server(self, lambda request, _: request.reply(200))
        headers = {"Authorization": "Bearer a\r\nX: y"}
        self.assertEqual(0, Client(pause=0).many([Question(server.url, headers)])[0].status)
        self.assertEqual(0, server.asked("GET"))

    def test_a_body_is_posted(self) -> None:
        server = Server(
            self, lambda request, _: request.reply(201, request.command.encode() + request.body)
        )
        answer = Client().many([Question(server.url, body=b"\xff1")])[0]
        self.assertEqual((201, "POST\ufffd1"), (answer.status, answer.text))


class Redirects(unittest.TestCase):
    def test_credentials_stay_with_their_host(self) -> None:
        seen = []

        def elsewhere(request: Request, _: int) -> None:
            seen.append(request.headers.get("Authorization"))
            request.reply(200, "there")

        other = Server(self, elsewhere)

        def answer(request: Request, _: int) -> None:
            if request.name == "/away":
                request.reply(302, location=f"{other.url}/x")
            elif request.name == "/here":
                request.reply(307, location="/end")
            else:
                request.reply(200, request.headers.get("Authorization") or "nothing")

        server = Server(self, answer)
        client = Client(pause=0)
        self.assertEqual("there", client.get(f"{server.url}/away", password="x").text)
        self.assertEqual([None], seen)
        self.assertTrue(client.get(f"{server.url}/here", password="x").text.startswith("Basic "))

    def test_they_end(self) -> None:
        for location, error in (
            ("/again", NOWHERE),
            ("file:///etc/passwd", NOWHERE),
            ("http://[", NOWHERE),
        ):
            with self.subTest(location):
                server = Server(
                    self, lambda request, _, to=location: request.reply(302, location=to)
                )
                self.assertEqual(Answer(0, error=error), Client(pause=0).get(server.url))

    def test_one_to_no_host_is_no_crash(self) -> None:
        for place in ("http://a b/", "http://[::1%25 x]/", "http://\x7f/"):
            with self.subTest(place):
                server = Server(self, lambda request, _, to=place: request.reply(302, location=to))
                self.assertEqual(0, Client(pause=61).get(server.url).status)

    def test_one_to_nowhere_is_an_answer(self) -> None:
        server = Server(self, lambda request, _: request.reply(302))
        self.assertEqual(302, Client(pause=0).get(server.url).status)


class Trouble(unittest.TestCase):
    def test_a_busy_server_is_asked_again(self) -> None:
        for status in (408, 429, 500, 502, 503):
            with self.subTest(status):
                server = Server(
                    self, lambda request, n, said=status: request.reply(200 if n == 3 else said)
                )
                self.assertEqual(200, Client(pause=0).get(server.url).status)
                self.assertEqual(3, server.asked("GET"))

    def test_an_answer_is_an_answer(self) -> None:
        for status in (400, 401, 403, 404, 410, 422):
            with self.subTest(status):
                server = Server(self, lambda request, _, said=status: request.reply(said))
                self.assertEqual(status, Client(pause=0).get(server.url).status)
                self.assertEqual(1, server.asked("GET"))

    def test_it_gives_up_in_the_end(self) -> None:
        server = Server(self, lambda request, _: request.reply(503, "later"))
        answer = Client(pause=0).get(server.url)
        self.assertEqual((503, "later"), (answer.status, answer.text))
        self.assertEqual(TRIES, server.asked("GET"))

    def test_who_wants_more_time_than_there_is_is_not_waited_for(self) -> None:
        server = Server(
            self, lambda request, _: request.reply(429, retry_after=f"{BUDGET + 1:.0f}")
        )
        self.assertEqual(429, Client(pause=0).get(server.url).status)
        self.assertEqual(1, server.asked("GET"))

    def test_a_wait_is_given_in_seconds(self) -> None:
        for value, wait in (("7", 7), ("soon", 0), ("-3", 0), ("", 0), ("9" * 99, 999999)):
            self.assertEqual(wait, Answer(429, headers={"retry-after": value}).retry_after)

    def test_a_host_that_is_down_is_given_up_once_for_all_paths(self) -> None:
        down = Server(self, lambda request, _: request.hang_up())
        up = Server(self, lambda request, _: request.reply(200))
        client = Client(pause=0)
        paths = [Question(f"{server.url}/{n}") for n in range(200) for server in (down, up)]
        answers = client.many(paths)
        self.assertEqual({0}, {answer.status for answer in answers[::2]})
        self.assertTrue(all(answer.error for answer in answers[::2]))
        self.assertEqual({200}, {answer.status for answer in answers[1::2]})
        self.assertLessEqual(down.asked("GET"), 32 * TRIES)
        self.assertEqual(0, client.get(f"{down.url}/more").status)
        self.assertEqual(TRIES, down.asked("GET", "/more"), "another time it may be up")

    def test_one_bad_path_does_not_make_a_host_down(self) -> None:
        def answer(request: Request, _: int) -> None:
            if request.name == "/bad":
                request.hang_up()
            else:
                time.sleep(0.005)
                request.reply(200)

        server = Server(self, answer)
        paths = [Question(f"{server.url}/{name}") for name in ("bad", *range(40))]
        answers = Client(limit=2, pause=0.01).many(paths)
        self.assertEqual([0, *[200] * 40], [answer.status for answer in answers])

    def test_nobody_there(self) -> None:
        server = Server(self, lambda request, _: request.reply(200))
        server.close()
        self.assertEqual("connection refused", Client(pause=0).get(server.url).error)

    def test_a_server_that_says_nothing_or_too_much_is_left(self) -> None:
        def drip(request: Request, _: int) -> None:
            request.send_response(200)
            request.send_header("Content-Length", "1000")
            request.end_headers()
            for _ in range(100):
                request.wfile.write(b"x")
                time.sleep(0.02)

        def crawl(request: Request, _: int) -> None:
            with contextlib.suppress(OSError):
                for letter in b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 100:
                    request.wfile.write(bytes([letter]))
                    time.sleep(0.05)

        for name, answer, error in (
            ("crawling", crawl, "the connection failed"),
            ("silent", lambda request, _: time.sleep(1), "timed out"),
            ("dripping", drip, "the answer is too long, or takes too long"),
            (
                "endless",
                lambda request, _: request.reply(200, b"x" * (web.LARGEST + 1)),
                "the answer is too long, or takes too long",
            ),
        ):
            with self.subTest(name):
                server = Server(self, answer)
                client = Client(pause=61)  # no second try
                with mock.patch("web.SECONDS", 0.2):
                    self.assertEqual(error, client.get(server.url).error)
