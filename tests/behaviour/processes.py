"""What happens to the process: its clock jumps, it runs out of descriptors or threads, the service
restarts while it works. Each through the driver of every language; one that dies or hangs fails.

Thread limits do not bind root: run as root, the drivers become nobody (with the right to read, so
that they find their own files).
"""

import contextlib
import os
import pathlib
import signal
import tempfile
import threading
import time
import unittest

import drivers
import support
import table
import world

LIBFAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
NOBODY = 65534
AN_HOUR = 3600
VERBS = ("call", "stream", "health")
# From what is open or running on, so many more.
SHORT = os.environ.get("MATRIX", "") == "short"
ROOM = (0, 3) if SHORT else range(9)
MANY = 4096
# At once, under restarts.
CALLS = 200
# What the machine's refusal is, wherever it is met.
REFUSED = {"internal", "connection"}


class Limit:
    """A soft limit of a running driver, set by somebody who may."""

    def __init__(self, name, in_use, wrapped):
        self.name, self.in_use, self.wrapped = name, in_use, wrapped

    def set(self, driver, value):
        command = ["prlimit", f"--pid={driver.process.pid}", f"--{self.name}={value}:"]
        done = support.run(self.wrapped(command))
        if done.returncode != 0:
            raise AssertionError(done.stdout)

    def leave(self, driver, room):
        """So many more than there are."""
        self.set(driver, self.in_use(driver) + room)

    def lift(self, driver):
        self.set(driver, MANY)


def open_descriptors(driver):
    return len(os.listdir(f"/proc/{driver.process.pid}/fd"))


def threads_of(user):
    """How many threads a user has, as RLIMIT_NPROC counts them."""
    count = 0
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == user:
                count += len(os.listdir(process / "task"))
        except OSError:
            continue  # it ended meanwhile
    return count


def as_nobody(command):
    """The command as a user whom limits bind."""
    if os.geteuid() != 0:
        return command
    setpriv = support.need("setpriv", "util-linux")
    rights = "-all,+dac_read_search"
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return [setpriv, *user, f"--inh-caps={rights}", f"--ambient-caps={rights}", *command]


class Processes(unittest.TestCase):
    """Every test goes over every language."""

    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.close)
        cls.commands = {language: drivers.command(language) for language in drivers.LANGUAGES}

    def open(self, driver, http=2, **options):
        base_url, token_url = self.world.emulator_urls(http)
        fields = {
            "base_url": base_url,
            "token_url": token_url,
            "authorization_key": self.world.new_key(),
            "ca_bundle_file": self.world.environment["GIGACHAT_CA_BUNDLE_FILE"],
            **table.DEFAULTS,
            **options,
        }
        given = [f"{name}={value}" for name, value in fields.items() if value is not None]
        self.assertEqual(driver.ask("open", *given)["result"], "ok")

    def answers(self, driver, verb="call"):
        """A call that is answered, within a bound: a limit that was just lifted may still be felt."""
        fields = [verb] if verb == "health" else [verb, "repeat: hello"]
        until = time.monotonic() + 10
        while (outcome := driver.ask(*fields))["result"] != "ok" and time.monotonic() < until:
            time.sleep(0.1)
        self.assertEqual(outcome["result"], "ok", outcome)
        self.assertEqual(outcome.get("held", 0), 0)

    def token_requests(self):
        return self.world.ask("GET", "counters")["token_requests"]

    @contextlib.contextmanager
    def driver(self, language, environment=None):
        """A driver that must end in good order."""
        driver = drivers.Driver(self.commands[language], environment)
        self.addCleanup(driver.kill)
        yield driver
        self.assertEqual(driver.finish(), 0)

    def test_a_wall_clock_stepped_by_an_hour_changes_nothing(self):
        """I2: lifetimes are measured on the monotonic clock, and against the service's own date."""
        self.assertTrue(os.path.exists(LIBFAKETIME), "missing; on Debian: apt-get install libfaketime")
        with tempfile.TemporaryDirectory() as folder:
            clock = pathlib.Path(folder, "clock")
            clock.write_text("+0")
            environment = {
                **drivers.without_proxies(),
                "LD_PRELOAD": LIBFAKETIME,
                "FAKETIME_TIMESTAMP_FILE": str(clock),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
            for language in drivers.LANGUAGES:
                for step in (AN_HOUR, -AN_HOUR):
                    with self.subTest(language, step=step), self.driver(language, environment) as driver:
                        self.step(driver, clock, step)

    def step(self, driver, clock, seconds):
        self.world.ask("POST", "reset")
        clock.write_text("+0")
        self.open(driver)
        self.answers(driver)
        clock.write_text(f"{seconds:+}")
        told = int(support.run(["date", "+%s"], env=driver.environment).stdout)
        self.assertAlmostEqual(told - time.time(), seconds, delta=60, msg="the clock is not stepped")
        self.assertIn("libfaketime", pathlib.Path(f"/proc/{driver.process.pid}/maps").read_text())
        for verb in VERBS:
            self.answers(driver, verb)
        self.assertEqual(self.token_requests(), 1, "the token that is held goes on")
        driver.ask("close")
        self.open(driver)
        for verb in VERBS:
            self.answers(driver, verb)
        self.assertEqual(self.token_requests(), 2, "one that is got at the wrong time goes on too")
        driver.ask("close")

    def test_without_descriptors_a_call_fails_and_with_them_it_is_answered(self):
        """I8 too: the roots that could not be read for want of descriptors are read later."""
        self.run_out_of(Limit("nofile", open_descriptors, lambda command: command))

    def test_without_threads_a_call_fails_and_with_them_it_is_answered(self):
        user = NOBODY if os.geteuid() == 0 else os.geteuid()
        self.run_out_of(Limit("nproc", lambda _: threads_of(user), as_nobody))

    def run_out_of(self, limit):
        """I12: with little or nothing left, before and after the first call."""
        for language in drivers.LANGUAGES:
            failed = 0
            for warm in (False, True):
                for room in ROOM:
                    with self.subTest(language, warm=warm, room=room):
                        failed += self.in_want(language, limit, warm, room)
            self.assertGreater(failed, 0, f"{language}: no limit was felt")
            print(f"{language}: {failed} calls failed under a limit ({limit.name})")

    def in_want(self, language, limit, warm, room):
        """How many calls failed; in a process of its own, which finds the root by the environment."""
        root = self.world.environment["GIGACHAT_CA_BUNDLE_FILE"]
        environment = {**drivers.without_proxies(), "SSL_CERT_FILE": root}
        driver = drivers.Driver(limit.wrapped(self.commands[language]), environment)
        self.addCleanup(driver.kill)
        self.open(driver, max_retries=0, ca_bundle_file=None)
        if warm:
            self.answers(driver)
            driver.ask("close")
            self.open(driver, max_retries=0, ca_bundle_file=None)
        limit.leave(driver, room)
        failed = 0
        for verb in VERBS:
            outcome = driver.ask(*([verb] if verb == "health" else [verb, "repeat: hello"]))
            if outcome["result"] != "ok":
                failed += 1
                kinds = {outcome["kind"]} if "kind" in outcome else CLASSES[outcome["class"]]
                self.assertTrue(kinds & REFUSED, outcome)
                self.assertTrue(outcome["message"])
        limit.lift(driver)
        for verb in VERBS:
            self.answers(driver, verb)
        self.assertEqual(driver.ask("close").get("live", 0), 0)
        self.assertEqual(driver.finish(), 0)
        return failed

    def test_a_service_that_restarts_under_load_loses_no_call_that_had_no_answer(self):
        """I4: what broke before an answer is sent again; an answer that broke off is a protocol error."""
        for turn, language in enumerate(drivers.LANGUAGES):
            for http in (turn % 2 + 1,) if SHORT else (1, 2):
                with self.subTest(language, http=http), self.driver(language) as driver:
                    self.work_through_restarts(driver, http)

    def work_through_restarts(self, driver, http):
        self.world.ask("POST", "reset")
        slow = {"endpoint": "chat", "times": 0, "action": {"type": "delay_headers", "ms": 30}}
        self.world.ask("POST", "faults", slow)
        self.open(driver, http, max_concurrency=8, max_retries=10, timeout_ms=30000, queue_timeout_ms=60000)
        restarts = threading.Thread(target=self.restart, args=(3,))
        restarts.start()
        outcome = driver.ask("many", str(CALLS), "repeat: hello")
        restarts.join()
        self.assertIn(outcome["kind"], ("", "protocol", "ProtocolError"), outcome)
        # Few answers are on their way at any moment; only those can break off.
        self.assertGreaterEqual(outcome["answered"], CALLS - 3 * 8, outcome)
        self.assertEqual(outcome.get("held", 0), 0)
        counters = self.world.ask("GET", "counters")
        self.assertGreater(counters["aborted_requests"], 0, "no restart met a call")
        self.assertEqual(counters["in_flight"], 0)
        self.answers(driver)
        driver.ask("close")

    def restart(self, times):
        for _ in range(times):
            time.sleep(0.3)  # so that there is load again
            self.world.emulator.process.send_signal(signal.SIGHUP)


# What Python's classes stand for here; OSError is its own word for want of descriptors.
CLASSES = {"ProviderError": {"internal"}, "ServiceConnectionError": {"connection"}, "OSError": {"internal"}}
