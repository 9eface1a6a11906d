"""What shows that two places are one Harbor: its projects, with the moment when each was made."""

from types import SimpleNamespace

import pytest

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.profiles import ALL

LIBRARY = {"project_id": 1, "name": "library", "creation_time": "2026-11-23T20:35:55Z"}


def marks(profile, status, body):
    request = SimpleNamespace(method="GET", path_url="/projects")
    answer = SimpleNamespace(
        status_code=status, json=lambda: body, text="", reason="", headers={}, request=request, history=()
    )
    http = SimpleNamespace(get=lambda path, **_: answer)
    return profile.api(http).birth_marks(Credentials("admin", "x"))


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_projects_are_marks_of_their_harbor(profile):
    other = {**LIBRARY, "creation_time": "2019-01-01T00:00:00Z"}
    assert marks(profile, 200, [LIBRARY]) == {"1 library 2026-11-23T20:35:55Z"}
    assert not marks(profile, 200, [LIBRARY]) & marks(profile, 200, [other])
    # Without the moment it may be anybody's library.
    assert marks(profile, 200, [{"project_id": 1, "name": "library"}]) == frozenset()
    assert marks(profile, 200, None) == frozenset()
    with pytest.raises(UnexpectedAnswer):
        marks(profile, 401, {})
