"""The pulse tells how starved the machine that asks is, and nothing that it could not read."""

import threading
import time

from harbor_verify.checkers.pulse import pulse
from harbor_verify.history import Recorder
from harbor_verify.history.pulse import PULSE, Starved, starved, starved_during
from harbor_verify.workloads.pulse import Pulse
from tests.unit.handwritten import disrupted, event, history, op


def kernel(folder, *, stalled_us, steal):
    (folder / "pressure").mkdir(exist_ok=True)
    (folder / "pressure" / "cpu").write_text(
        f"some avg10=61.89 avg60=71.82 avg300=72.98 total={stalled_us}\nfull avg10=0.00 total=0\n"
    )
    (folder / "stat").write_text(f"cpu  1 2 3 4 5 6 7 {steal} 0 0\ncpu0 1 2 3 4 5 6 7 0 0 0\n")


def pulses(recorder):
    return [each.value for each in recorder.history().events if each.name == PULSE]


def test_each_pulse_tells_what_the_kernel_counted_since_the_one_before(tmp_path):
    kernel(tmp_path, stalled_us=1_000_000, steal=0)
    recorder = Recorder()
    with Pulse(recorder, proc=tmp_path):
        time.sleep(0.1)
        kernel(tmp_path, stalled_us=1_040_000, steal=100)
    (told,) = pulses(recorder)
    assert told["stalled_ms"] == 40
    assert told["stolen_ms"] > 0
    assert told["ms"] >= 100
    assert told["late_ms"] >= 0


def test_what_the_kernel_does_not_tell_is_left_out(tmp_path):
    recorder = Recorder()
    with Pulse(recorder, proc=tmp_path):
        pass
    assert set(pulses(recorder)[0]) == {"ms", "late_ms"}


def test_it_tells_twice_a_second_and_stops(tmp_path):
    recorder = Recorder()
    with Pulse(recorder, proc=tmp_path):
        time.sleep(1.2)
    assert 2 <= len(pulses(recorder)) <= 3
    assert not [each for each in threading.enumerate() if each.name == "pulse"]


def test_a_time_has_its_part_of_each_pulse():
    events = [
        event(1000, "suite", PULSE, ms=500, late_ms=100),
        event(1500, "suite", PULSE, ms=500, late_ms=40),
    ]
    made = history([], events)
    assert starved(made, 0, 2_000_000_000).late_ms == 140
    assert starved(made, 750_000_000, 1_250_000_000).late_ms == 70
    assert starved(made, 1_600_000_000, 1_700_000_000).ms == 0


def test_an_operation_that_never_ended_was_under_way_to_the_end_of_the_history():
    pulses = [event(at, "suite", PULSE, ms=500, late_ms=100) for at in (500, 1000, 1500, 2000)]
    made = history([], pulses, end_ms=1500)
    assert starved_during(made, op(500, None, None)) == Starved(late_ms=200)
    assert starved_during(made, op(500, 1000)) == Starved(late_ms=100)


def test_the_share_of_the_time_is_measured_and_no_verdict():
    events = [*disrupted(0, 1000), event(1000, "suite", PULSE, ms=1000, late_ms=100, stalled_ms=620)]
    judgement = pulse(history([], events))
    assert judgement.valid is True
    assert judgement.measured == {"starved_percent": 62.0}
    assert pulse(history([], disrupted(0, 1000))).measured == {}
