"""The distilled recordings say what the recordings of the real programs say."""

import pytest

from tests.contract.harbor_2 import recordings

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
        if original != exchange:
            wrong.append(f"{exchange['name']}\n    recorded  {original}\n    distilled {exchange}")
    assert not wrong, "\n".join(wrong)
