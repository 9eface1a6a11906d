"""The distilled recordings say what the recordings of the real programs say."""

import re

import pytest

from tests.contract.harbor_1 import recordings

pytestmark = pytest.mark.skipif(
    not recordings.ORIGINALS.is_dir(), reason=f"the recordings are not there: {recordings.ORIGINALS}"
)


@pytest.mark.parametrize("topic", recordings.topics())
def test_every_distilled_exchange_equals_the_recorded(topic):
    content = recordings.topic(topic)
    wrong = []
    for exchange in content["exchanges"]:
        original = recordings.distilled(
            content["source"], exchange["name"], shape=content.get("shape", False)
        )
        expected = {**exchange, "cookie": _pattern(exchange.get("cookie", ""))}
        if not re.fullmatch(expected.pop("cookie"), original.pop("cookie", "")) or original != expected:
            wrong.append(f"{exchange['name']}\n    recorded  {original}\n    distilled {expected}")
    assert not wrong, "\n".join(wrong)


def _pattern(cookie: str) -> str:
    # Who had logged in when the recording did not tell of it, is told in the distilled one.
    return re.sub(r"\\\{login:\w+\\\}", "[0-9a-f]{32}", re.escape(cookie))
