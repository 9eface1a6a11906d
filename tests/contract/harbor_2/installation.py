"""The installation that artifacts, quotas and robots were recorded in: its projects, with the ids they had there."""

from tests.contract.harbor_2 import images
from tests.contract.harbor_2.images import Image
from tests.contract.harbor_2.replay import Client


def make(client: Client) -> dict[str, Image]:
    """Projects p1, p2, p3, p6 (private), images in library and p1; the images by repository."""
    for name, expected in (("p1", 201), ("p2", 201), ("p2", 409), ("p3", 201), ("p4", 201), ("p6", 201)):
        status, _, answer = client.api(
            "POST", "/projects", {"project_name": name, "metadata": {"public": "false"}}
        )
        assert status == expected, (name, status, answer)
    assert client.api("DELETE", "/projects/p4")[0] == 200
    return {
        repository: images.push(client, repository, "1")
        for repository in ("library/same0", "library/busybox", "p1/busybox")
    }
