"""The keys of a job: which are answered, which came already.

In SQLite's private temporary database, which moves to disk when it grows: a million keys take no
memory to speak of, and unlike with digests no two are ever taken for the same.
"""

from __future__ import annotations

import json
import sqlite3

from ._rows import Key, Row


class Keys:
    """Every key of the file, and every key that the rows had so far."""

    def __init__(self) -> None:
        # The threads take turns: a blocking job inside of a running loop has a thread of its own.
        self._table = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._table.execute("PRAGMA journal_mode=OFF")
        self._table.execute("PRAGMA synchronous=OFF")
        self._table.execute("CREATE TABLE keys (key TEXT PRIMARY KEY, digest TEXT, line INT, row INT) WITHOUT ROWID")
        self._table.execute("BEGIN")

    def answered(self, key: Key, digest: str | None, line: int) -> int | None:
        """Notes a line of the file; returns the line that has this key already."""
        name = json.dumps(key)
        added = self._table.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, NULL)", (name, digest, line))
        if added.rowcount:
            return None
        found = self._table.execute("SELECT line FROM keys WHERE key = ?", (name,)).fetchone()
        return int(found[0])

    def is_new(self, row: Row, number: int) -> bool:
        """Whether the row has yet to be asked. A key that came twice is refused."""
        name = json.dumps(row.key)
        added = self._table.execute("INSERT OR IGNORE INTO keys VALUES (?, NULL, NULL, ?)", (name, number))
        if added.rowcount:
            return True
        digest, line, earlier = self._table.execute(
            "SELECT digest, line, row FROM keys WHERE key = ?", (name,)
        ).fetchone()
        if earlier is not None:
            raise DuplicateKeyError(
                f"row {number}: the key {row.key!r} is that of row {earlier} too; each row needs a key of its own"
            )
        if digest is not None and digest != row.digest:
            raise ChangedRowError(
                f"row {number}: the key {row.key!r} was answered for another request (line {line} of the file);"
                " give the file the same rows, or these rows a file of their own"
            )
        self._table.execute("UPDATE keys SET row = ? WHERE key = ?", (number, name))
        return False

    def close(self) -> None:
        self._table.close()


class DuplicateKeyError(ValueError):
    """Two rows of a job have the same key."""


class ChangedRowError(ValueError):
    """A row asks something else than the row that the file has an answer for under this key."""


for _class in (DuplicateKeyError, ChangedRowError):
    _class.__module__ = "orchestrator.batch"
del _class  # pyright: ignore[reportPossiblyUnboundVariable]
