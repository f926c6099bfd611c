"""What happens to the process around the library: fork, dlclose, exit, signals, limits, depth."""

import os
import shutil
import tempfile
import unittest

import support

TESTS = support.ROOT / "tests" / "process"
UNLIMITED = ("--concurrency", "0", "--no-rate-limit")
# How often a program is ended with everything in flight, in each of three ways.
EXITS = 34


class Process(unittest.TestCase):
    """Each program is a test, its exit status the verdict."""

    @classmethod
    def setUpClass(cls):
        cls.emulator = support.Emulator(*UNLIMITED)
        cls.addClassCleanup(cls.emulator.__exit__)

    def passes(self, command):
        done = self.emulator.run(command)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        self.assertRegex(done.stdout, r"(?m)^[1-9]\d* passed, 0 failed$")

    def test_a_forked_child_works_and_leaves_its_parent_alone(self):
        self.passes([support.compile_program(TESTS / "fork.c")])

    def test_the_library_is_opened_used_and_closed_two_hundred_times(self):
        program = support.compile_program(TESTS / "dlopen.c", libraries=["-ldl", "-pthread"])
        needed = support.run(["readelf", "-d", program]).stdout
        self.assertNotIn("libgigachat", needed)
        self.passes([program, support.LIBRARY / "libgigachat.so"])

    def test_a_handle_of_another_copy_of_the_library_is_recognised(self):
        program = support.compile_program(TESTS / "copies.c", libraries=["-ldl", "-pthread"])
        library = support.LIBRARY / "libgigachat.so"
        with tempfile.TemporaryDirectory(prefix="gigachat-copy-") as folder:
            self.passes([program, library, shutil.copy(library, folder)])

    def test_signals_stay_the_hosts(self):
        self.passes([support.compile_program(TESTS / "signals.c")])

    def test_what_recurses_is_bounded_on_the_smallest_stack(self):
        self.passes([support.compile_program(TESTS / "depth.c")])

    def test_a_set_user_id_program_ignores_what_its_user_put_into_the_environment(self):
        program = support.compile_program(TESTS / "environment.c")
        environment = dict(self.emulator.environment)
        environment["SSL_CERT_FILE"] = environment.pop("GIGACHAT_CA_BUNDLE_FILE")
        run = [program, "trusts"]
        done = support.run(run, env=environment)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        # Its owner stays root, who may read everything; its user becomes nobody, who may not.
        with tempfile.TemporaryDirectory(prefix="gigachat-set-user-id-") as folder:
            os.chmod(folder, 0o755)
            program = shutil.copy(program, folder)
            os.chmod(program, 0o4755)
            done = support.run([program, "distrusts"], env=environment, user="nobody", group="nogroup")
            self.assertEqual(done.returncode, 0, done.stdout[-4000:])

    def test_a_call_in_a_constructor_under_the_loaders_lock_returns_and_says_why(self):
        source = TESTS / "constructor.c"
        flags = [*support.C_FLAGS, "-DOBJECT", "-fPIC", "-shared"]
        shared = support.compile_program(source, flags=flags)
        self.passes([support.compile_program(source), shared])

    def test_a_call_returns_by_its_own_clock_when_the_librarys_threads_are_stopped(self):
        self.passes([support.compile_program(TESTS / "stopped.c")])
        done = self.emulator.run([support.compile_program(TESTS / "stopped.cpp")])
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])

    def test_threads_that_are_cancelled_or_end_inside_the_library_end_nothing_else(self):
        self.passes([support.compile_program(TESTS / "cancelled.c")])

    def test_a_queue_whose_descriptor_the_program_closed_says_so(self):
        done = self.emulator.run([support.compile_program(TESTS / "closed.c"), "1", "queue"])
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])

    def test_a_program_that_closes_all_descriptors_is_answered_again(self):
        # With debug assertions Rust's standard library aborts where a closed descriptor is closed.
        # A thread that is at work at that moment cannot be kept from it: the I/O driver that finds
        # its own closed is dropped inside of tokio. In a release that is a call that fails.
        if b"IO Safety violation" in (support.LIBRARY / "libgigachat.so").read_bytes():
            self.skipTest("this library was built with debug assertions")
        program = support.compile_program(TESTS / "closed.c")
        for io_threads in ("1", "4"):
            with self.subTest(io_threads=io_threads):
                done = self.emulator.run([program, io_threads])
                self.assertEqual(done.returncode, 0, done.stdout[-4000:])
                self.assertRegex(done.stdout, r"\A[1-9]\d* passed, 0 failed\n\Z")

    def test_no_descriptor_or_thread_to_be_had_is_a_status(self):
        self.passes([support.compile_program(TESTS / "limits.c")])

    def test_exit_with_everything_in_flight_is_clean_and_silent(self):
        program = support.compile_program(TESTS / "exit.cpp")
        for way in ("main", "thread", "callback"):
            with self.subTest(way):
                for _ in range(EXITS):
                    done = self.emulator.run([program, way])
                    self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
