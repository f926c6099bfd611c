"""The examples compile without a warning and print what they promise, against the emulator and
with nothing but the environment's variables.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from support import ROOT, Emulator, compile_program, need, run

EXAMPLES = ROOT / "examples"
STRICTER = ["-Wall", "-Wextra", "-pedantic", "-Wshadow", "-Wconversion", "-Werror"]
C = ["-std=c99", *STRICTER, "-Wstrict-prototypes", "-Wmissing-prototypes"]
CPP = ["-std=c++17", *STRICTER]
COUNTED = ", ".join(str(number) for number in range(1, 21))


def target_folder():
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "examples"


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator()
        cls.addClassCleanup(cls.emulator.__exit__)

    def compiled(self, language, name):
        compilers, flags = {"c": (["gcc", "clang"], C), "cpp": (["g++", "clang++"], CPP)}[language]
        for compiler in compilers:
            need(compiler, "clang" if "clang" in compiler else compiler)
            yield compile_program(EXAMPLES / language / f"{name}.{language}", flags, compiler=compiler)

    def output(self, language, name, *arguments):
        """What the example prints, the same from each compiler; it must end well."""
        outputs = set()
        for program in self.compiled(language, name):
            done = self.emulator.run([program, *arguments])
            self.assertEqual(done.returncode, 0, done.stdout)
            outputs.add(done.stdout)
        return outputs.pop()

    def test_every_example_is_tested_here(self):
        there = {f"{path.parent.name}/{path.name}" for path in EXAMPLES.glob("*/*.*")}
        self.assertLessEqual(
            {path for path in there if path.split("/")[0] in ("c", "cpp", "rust")},
            {"c/generate.c", "c/stream.c", "c/async_cancel.c", "c/errors.c", "c/router.c", "c/many.c", "c/operations.c",
             "c/tools.c"}
            | {"cpp/generate.cpp", "cpp/stream.cpp", "cpp/async.cpp", "cpp/router.cpp", "cpp/tools.cpp"}
            | {"rust/generate.rs", "rust/stream.rs", "rust/many.rs", "rust/tools.rs"},
        )

    def test_generate_prints_an_answer_and_what_it_cost(self):
        for language in ["c", "cpp"]:
            with self.subTest(language):
                printed = self.output(language, "generate", "repeat: it works")
                self.assertRegex(printed, r"^it works\n\[GigaChat\S*, \d+ tokens, finish reason stop\]\n$")

    def test_stream_prints_the_answer_and_what_it_cost(self):
        for language in ["c", "cpp"]:
            with self.subTest(language):
                printed = self.output(language, "stream")
                self.assertRegex(printed, rf"^{COUNTED}\n\[\d+ tokens(, finish reason stop)?\]\n$")

    def test_operations_print_the_balance_and_how_alike_two_texts_are(self):
        *balance, alike = self.output("c", "operations", "one", "one").splitlines()
        self.assertGreater(len(balance), 0)
        for line in balance:
            self.assertRegex(line, r"^\S+: \d+ tokens left$")
        self.assertEqual(alike, '"one" and "one": 1.00')

    def test_tools_calls_the_programs_function_and_prints_what_the_model_makes_of_it(self):
        for language in ["c", "cpp"]:
            for version in ["1", "2"]:
                with self.subTest(language, version=version):
                    self.emulator.environment["GIGACHAT_API_VERSION"] = version
                    called, said = self.output(language, "tools").splitlines()
                    del self.emulator.environment["GIGACHAT_API_VERSION"]
                    self.assertRegex(called, r'^\[weather \{"city": ?".*"\}\]$')
                    self.assertIn("degrees", said)

    def test_async_cancel_answers_two_questions_and_cancels_the_third(self):
        lines = sorted(self.output("c", "async_cancel").splitlines())
        self.assertEqual(len(lines), 3, lines)
        self.assertIn("What is C?", lines[0])
        self.assertIn("What is a thread?", lines[1])
        self.assertEqual(lines[2], "2: cancelled")

    def test_async_answers_in_every_way(self):
        lines = sorted(self.output("cpp", "async").splitlines())
        self.assertEqual(len(lines), 4, lines)
        self.assertIn("What is C++?", lines[0])
        self.assertIn("What is a thread?", lines[1])
        self.assertEqual(lines[2], "3: cancelled")
        self.assertIn("What is a callback?", lines[3])

    def test_router_falls_over_to_the_service_and_counts_it(self):
        for language in ["c", "cpp"]:
            with self.subTest(language):
                answer, metrics = self.output(language, "router", "repeat: it works").splitlines()
                self.assertEqual(answer, "it works")
                members = json.loads(metrics)["members"]
                counts = {m["name"]: (m["successful_requests"], m["failures"]) for m in members}
                self.assertEqual(counts, {"own model": (0, {"rate_limit": 1}), "service": (1, {})})

    def many(self, program, told):
        """Runs a job of 200 rows, kills it twice, tears the last line, and runs it to its end; `told` reads
        an answered line as row and text."""
        with tempfile.TemporaryDirectory() as folder:
            prompts, answers = pathlib.Path(folder, "prompts.txt"), pathlib.Path(folder, "answers")
            prompts.write_text("".join(f"repeat: {row}\n" for row in range(200)))
            slow = {"endpoint": "chat", "times": 0, "action": {"type": "delay_headers", "ms": 5}}
            self.emulator.ask("POST", "faults", slow)
            for lines in (20, 60):
                running = subprocess.Popen([program, prompts, answers], env=self.emulator.environment)
                while not answers.exists() or answers.read_bytes().count(b"\n") < lines:
                    self.assertIsNone(running.poll(), "it is killed in the middle")
                    time.sleep(0.005)
                running.kill()
                running.wait()
            with open(answers, "ab") as file:
                file.write(b"19")
            done = self.emulator.run([program, prompts, answers])
            self.emulator.ask("POST", "reset")
            self.assertEqual(done.returncode, 0, done.stdout)
            found = [told(line) for line in answers.read_text().splitlines()]
            self.assertEqual(sorted(found), [(row, str(row)) for row in range(200)])

    def test_many_answers_every_row_once_through_two_kills(self):
        for program in self.compiled("c", "many"):
            self.many(program, lambda line: (int(line.split(" ok ")[0]), line.split(" ok ")[1]))

    def test_errors_explains_three_failures(self):
        for program in self.compiled("c", "errors"):
            done = self.emulator.run([program])
            self.assertEqual(done.returncode, 0, done.stdout)
            headings = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
            self.assertEqual(
                headings,
                ["GIGACHAT_ERROR_INVALID_REQUEST", "GIGACHAT_ERROR_NOT_FOUND", "GIGACHAT_ERROR_AUTHENTICATION"],
            )
            self.assertIn("temperature", done.stdout)
            self.assertIn("check GIGACHAT_CREDENTIALS", done.stdout)

    def test_without_credentials_an_example_says_what_is_missing(self):
        bare = {name: value for name, value in os.environ.items() if not name.startswith("GIGACHAT_")}
        for language, name in [
            ("c", "generate"), ("c", "stream"), ("c", "async_cancel"), ("c", "router"), ("cpp", "generate"), ("cpp", "router"),
        ]:
            with self.subTest(f"{language}/{name}"):
                for program in self.compiled(language, name):
                    done = run([program], env=bare)
                    self.assertEqual(done.returncode, 1, done.stdout)
                    self.assertIn("GIGACHAT_ERROR_CONFIGURATION", done.stdout)
                    self.assertIn("GIGACHAT_CREDENTIALS", done.stdout)

    def test_the_rust_examples_print_the_same(self):
        need("cargo", "rustup (https://rustup.rs)")
        built = run(["cargo", "build", "--locked", "--workspace", "--examples"], bound=1200, cwd=ROOT)
        self.assertEqual(built.returncode, 0, built.stdout)
        self.assertNotIn("warning", built.stdout)
        done = self.emulator.run([target_folder() / "generate", "repeat: it works"])
        self.assertRegex(done.stdout, r"^it works\n\[GigaChat\S*, \d+ tokens, finish reason stop\]\n$")
        done = self.emulator.run([target_folder() / "stream"])
        self.assertRegex(done.stdout, rf"^{COUNTED}\n\[\d+ tokens\]\n$")
        self.many(target_folder() / "many", lambda line: (json.loads(line)["row"], json.loads(line)["text"]))


if __name__ == "__main__":
    unittest.main()
