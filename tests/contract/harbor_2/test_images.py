"""The checks of suites/images are green on a sound Harbor, of 2.12 and of 2.15."""

from collections.abc import Callable, Iterator

import pytest

from harbor_verify.clients.harbor import Credentials
from harbor_verify.profiles.harbor_2 import PROFILE
from tests.contract.harbor_2.front import open_front
from tests.contract.harbor_2.stack import ADMIN_PASSWORD, Stack
from tests.contract.images_area import CHECKS, open_area

_CORES = ("core-a", "core-b")


@pytest.fixture(scope="module", params=["2.12", "2.15"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[str], None]]:
    stack = Stack(request.param)
    try:
        stack.start()
        with (
            open_front([stack[name].port for name in _CORES]) as front,
            open_area(
                {"front-door": front, **{name: stack.url(name) for name in _CORES}},
                profile=PROFILE,
                tokens_of=stack.url("core-a"),
                administrator=Credentials("admin", ADMIN_PASSWORD),
            ) as run,
        ):
            yield run
    finally:
        stack.end()


@pytest.mark.parametrize("id", CHECKS)
def test_a_sound_harbor_passes(run: Callable[[str], None], id: str) -> None:
    run(id)
