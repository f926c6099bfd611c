"""A list of named checks that all run, whatever becomes of the others; the process says at its end how many failed."""

import asyncio
import inspect
import sys
import traceback


class Checks:
    def __init__(self, client):
        self.client = client
        self.failed = []
        self.number = 0

    def run(self, name, check):
        """Runs a function, or a coroutine function on a loop of its own."""
        self.number += 1
        try:
            if inspect.iscoroutinefunction(check):
                asyncio.run(asyncio.wait_for(check(), 60))
            else:
                check()
        except Exception:
            self.failed.append(name)
            print(f"FAILED {self.client}: {name}\n{traceback.format_exc()}", flush=True)
        else:
            print(f"ok     {self.client}: {name}", flush=True)

    def end(self):
        print(f"{self.client}: {self.number - len(self.failed)} of {self.number}", flush=True)
        sys.exit(1 if self.failed else 0)
