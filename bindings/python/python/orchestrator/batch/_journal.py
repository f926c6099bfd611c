"""The file of a job: a line of JSON for each finished row, appended as it is finished.

A line is written by one call of the system, so that what is written survives the death of the
process; once a second the disk is told to keep it. A last line that a crash tore is cut off when
the file is opened again; when the disk is full the file is cut back to its last whole line.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ._keys import Keys
from ._result import FIRST, Result

Path = str | os.PathLike[str]

_SYNC_EVERY = 1.0
"""Seconds between two calls of fdatasync; what a power failure may cost."""


class JournalError(ValueError):
    """The file is not one that a job wrote, or is in use."""


JournalError.__module__ = "orchestrator.batch"


class Journal:
    """The open file. One process at a time writes it."""

    def __init__(self, path: Path, keys: Keys, *, resume: bool, retry_failed: bool) -> None:
        self._path = os.fspath(path)
        self._keys = keys
        self._synced = time.monotonic()
        self._file = _open_locked(self._path)
        try:
            if not resume and os.fstat(self._file).st_size:
                raise FileExistsError(
                    errno.EEXIST, "is there already, with answers in it; resume=True goes on with it", self._path
                )
            self._retry_failed = retry_failed
        except BaseException:
            os.close(self._file)
            raise
        self._end = 0

    def load(self, kept: Callable[[Result], None]) -> None:
        """Reads what is finished, telling ``kept`` of each; rows to be asked again leave the file."""
        again = False
        with open(self._path, "rb") as file:
            for number, start, line, result in _lines(file, self._path):
                if self._asks_again(result):
                    again = True
                else:
                    earlier = self._keys.answered(result.key, result.digest, number)
                    if earlier is not None:
                        raise JournalError(
                            f"{self._path}: the key {result.key!r} is in line {earlier} and in line {number}"
                        )
                    kept(result)
                self._end = start + len(line)
        self._cut()
        if again:
            self._drop_what_is_asked_again()

    def write(self, result: Result) -> None:
        """Appends a finished row."""
        line = memoryview(result.to_line())
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            self._cut()
            raise OSError(
                error.errno,
                f"{error.strerror}: {self._path} has every row before this one and can be resumed",
                self._path,
            ) from None
        self._end = os.lseek(self._file, 0, os.SEEK_CUR)
        if time.monotonic() - self._synced > _SYNC_EVERY:
            self.sync()

    def sync(self) -> None:
        """Waits until the disk has it."""
        os.fdatasync(self._file)
        self._synced = time.monotonic()

    def close(self) -> None:
        """Once; the lock goes with the descriptor."""
        try:
            self.sync()
        finally:
            os.close(self._file)

    def _cut(self) -> None:
        """Back to the last whole line."""
        os.ftruncate(self._file, self._end)
        os.lseek(self._file, self._end, os.SEEK_SET)

    def _asks_again(self, result: Result) -> bool:
        return self._retry_failed and result.error is not None and result.error.retryable

    def _drop_what_is_asked_again(self) -> None:
        """Puts a file without those rows in the place of this one, so that each key stays there once."""
        beside = f"{self._path}.new"
        new = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, stat.S_IMODE(os.fstat(self._file).st_mode))
        try:
            fcntl.flock(new, fcntl.LOCK_EX)
            with open(self._path, "rb") as old, os.fdopen(os.dup(new), "wb") as kept:
                for _, _, line, result in _lines(old, self._path):
                    if not self._asks_again(result):
                        kept.write(line)
            os.fdatasync(new)
            os.replace(beside, self._path)
        except BaseException:
            os.close(new)
            os.unlink(beside)
            raise
        os.close(self._file)
        self._file = new
        self._end = os.lseek(new, 0, os.SEEK_END)


def read(path: Path) -> Iterator[Result]:
    """The rows of a job's file, one after the other, while the job runs too."""
    name = os.fspath(path)
    with open(name, "rb") as file:
        for _, _, _, result in _lines(file, name):
            yield result


def _open_locked(path: str) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise JournalError(f"{path}: not a regular file; a job's answers need one")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held the lock may have put another file in its place.
            if os.path.exists(path) and os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        except BlockingIOError:
            os.close(file)
            raise JournalError(f"{path}: another job is writing to it") from None
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lines(file: BinaryIO, path: str) -> Iterator[tuple[int, int, bytes, Result]]:
    """Number, offset, line and result of every whole line; a torn end is left out."""
    start = 0
    for number, line in enumerate(file, 1):
        try:
            if not line.endswith(b"\n"):
                raise ValueError("no end of line")
            yield number, start, line, Result.from_dict(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            # Only the end can be torn, and only one of our own lines is cut off.
            ours = line.startswith(FIRST) or FIRST.startswith(line) or not line.strip(b"\0\n")
            if ours and not file.read(1):
                return
            raise JournalError(
                f"{path}, line {number}: not a line that a job wrote; the file is left as it is"
            ) from None
        start += len(line)
