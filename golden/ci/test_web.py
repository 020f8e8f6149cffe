"""Asking by HTTP, of servers that behave and servers that do not."""

from __future__ import annotations

import base64
import time
import unittest
from unittest import mock

from harness import need, scratch
from loopback import Request, Server, retries

import web
from web import Answer, ask


def get(url: str, **options: str) -> Answer:
    """Ask for one thing."""
    (answer,) = ask([{"url": url, **options}])
    return answer


class Web(unittest.TestCase):
    def setUp(self) -> None:
        need("curl")


class Asking(Web):
    def test_answers_come_in_the_order_of_the_questions_over_few_connections(self) -> None:
        def answer(request: Request, _: int) -> None:
            time.sleep(0.01)
            request.reply(200, request.name)

        server = Server(self, answer)
        names = [f"/{number}" for number in range(200)]
        answers = ask([{"url": server.url + name} for name in names])
        self.assertEqual([(200, name) for name in names], [(a.status, a.text) for a in answers])
        self.assertLessEqual(server.most, 32)
        self.assertEqual(200, server.asked("GET"))
        self.assertLessEqual(server.opened, 32, "connections are kept alive")

    def test_one_connection_serves_many_requests(self) -> None:
        server = Server(self, lambda request, _: request.reply(200))
        answers = ask([{"url": f"{server.url}/{n}"} for n in range(20)], limit=1)
        self.assertEqual([200] * 20, [answer.status for answer in answers])
        self.assertEqual(1, server.opened)

    def test_a_kept_connection_that_the_server_closes_is_no_failure(self) -> None:
        def answer(request: Request, _: int) -> None:
            request.reply(200)
            request.close_connection = True  # without saying so

        server = Server(self, answer)
        answers = ask([{"url": f"{server.url}/{n}"} for n in range(3)], limit=1)
        self.assertEqual([200] * 3, [answer.status for answer in answers])

    def test_nothing_is_asked_of_nobody(self) -> None:
        self.assertEqual([], ask([]))

    def test_what_is_no_web_address_is_answered_by_nobody(self) -> None:
        for url in (
            "ftp://127.0.0.1/x",
            "http://",
            "http://[",
            "http://127.0.0.1:x/",
            "http://127.0.0.1\n@",
            "http://127.0.0.1:999999999999999999999/",
            "file:///etc/passwd",
        ):
            with self.subTest(url):
                answer = get(url)
                self.assertEqual(0, answer.status)
                self.assertTrue(answer.text)

    def test_a_password_has_no_user_and_is_not_there_when_empty(self) -> None:
        server = Server(
            self, lambda request, _: request.reply(200, str(request.headers.get("Authorization")))
        )
        expected = "Basic " + base64.b64encode(b':s3cr"e\\t').decode()
        self.assertEqual(expected, get(server.url, user=':s3cr"e\\t').text)
        self.assertEqual("None", get(server.url, user="").text)

    def test_an_option_is_no_other_option_and_no_other_header(self) -> None:
        server = Server(self, lambda request, _: request.reply(200, str(request.headers.get("X"))))
        for option in ("oauth2-bearer", "header"):
            for value in ("Y: a\r\nX: y", 'Y: a"\nheader = "X: y', 'Y: a\\"\nheader = "X: y'):
                self.assertEqual("None", get(server.url, **{option: value}).text)

    def test_a_body_is_posted(self) -> None:
        server = Server(
            self, lambda request, _: request.reply(201, request.command.encode() + request.body)
        )
        answer = get(server.url, data='{"a": "\\u00fc\\n\\""}')
        self.assertEqual((201, 'POST{"a": "\\u00fc\\n\\""}'), (answer.status, answer.text))

    def test_nobodys_settings_count(self) -> None:
        server = Server(
            self, lambda request, _: request.reply(200, request.headers["User-Agent"] or "")
        )
        home = scratch(self)
        (home / ".curlrc").write_text('header = "User-Agent: other"\n')
        with mock.patch.dict("os.environ", CURL_HOME=str(home), HOME=str(home)):
            self.assertEqual("garnix2gha", get(server.url).text)

    def test_a_token_is_not_among_the_arguments(self) -> None:
        with mock.patch("web.process.run", side_effect=web.process.Fault("stop")) as run:
            with self.assertRaises(web.process.Fault):
                get("http://127.0.0.1/", user=":s3cret")
            self.assertNotIn("s3cret", str(run.call_args.args))


class Redirects(Web):
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
        for secret in ({"user": ":x"}, {"oauth2-bearer": "x"}):
            with self.subTest(secret):
                self.assertEqual("there", get(f"{server.url}/away", **secret).text)
                self.assertEqual([None], seen)
                self.assertRegex(get(f"{server.url}/here", **secret).text, "^(Basic|Bearer) ")
                seen.clear()

    def test_they_end(self) -> None:
        for location in (
            "/again",
            "file:///etc/passwd",
            "http://[",
            "http://a b/",
            "http://\x7f/",
            "http://127.0.0.1:99999",
        ):
            with self.subTest(location):
                server = Server(
                    self, lambda request, _, to=location: request.reply(302, location=to)
                )
                answer = get(server.url)
                self.assertEqual(0, answer.status)
                self.assertNotIn("root:", answer.text)

    def test_one_to_nowhere_is_an_answer(self) -> None:
        server = Server(self, lambda request, _: request.reply(302))
        self.assertEqual(302, get(server.url).status)


class Trouble(Web):
    def test_a_busy_server_is_asked_again(self) -> None:
        for status in (408, 429, 500, 502, 503):
            with self.subTest(status), retries(2):
                server = Server(
                    self, lambda request, n, said=status: request.reply(200 if n == 2 else said)
                )
                self.assertEqual(200, get(server.url).status)
                self.assertEqual(2, server.asked("GET"))

    def test_who_hangs_up_is_asked_again(self) -> None:
        server = Server(
            self, lambda request, n: request.hang_up() if n == 1 else request.reply(200)
        )
        with retries(1):
            self.assertEqual(200, get(server.url).status)

    def test_an_answer_is_an_answer(self) -> None:
        for status in (400, 401, 403, 404, 410, 422):
            with self.subTest(status), retries(2):
                server = Server(self, lambda request, _, said=status: request.reply(said))
                self.assertEqual(status, get(server.url).status)
                self.assertEqual(1, server.asked("GET"))

    def test_it_gives_up_in_the_end(self) -> None:
        server = Server(self, lambda request, _: request.reply(503, "later"))
        with retries(1):
            answer = get(server.url)
        self.assertEqual((503, "later"), (answer.status, answer.text))
        self.assertEqual(2, server.asked("GET"))

    def test_who_wants_more_time_than_there_is_is_not_waited_for(self) -> None:
        server = Server(self, lambda request, _: request.reply(429, retry_after="61"))
        with retries(2):
            self.assertEqual(429, get(server.url).status)
        self.assertEqual(1, server.asked("GET"))

    def test_a_host_that_is_down_is_given_up_once_for_all_paths(self) -> None:
        down = Server(self, lambda request, _: request.hang_up())
        answers = ask([{"url": f"{down.url}/{n}"} for n in range(200)])
        self.assertEqual({0}, {answer.status for answer in answers})
        self.assertEqual(1, len({answer.text for answer in answers}), "they are told the cause")
        self.assertIn(
            answers[0].text,
            ("Empty reply from server", "Server returned nothing (no headers, no data)"),
        )
        self.assertLessEqual(down.asked("GET"), 64)

    def test_one_bad_path_does_not_make_a_host_down(self) -> None:
        def answer(request: Request, _: int) -> None:
            if request.name == "/bad":
                request.hang_up()
            else:
                request.reply(200)

        server = Server(self, answer)
        names = ("bad", *range(200))
        with retries(1):  # others are answered meanwhile
            answers = ask([{"url": f"{server.url}/{name}"} for name in names])
        self.assertEqual([0, *[200] * 200], [answer.status for answer in answers])

    def test_nobody_there(self) -> None:
        server = Server(self, lambda request, _: request.reply(200))
        server.close()
        self.assertIn("connect", get(server.url).text)

    def test_a_server_that_says_nothing_or_too_slowly_is_left(self) -> None:
        def drip(request: Request, _: int) -> None:
            for _ in range(20):
                request.wfile.write(b"HTTP/1.1 200 OK\r\nX: y")
                time.sleep(0.1)

        text = web._OPTIONS.replace("\nmax-time = 60", "\nmax-time = 0.3")
        for answer in (lambda request, _: time.sleep(1), drip):
            server = Server(self, answer)
            with self.subTest(answer), mock.patch("web._OPTIONS", text):
                said = get(server.url)
                self.assertEqual(0, said.status)
                self.assertIn("timed out", said.text)

    def test_a_curl_that_does_not_end_is_ended(self) -> None:
        sleeps = ["sleep", "60"]
        with mock.patch("web.SECONDS", 0.1), mock.patch("web._CURL", sleeps):
            answers = ask([{"url": "http://127.0.0.1"}] * 2)
        self.assertEqual([(0, "no answer")] * 2, list(map(tuple, answers)))

    def test_one_that_says_too_much_says_nothing(self) -> None:
        server = Server(self, lambda request, _: request.reply(200, b"x" * (web.LARGEST + 1)))
        self.assertEqual((0, "Maximum file size exceeded"), tuple(get(server.url)))
