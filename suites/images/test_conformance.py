"""The OCI distribution conformance suite finds the same everywhere."""

from collections import Counter

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.target import Target


@check(
    "images.conformance-same-on-every-replica",
    hint="The check's folder has the conformance suite's own report of each place, and a list of what failed. A "
    "replica that differs: its version, its configuration, its storage; compare its image and its environment with its "
    "siblings'. Only the front door differs: what stands in front changes requests or answers (methods, Range, "
    "Content-Type, empty bodies). What fails everywhere is what Harbor's registry leaves out of the standard.",
    source="OCI distribution specification 1.1: conformance suite",
    needs=("conformance",),
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "images.head-agrees-with-get",
        "images.upload-forms",
        "images.referrers-listed",
    ),
)
def test_the_conformance_suite_finds_the_same_everywhere(
    harbor: Target, findings: Findings, conformance_of, measured, tell
):
    """The OCI conformance suite finds the same on every replica that docker clients speak to, and at the front door.

    Source: the suite itself, in its form of 2026. Not that every test passes: the registry in Harbor leaves some out.
    That a request of it got no answer at one place alone is neither: images.upload-forms and others ask that again.
    """
    places = {f"front door {harbor.access.url}": None}
    places |= {replica.object: replica for replica in harbor.registry_api_replicas()}
    results = {}
    for thing, replica in places.items():
        tell(f"the conformance suite runs against {thing}")
        with findings.about(thing, "the conformance suite comes to a result"):
            results[thing] = conformance_of(replica)
    if not results:
        return
    usual = Counter(result.failed for result in results.values()).most_common(1)[0][0]
    expected = f"fails the same {sum(number for _, number in usual)} tests as the others"
    for thing, result in results.items():
        with findings.about(thing, expected) as place:
            more = sorted(name for name, _ in result.failed - usual)
            if more and result.unanswered.issuperset(more):
                place.unknown(f"got no answer, where others did: {_some(more)}")
            elif more:
                place.wrong(f"fails otherwise: {_some(more)}")
            elif fewer := sorted(name for name, _ in usual - result.failed):
                place.wrong(f"passes, or does not know: {_some(fewer)}")
    measured["conformance_failed_count"] = sum(number for _, number in usual)


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + rest
