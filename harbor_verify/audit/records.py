"""What the database and the API say of images: listed into a notebook, and compared with what manifests say."""

from collections.abc import Callable, Iterable, Iterator

from harbor_verify.audit.kinds import Kind, Trouble
from harbor_verify.audit.notebook import Notebook
from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.clients.sql import Sql
from harbor_verify.model.contents import BlobRow, Contents, Known

SURELY_LEFT_S = 600
"""A garbage collection that works deletes a blob within seconds of saying so."""
WINDOW_S = 7200
"""What is younger may belong to a push that has not ended. Source: Harbor, GC_TIME_WINDOW_HOURS."""
_PAGE = 1000


def list_api(notebook: Notebook, api: Harbor, credentials: Credentials, tick: Callable[[], None]) -> None:
    """All artifacts that the API lists, but for proxy caches'. Raises AnswerError."""
    for _, project in sorted(api.projects("", credentials).items()):
        if project.is_proxy:
            continue
        for repository in api.repositories(project, credentials):
            notebook.add_artifacts(
                (Known(repository, digest) for digest in api.artifacts(repository, credentials)), "api"
            )
            tick()


def list_database(notebook: Notebook, contents: Contents, sql: Sql, tick: Callable[[], None]) -> None:
    """All artifacts, then all blobs and what is made of them: who is pushed meanwhile is not missed. Raises
    StoreRefused."""
    for page in _pages(contents.artifacts(sql)):
        notebook.add_artifacts(page, "database")
        tick()
    for holdings in _pages(contents.holdings(sql)):
        notebook.add_holdings(holdings)
        tick()
    for rows in _pages(contents.blobs(sql)):
        notebook.add_recorded(rows)
        tick()


def compare(notebook: Notebook, contents: Contents, sql: Sql, api: Harbor, credentials: Credentials) -> None:
    """Tell what the database has not, or has left over. What has changed meanwhile is asked for again.

    Raises StoreRefused, AnswerError.
    """
    place = "database"
    for known in list(notebook.of_origin("api")):
        if not contents.has(sql, known) and api.has_artifact(known.repository, known.digest, credentials):
            observed = "the API has it, the database that Harbor's settings name has not"
            notebook.tell([Trouble(Kind.UNRECORDED, known.digest, known.repository, place, observed)])
    for known, blob in notebook.unprotected():
        if contents.has(sql, known):
            observed = f"{known} is made of it, and artifact_blob does not say so"
            notebook.tell([Trouble(Kind.UNPROTECTED, blob, known.repository, place, observed)])
    for row in contents.left_deleting(sql, SURELY_LEFT_S):
        notebook.tell([left_deleting(row)])


def left_deleting(row: BlobRow) -> Trouble:
    """A row that a garbage collection has left, as trouble."""
    observed = f"status {row.status} for {row.age_s / 3600:.1f} h"
    return Trouble(Kind.DELETING, row.digest, "", "database", observed)


def _pages(rows: Iterable) -> Iterator[list]:
    page = []
    for row in rows:
        page.append(row)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page
