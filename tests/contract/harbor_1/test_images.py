"""The checks of suites/images on a sound Harbor of the first generation: green, or not applicable with the reason."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import NotApplicable
from harbor_verify.profiles.harbor_1_2 import PROFILE
from tests.contract.harbor_1.stack import ADMIN_PASSWORD, Stack
from tests.contract.images_area import CHECKS, open_area

_NOT_APPLICABLE = {"images.tag-pages": "gives all"}
"""Debian's registry (2.8) has no pages of tags. It knows OCI types, and no list of referrers."""


@pytest.fixture(scope="module")
def run(stack: Stack) -> Iterator[Callable[[str], None]]:
    registry = stack.url("registry")
    with open_area(
        {"front-door": registry, "registry-1": registry, "registry-2": registry},
        profile=PROFILE,
        tokens_of=stack.url("ui1"),
        administrator=Credentials("admin", ADMIN_PASSWORD),
    ) as run:
        yield run


@pytest.mark.parametrize("id", CHECKS)
def test_a_sound_harbor_passes(run: Callable[[str], None], id: str) -> None:
    reason = _NOT_APPLICABLE.get(id)
    with pytest.raises(NotApplicable, match=reason) if reason else nullcontext():
        run(id)
