"""What Harbor 2.x's database is asked about images: pages, and what is done with rows."""

from harbor_verify.model.contents import BlobRow, Known
from harbor_verify.profiles.harbor_2 import contents as module

CONTENTS = module.Harbor2Contents()


class Rows:
    """A database whose tables are lists: the answer to a page begins behind the id that was asked for."""

    def __init__(self, rows):
        self._rows, self.asked = rows, []

    def rows(self, query, *values):
        self.asked.append((query, values))
        if "LIMIT" not in query or "id >" not in query:
            return self._rows
        above, most = values
        return [row for row in self._rows if row[0] > above][:most]


def test_artifacts_blobs_and_holdings_come_a_page_at_a_time(monkeypatch):
    monkeypatch.setattr(module, "_PAGE", 2)
    artifacts = Rows([(number, "p/r", f"sha256:{number}") for number in (1, 4, 9)])
    assert list(CONTENTS.artifacts(artifacts)) == [Known("p/r", f"sha256:{number}") for number in (1, 4, 9)]
    assert [values for _, values in artifacts.asked] == [(0, 2), (4, 2), (9, 2)]
    assert "registry_id" in artifacts.asked[0][0]  # proxy caches are left out
    assert list(CONTENTS.blobs(Rows([(1, "sha256:a", 5, "none", 60.0)]))) == [
        BlobRow("sha256:a", 5, "none", 60.0)
    ]
    assert list(CONTENTS.holdings(Rows([(1, "sha256:m", "sha256:a")]))) == [("sha256:m", "sha256:a")]


def test_single_questions():
    assert CONTENTS.recorded(Rows([("sha256:a",)]), ["sha256:a", "sha256:b"]) == {"sha256:a"}
    assert CONTENTS.has(Rows([(1,)]), Known("p/r", "sha256:m"))
    assert not CONTENTS.has(Rows([]), Known("p/r", "sha256:m"))
    left = CONTENTS.left_deleting(Rows([("sha256:d", 5, "deleting", 700)]), 600)
    assert left == [BlobRow("sha256:d", 5, "deleting", 700.0)]
