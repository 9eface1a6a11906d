"""Several lanes at once: order of results, and the end after an error."""

import threading
import time
from functools import partial

import pytest

from harbor_verify.side_by_side import side_by_side


def test_results_come_lane_by_lane():
    lanes = [[partial(pow, base, exponent) for exponent in range(3)] for base in (2, 3)]
    assert side_by_side(lanes) == [1, 2, 4, 1, 3, 9]


def test_nothing_to_do_is_done():
    assert side_by_side([]) == []
    assert side_by_side([[], []]) == []


def test_lanes_go_on_side_by_side():
    both = threading.Barrier(2, timeout=5)
    assert sorted(side_by_side([[both.wait], [both.wait]])) == [0, 1]


def test_an_error_ends_all_lanes_and_is_raised():
    failed, after = threading.Event(), []

    def fail():
        failed.set()
        raise ValueError("this one")

    def work():
        after.append(1)
        time.sleep(0.01)

    slow = [partial(failed.wait, 5), *([work] * 1000)]
    with pytest.raises(ValueError, match="this one"):
        side_by_side([slow, [fail]])
    assert len(after) < 1000
