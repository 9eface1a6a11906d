"""Looking at the page."""

from harbor_verify.clients.harbor import Harbor
from harbor_verify.workloads.work import Result, Work


class PageView(Work):
    """Asks one place for Harbor's page."""

    kind = "page"
    writes = False

    def __init__(self, harbor: Harbor, *, client: str | None = None) -> None:
        """`harbor` is for this view alone: a thread of its own uses it."""
        super().__init__(harbor.name, client=client, uid=harbor.uid)
        self._harbor = harbor

    def do(self) -> Result:
        self._harbor.require_page()
        return Result(status=200)
