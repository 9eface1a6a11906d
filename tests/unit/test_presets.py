"""Which checks a preset has."""

from fnmatch import fnmatchcase

from docs.catalogue import checks_of_suites
from harbor_verify import presets

CHECKS = {check.id: check for check in checks_of_suites()}
SMOKE, GATE, NIGHTLY = presets.ALL


def marks(check):
    """As harbor_verify/checks.py gives them, of needs."""
    return ["disruption"] * ("disruption" in check.needs)


def has(preset):
    return {id for id, check in CHECKS.items() if preset.has(id, marks(check))}


def test_every_pattern_fits_a_check():
    for preset in presets.ALL:
        for pattern in (*preset.only, *preset.without):
            assert any(fnmatchcase(id, pattern) for id in CHECKS), pattern


def test_neither_smoke_nor_the_gate_breaks_anything_and_nightly_has_all():
    assert has(NIGHTLY) == set(CHECKS)
    for preset in (SMOKE, GATE):
        assert not [id for id in has(preset) if "disruption" in CHECKS[id].needs]
    assert len(has(SMOKE)) == len(SMOKE.only)


def test_the_gate_has_every_must_of_the_deployment():
    left_out = {id for id, check in CHECKS.items() if check.area in ("configuration", "database")} - has(GATE)
    assert not left_out
