"""The fault matrix: every fault of the table, met through C, C++ and Python.

    GIGACHAT_PREFIX=... GIGACHAT_EMULATOR=... GIGACHAT_PYTHON=... python3 tests/behaviour/test_matrix.py

`MATRIX=short` takes a fixed selection, `MATRIX_LANGUAGES=go,node,java` other languages. The rows are in
`*.json` (table.py says how to read them).
A language that lacks its driver, a row that is not judged and a call that hangs are failures.
"""

import os
import pathlib
import queue
import re
import sys
import threading
import time
import traceback
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "installed"))

import drivers  # noqa: E402
import table  # noqa: E402
import world  # noqa: E402
from processes import Processes  # noqa: E402, F401 (its tests are run with these)

# Most of a case is waiting.
LANES = int(os.environ.get("MATRIX_LANES", "4"))
ONLY = os.environ.get("MATRIX_ONLY", "")
SHORT = os.environ.get("MATRIX", "") == "short"
VERBS = {"token": "call", "unary": "call", "stream": "stream", "health": "health"}
# Longer than the second for which a failed token request is the answer for everyone (I1), and than
# the five for which a token that was refused when it was new is not asked for again.
FAULT_IS_OVER_WITHIN = 8
# A call with a limit this short may fail because the machine is busy.
SHORT_LIMIT_MS = 1000
TRIALS = 4

# What an exception's class says in Python; the other languages name the kind.
CLASSES = {
    "AuthenticationError": {"authentication"},
    "PaymentRequiredError": {"payment_required"},
    "PermissionDeniedError": {"permission_denied"},
    "NotFoundError": {"not_found"},
    "PayloadTooLargeError": {"payload_too_large"},
    "InvalidRequestError": {"invalid_request"},
    "RateLimitError": {"rate_limit"},
    "ServerError": {"server"},
    "TimeoutError": {"timeout"},
    "ServiceConnectionError": {"connection", "tls"},
    "ProtocolError": {"protocol"},
    "IncompleteStreamError": {"incomplete_stream"},
    "ConfigurationError": {"configuration"},
    "ProviderError": {"internal", "cancelled", "shutdown"},
}
# What every driver tells of an answer and of an error; a member that is missing is a failure, so that
# nothing passes because it was not said.
TOLD = {
    "call": {"result", "text", "attempts", "request_id"},
    "stream": {"result", "text", "attempts", "request_id"},
    "health": {"result"},
    "error": {
        "result", "phase", "message", "http", "code", "retry_after_ms", "retryable", "attempts", "request_id", "text",
        "partial",
    },
}  # fmt: skip
# What Python has no word for: permits held, handles left; a stream of texts tells no attempts.
UNTOLD = {"python": {"held", "live"}}
# What ends with the language's own exception when it is cancelled, which tells nothing more: a task of asyncio, a
# promise with its signal's reason, a CompletableFuture.
OWN_CANCELLATION = {"python": {"call", "stream"}, "node": {"call", "stream"}, "java": {"call"}}
# A call that was cancelled has ended by then. It is promised within 0.2 s; a busy machine has ten times that.
CANCELLED_WITHIN_MS = 2000


class Lane:
    """One driver in one world, taking case after case."""

    def __init__(self, language, started_by):
        self.language = language
        self.driver = drivers.Driver(started_by)
        self.world = world.World()
        self.cancels = []

    def judge(self, case):
        """What is wrong with the outcome of a case; nothing if it is as expected."""
        options = self.world.options(case)
        opened = self.driver.ask("open", *(f"{name}={value}" for name, value in options.items()))
        if opened["result"] != "ok":
            return [f"the provider cannot be made: {opened}"]
        verb = VERBS[case.endpoint]
        command = (verb,) if verb == "health" else (verb, case.prompt)
        wrong = []
        if case.warm:
            wrong += compared(self.driver.ask(*command), {"kind": None}, "the call before")
        self.world.arm(case)
        if case.cancel_after_ms is None:
            outcome = self.driver.ask(*command)
        else:
            outcome = self.driver.ask(f"cancel_{verb}", str(case.cancel_after_ms), case.prompt)
            wrong += self.judge_cancel(outcome)
        during = self.world.requests(case)
        wrong += self.untold(outcome, verb) or compared(outcome, case.expected, "the call", self.told(outcome, verb))
        if len(during) not in either(case.expected["sent"]):
            wrong.append(f"the service saw {len(during)} requests, not {case.expected['sent']}")
        self.world.disarm(case)
        wrong += self.judge_next(case, command, during)
        closed = self.driver.ask("close")
        if "live" not in self.unsayable() and closed.get("live") != 0:
            wrong.append(f"{closed.get('live')} handles are left")
        return [f"{line}\n        {outcome}" for line in wrong[:1]] + wrong[1:]

    def judge_next(self, case, command, during):
        """The next call shows that the permit is free, and whether the connection lives."""
        begun = time.monotonic()
        outcome = self.driver.ask(*command)
        while outcome["result"] != "ok" and case.expected["again"] is None:
            if time.monotonic() - begun > FAULT_IS_OVER_WITHIN or not passes_by_itself(case, outcome):
                break
            time.sleep(0.05)
            outcome = self.driver.ask(*command)
        wrong = compared(outcome, {"kind": case.expected["again"]}, "the next call")
        if outcome.get("phase") == "queue" and case.expected["again"] is None:
            wrong.append("the permit is not free: the next call waited for it in vain")
        after = self.world.requests(case)[len(during) :]
        reused = after[0] in during if after and during else None
        if reused not in either(case.expected["reused"]):
            wrong.append(f"the connection is {said(reused)}, not {said(case.expected['reused'])}")
        return wrong

    def judge_cancel(self, outcome):
        took = outcome.get("cancelled_within_ms")
        if took is None:
            return ["the driver does not say how long the cancel took"]
        self.cancels.append(took)
        return [f"the cancelled call ended after {took} ms"] if took > CANCELLED_WITHIN_MS else []

    def unsayable(self, verb=None):
        """What this language has no word for."""
        nothing = UNTOLD.get(self.language, set())
        return nothing | {"attempts"} if self.language == "python" and verb == "stream" else nothing

    def told(self, outcome, verb):
        """What the outcome must tell, and is compared."""
        if verb in OWN_CANCELLATION.get(self.language, ()) and outcome.get("kind") == "cancelled":
            return {"result", "text"}
        if outcome["result"] != "ok":
            return TOLD["error"] - self.unsayable()
        return TOLD[verb] - self.unsayable(verb)

    def untold(self, outcome, verb):
        missing = (self.told(outcome, verb) | ({"held"} - self.unsayable())) - set(outcome)
        return [f"the driver does not say {sorted(missing)}"] if missing else []

    def end(self):
        status = self.driver.finish()
        self.world.close()
        return [] if status == 0 else [f"the driver ended with status {status}"]


def passes_by_itself(case, outcome):
    """A failure of the next call that says nothing of the permit: a token request's, which is the
    answer for everyone for a second (I1), or a short limit on a busy machine."""
    return case.endpoint == "token" or (said_kind(outcome) == {"timeout"} and outcome["phase"] != "queue")


def either(expected):
    """A list in the table: where the moment decides, as when a connection is reset while it is made."""
    return expected if isinstance(expected, list) else [expected]


def said_kind(outcome):
    if outcome["result"] == "ok":
        return {None}
    return CLASSES[outcome["class"]] if "class" in outcome else {outcome["kind"]}


def may_be_the_moment(case, wrong):
    """Whether a case is performed again: a short limit on a busy machine, or a connection that was
    not yet back when the next call came. What is always so fails every time."""
    too_early = f"the connection is {said(False)}, not {said(True)}"
    return bool(wrong) and (
        case.shortest_limit() <= SHORT_LIMIT_MS or all(line.startswith(too_early) for line in wrong)
    )


def said(reused):
    return {True: "reused", False: "another", None: "not needed"}[reused]


def compared(outcome, expected, which, told=frozenset()):
    """In what an outcome differs from the expected one."""
    wrong = []
    if expected["kind"] not in said_kind(outcome):
        return [f"{which} is {said_of(outcome)}, not {expected['kind'] or 'an answer'}"]
    for field in sorted((told & set(expected)) - {"message"}):
        if outcome.get(field) not in either(expected[field]):
            wrong.append(f"{which}: {field} is {outcome.get(field)!r}, not {expected[field]!r}")
    if "message" in expected and not re.search(expected["message"], outcome.get("message", "")):
        wrong.append(f"{which}: its message does not say {expected['message']!r}")
    # Whatever the case: what was delivered is what the error says was delivered, and no permit is held.
    partial, delivered = outcome.get("partial"), outcome.get("text")
    if partial is not None and partial != (delivered or ""):
        wrong.append(f"{which}: the partial text {partial!r} is not what was delivered, {delivered!r}")
    # A cancelled call gives its permit back behind the caller's back; the next call gets it.
    if outcome.get("held", 0) != 0 and expected["kind"] != "cancelled":
        wrong.append(f"{which} leaves {outcome['held']} permits held")
    return wrong


def said_of(outcome):
    if outcome["result"] == "ok":
        return "an answer"
    return f"{outcome.get('kind') or outcome['class']} ({outcome.get('message')})"


class Run:
    """All cases through one language, on several lanes."""

    def __init__(self, language, cases):
        self.language = language
        self.cases = queue.SimpleQueue()
        for case in cases:
            self.cases.put(case)
        self.judged = []
        self.failures = []
        self.slowest = []
        self.cancels = []
        self.repeated = 0

    def perform(self):
        started_by = drivers.command(self.language)
        lanes = [threading.Thread(target=self.lane, args=(started_by,)) for _ in range(LANES)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()

    def lane(self, started_by):
        try:
            lane = Lane(self.language, started_by)
            while True:
                try:
                    case = self.cases.get_nowait()
                except queue.Empty:
                    break
                self.judge(lane, case)
            self.cancels += lane.cancels
            self.failures += lane.end()
        except Exception:
            self.failures.append(traceback.format_exc())

    def judge(self, lane, case):
        begun = time.monotonic()
        wrong = self.trial(lane, case)
        trials = 1
        while trials < TRIALS and may_be_the_moment(case, wrong):
            wrong, trials = self.trial(lane, case), trials + 1
            self.repeated += 1
        self.judged.append(case.name)
        self.slowest.append((time.monotonic() - begun, case.name))
        if wrong:
            self.failures.append(f"{case.name}\n    " + "\n    ".join(wrong))

    @staticmethod
    def trial(lane, case):
        try:
            return lane.judge(case)
        except AssertionError as problem:
            lane.world.disarm(case)
            lane.driver.kill()
            return [str(problem)]


class Matrix(unittest.TestCase):
    """One test per language; they run side by side."""

    @classmethod
    def setUpClass(cls):
        cases = table.read()
        cases = table.short(cases) if SHORT else cases
        cls.cases = [case for case in cases if re.search(ONLY, case.name)]
        cls.runs = {language: Run(language, cls.cases) for language in drivers.LANGUAGES}
        begun = time.monotonic()
        threads = [threading.Thread(target=cls.perform, args=(run,)) for run in cls.runs.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cls.seconds = time.monotonic() - begun

    @staticmethod
    def perform(run):
        try:
            run.perform()
        except Exception:
            run.failures.append(traceback.format_exc())

    def judged(self, language):
        run = self.runs[language]
        good = len(run.judged) - len(run.failures)
        slowest = max(run.slowest, default=(0, "none"))
        print(
            f"{language}: {len(run.judged)} cases judged, {max(good, 0)} as expected, {run.repeated} performed again,"
            f" all in {self.seconds:.0f} s, the slowest in {slowest[0]:.1f} s ({slowest[1]})"
        )
        if run.cancels:
            cancels = sorted(run.cancels)
            print(f"{language}: {len(cancels)} cancels, p99 {cancels[len(cancels) * 99 // 100]} ms")
        if run.failures:
            self.fail("\n" + "\n".join(run.failures))
        self.assertEqual(sorted(run.judged), sorted(case.name for case in self.cases))
        self.assertTrue(self.cases)

    def test_every_row_has_a_name_of_its_own(self):
        names = [case.name for case in self.cases]
        self.assertEqual(len(names), len(set(names)))


for name in drivers.LANGUAGES:
    setattr(Matrix, f"test_{name}", lambda self, name=name: self.judged(name))


if __name__ == "__main__":
    unittest.main()
