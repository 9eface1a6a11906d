"""The progress file: what an audit knows and has done, as a SQLite database, so that memory stays small and an audit
that was stopped goes on where it was.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from harbor_verify.audit.kinds import Kind, Trouble
from harbor_verify.audit.manifests import Part
from harbor_verify.errors import SettingsError
from harbor_verify.model.contents import BlobRow, Known

FILE = "audit.sqlite"
_FORMAT = "1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS artifact (id INTEGER PRIMARY KEY, repository TEXT, digest TEXT, origin TEXT,
    done INTEGER NOT NULL DEFAULT 0, UNIQUE (repository, digest));
CREATE INDEX IF NOT EXISTS artifact_done ON artifact (done, id);
CREATE INDEX IF NOT EXISTS artifact_digest ON artifact (digest);
CREATE TABLE IF NOT EXISTS part (artifact INTEGER, blob TEXT, is_manifest INTEGER, PRIMARY KEY (artifact, blob))
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS part_blob ON part (blob);
CREATE TABLE IF NOT EXISTS blob (id INTEGER PRIMARY KEY, digest TEXT UNIQUE, size INTEGER,
    done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS blob_done ON blob (done, id);
CREATE TABLE IF NOT EXISTS place (blob TEXT, repository TEXT, PRIMARY KEY (blob, repository)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recorded (digest TEXT PRIMARY KEY, size INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holding (artifact TEXT, blob TEXT, PRIMARY KEY (artifact, blob)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trouble (kind TEXT, digest TEXT, repository TEXT, place TEXT, observed TEXT,
    PRIMARY KEY (kind, digest, repository, place));
CREATE TABLE IF NOT EXISTS unknown (thing TEXT PRIMARY KEY, reason TEXT, silent INTEGER);
"""


class Notebook:
    """For one thread. `file` None: in memory, for a few images."""

    def __init__(self, file: Path | None = None) -> None:
        """Raises SettingsError where the file is no progress file of this version."""
        try:
            self._db = sqlite3.connect(file or ":memory:", isolation_level=None)
            self._db.executescript(f"PRAGMA synchronous = OFF; PRAGMA cache_size = -8000; {_SCHEMA}")
            self._db.execute("BEGIN")
            if self.noted("format", _FORMAT) != _FORMAT:
                raise SettingsError(f"{file} was written by another version of this program")
            self.note("format", _FORMAT)
        except sqlite3.DatabaseError as wrong:
            raise SettingsError(f"{file} is no progress file of an audit: {wrong}") from wrong

    def save(self) -> None:
        """What was written until now outlives this program."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")

    def close(self) -> None:
        self._db.execute("COMMIT")
        self._db.close()

    def noted(self, name: str, default: str = "") -> str:
        rows = self._rows("SELECT value FROM note WHERE name = ?", name)
        return rows[0][0] if rows else default

    def note(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def add_artifacts(self, found: Iterable[Known], origin: str) -> None:
        """`origin`: database, api, index. What is there already stays of the origin that told it first, unless the
        database tells it."""
        self._db.executemany(
            "INSERT INTO artifact (repository, digest, origin) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET origin = "
            "CASE WHEN excluded.origin = 'database' THEN 'database' ELSE origin END",
            ((each.repository, each.digest, origin) for each in found),
        )

    def add_recorded(self, rows: Iterable[BlobRow]) -> None:
        """Blobs as the database has them."""
        self._db.executemany(
            "INSERT OR REPLACE INTO recorded VALUES (?, ?)", ((row.digest, row.size) for row in rows)
        )

    def add_holdings(self, rows: Iterable[tuple[str, str]]) -> None:
        """(digest of an artifact, digest of what it is made of), as the database says."""
        self._db.executemany("INSERT OR IGNORE INTO holding VALUES (?, ?)", rows)

    def undone_artifacts(self, *, above: int, most: int) -> list[tuple[int, Known]]:
        """The next ones whose manifests were not read, by id."""
        query = "SELECT id, repository, digest FROM artifact WHERE done = 0 AND id > ? ORDER BY id LIMIT ?"
        return [(id, Known(repository, digest)) for id, repository, digest in self._rows(query, above, most)]

    def note_parts(self, id: int, known: Known, parts: Iterable[Part]) -> None:
        """Its manifest names these; noting them twice is harmless."""
        for part in parts:
            self._db.execute(
                "INSERT OR IGNORE INTO part VALUES (?, ?, ?)", (id, part.digest, int(part.is_manifest))
            )
            if part.is_manifest:
                self.add_artifacts([Known(known.repository, part.digest)], "index")
                continue
            self._db.execute(
                "INSERT INTO blob (digest, size) VALUES (?, ?) ON CONFLICT DO UPDATE "
                "SET size = coalesce(blob.size, excluded.size)",
                (part.digest, part.size),
            )
            self._db.execute("INSERT OR IGNORE INTO place VALUES (?, ?)", (part.digest, known.repository))

    def finish_artifact(self, id: int) -> None:
        """Its manifest was asked of everybody, and everybody answered."""
        self._db.execute("UPDATE artifact SET done = 1 WHERE id = ?", (id,))

    def undone_blobs(self, *, above: int, most: int) -> list[tuple[int, str, int | None, int | None]]:
        """(id, digest, bytes by manifests, bytes by the database) of the next ones that were not read."""
        query = (
            "SELECT b.id, b.digest, b.size, r.size FROM blob b LEFT JOIN recorded r ON r.digest = b.digest "
            "WHERE b.done = 0 AND b.id > ? ORDER BY b.id LIMIT ?"
        )
        return self._rows(query, above, most)

    def repositories_of(self, blob: str) -> list[str]:
        return [name for (name,) in self._rows("SELECT repository FROM place WHERE blob = ?", blob)]

    def finish_blob(self, id: int) -> None:
        self._db.execute("UPDATE blob SET done = 1 WHERE id = ?", (id,))

    def is_read(self, blob: str, repository: str) -> bool:
        """Whether this repository's images are made of it, and it was read as such."""
        query = "SELECT 1 FROM place p JOIN blob b ON b.digest = p.blob WHERE p.blob = ? AND p.repository = ? AND done"
        return bool(self._rows(query, blob, repository))

    def size_of(self, blob: str) -> int | None:
        """By the manifests; None: they do not say, or it is one."""
        rows = self._rows("SELECT size FROM blob WHERE digest = ?", blob)
        return rows[0][0] if rows else None

    def has_repository(self, name: str) -> bool:
        return bool(self._rows("SELECT 1 FROM artifact WHERE repository = ? LIMIT 1", name))

    def unprotected(self) -> Iterator[tuple[Known, str]]:
        """Artifacts of the database and a blob of theirs that it does not say they are made of."""
        query = (
            "SELECT a.repository, a.digest, p.blob FROM artifact a JOIN part p ON p.artifact = a.id "
            "WHERE a.origin = 'database' AND NOT p.is_manifest AND NOT EXISTS "
            "(SELECT 1 FROM holding h WHERE h.artifact = a.digest AND h.blob = p.blob)"
        )
        for repository, digest, blob in self._rows(query):
            yield Known(repository, digest), blob

    def of_origin(self, origin: str) -> Iterator[Known]:
        for row in self._rows("SELECT repository, digest FROM artifact WHERE origin = ?", origin):
            yield Known(*row)

    def images_of(self, digest: str) -> list[Known]:
        """The images that are made of it, or are it, and the indexes that name those."""
        query = (
            "WITH hit(id) AS (SELECT id FROM artifact WHERE digest = ?1 "
            "UNION SELECT artifact FROM part WHERE blob = ?1) "
            "SELECT repository, digest FROM artifact WHERE id IN (SELECT id FROM hit) UNION "
            "SELECT i.repository, i.digest FROM hit JOIN artifact a ON a.id = hit.id "
            "JOIN part p ON p.blob = a.digest AND p.is_manifest JOIN artifact i ON i.id = p.artifact "
            "AND i.repository = a.repository ORDER BY 1, 2"
        )
        return [Known(*row) for row in self._rows(query, digest)]

    def tell(self, troubles: Iterable[Trouble]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO trouble VALUES (?, ?, ?, ?, ?)",
            ((t.kind.value, t.digest, t.repository, t.place, t.observed) for t in troubles),
        )

    def take_back(self, kind: Kind, digest: str) -> None:
        self._db.execute("DELETE FROM trouble WHERE kind = ? AND digest = ?", (kind.value, digest))

    def troubles(self) -> list[Trouble]:
        """By kind and digest."""
        rows = self._rows("SELECT * FROM trouble ORDER BY kind, digest, repository, place")
        return [Trouble(Kind(kind), *rest) for kind, *rest in rows]

    def leave_unknown(self, thing: str, reason: str, *, silent: bool = False) -> None:
        """`silent`: it was asked for, and nobody answered."""
        self._db.execute("INSERT OR REPLACE INTO unknown VALUES (?, ?, ?)", (thing, reason, int(silent)))

    def forget_unknowns(self) -> None:
        self._db.execute("DELETE FROM unknown")

    def unknowns(self, *, silent: bool | None = None) -> list[tuple[str, str]]:
        """(thing, reason); those alone where nobody answered, or where somebody did, if that is said."""
        query = "SELECT thing, reason FROM unknown WHERE ?1 IS NULL OR silent = ?1 ORDER BY thing"
        return self._rows(query, None if silent is None else int(silent))

    def counts(self) -> dict[str, int]:
        """How much there is, and how much of it was read."""
        ((artifacts, read),) = self._rows("SELECT count(*), coalesce(sum(done), 0) FROM artifact")
        ((blobs, blobs_read),) = self._rows("SELECT count(*), coalesce(sum(done), 0) FROM blob")
        ((troubles,),) = self._rows("SELECT count(*) FROM (SELECT DISTINCT kind, digest FROM trouble)")
        return {
            "artifacts": artifacts,
            "artifacts_read": read,
            "blobs": blobs,
            "blobs_read": blobs_read,
            "troubles": troubles,
        }

    def _rows(self, query: str, *values: object) -> list:
        return self._db.execute(query, values).fetchall()
