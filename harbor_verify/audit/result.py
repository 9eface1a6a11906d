"""What an audit found: troubles of one blob together, as text for people and as JSON for programs."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harbor_verify.audit.kinds import Kind
from harbor_verify.audit.notebook import Notebook
from harbor_verify.reports.model import Severity

_MOST_OF_A_KIND = 50
_MOST_NAMES = 3


@dataclass(frozen=True)
class Affected:
    """One blob with one kind of trouble, wherever it was seen, and the images that it costs."""

    kind: Kind
    digest: str
    places: list[str]
    repositories: list[str]
    observed: str
    images: list[str]


@dataclass
class Result:
    """A whole audit, or what was done of it. `ended`: in words where it is not whole."""

    affected: list[Affected]
    unknowns: list[tuple[str, str]]
    counts: dict[str, int]
    figures: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    ended: str = ""
    interrupted: bool = False
    replicas: list[str] = field(default_factory=list)
    """Every registry replica that was asked, as places are called."""
    url: str = ""
    ended_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def exit_code(self, *, strict: bool) -> int:
        """As the rest of the command has them: 2 interrupted, 1 something must not be so or is not known, else 0."""
        if self.interrupted:
            return 2
        wrong = [each for each in self.affected if strict or each.kind.severity is Severity.MUST]
        return int(bool(wrong or self.unknowns or self.ended))


def gather(notebook: Notebook) -> list[Affected]:
    """The troubles of a notebook, those of one blob and kind together."""
    found: dict[tuple[Kind, str], list] = {}
    for trouble in notebook.troubles():
        found.setdefault((trouble.kind, trouble.digest), []).append(trouble)
    return [
        Affected(
            kind,
            digest,
            _unique(trouble.place for trouble in troubles),
            _unique(trouble.repository for trouble in troubles if trouble.repository),
            "; ".join(_unique(trouble.observed for trouble in troubles)),
            [str(image) for image in notebook.images_of(digest)],
        )
        for (kind, digest), troubles in sorted(found.items(), key=lambda each: list(Kind).index(each[0][0]))
    ]


def document(result: Result) -> dict[str, Any]:
    """As JSON."""
    return {
        "format": 1,
        "url": result.url,
        "ended_at": result.ended_at.isoformat(timespec="seconds"),
        "ended": result.ended or "whole",
        "counts": result.counts,
        "figures": result.figures,
        "remarks": result.remarks,
        "findings": [
            {
                "kind": each.kind.value,
                "severity": each.kind.severity.value,
                "digest": each.digest,
                "places": each.places,
                "repositories": each.repositories,
                "observed": each.observed,
                "images": each.images,
                "meaning": each.kind.meaning,
                "what_to_do": each.kind.advice,
            }
            for each in result.affected
        ],
        "could_not_be_found_out": [{"thing": thing, "reason": reason} for thing, reason in result.unknowns],
    }


def text(result: Result) -> str:
    """For people, at 3 a.m.: by kind, what it means, where, and what to do."""
    counts, lines = result.counts, []
    for kind in Kind:
        of_kind = [each for each in result.affected if each.kind is kind]
        if not of_kind:
            continue
        advice = ", advice" if kind.severity is Severity.SHOULD else ""
        lines += [f"{kind.value.upper()} ({len(of_kind)}{advice}): {kind.meaning}"]
        lines += [_line(each, result.replicas) for each in of_kind[:_MOST_OF_A_KIND]]
        if len(of_kind) > _MOST_OF_A_KIND:
            lines.append(f"  … and {len(of_kind) - _MOST_OF_A_KIND} more, all in audit.json")
        lines += [f"  What to do: {kind.advice}", ""]
    if result.unknowns:
        lines.append(f"COULD NOT BE FOUND OUT ({len(result.unknowns)})")
        lines += [f"  {thing}: {reason}" for thing, reason in result.unknowns[:_MOST_OF_A_KIND]]
        lines.append("")
    lines += [*result.remarks, _sum(counts, result.figures)]
    wrong = {each.digest for each in result.affected if each.kind.severity is Severity.MUST}
    images = {image for each in result.affected if each.digest in wrong for image in each.images}
    if result.ended:
        lines.append(f"The audit is not whole: {result.ended}.")
    if wrong:
        lines.append(f"Not as it must be: {_number(wrong, 'blob')}, part of {_number(images, 'artifact')}.")
    elif not result.ended and not result.unknowns:
        lines.append("Every image is whole.")
    return "\n".join(lines) + "\n"


def where(each: Affected, replicas: Sequence[str]) -> str:
    """The places of a trouble, in words."""
    if len(replicas) > 1 and set(each.places) == set(replicas):
        return "every registry replica"
    return ", ".join(each.places)


def _line(each: Affected, replicas: Sequence[str]) -> str:
    named = [f"{each.images[0]}" if each.images else ", ".join(each.repositories[:_MOST_NAMES])]
    more = f" and {len(each.images) - 1} more" if len(each.images) > 1 else ""
    of = f", part of {named[0]}{more}" if named[0] else ""
    return f"  {each.digest}{of} at {where(each, replicas)}: {each.observed}"


def _number(things: Collection[object], what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


def _sum(counts: dict[str, int], figures: dict[str, float]) -> str:
    seconds = figures.get("duration_s", 0)
    return (
        f"{counts['artifacts_read']} of {counts['artifacts']} artifacts and {counts['blobs_read']} of "
        f"{counts['blobs']} blobs were read: {figures.get('requests_count', 0):.0f} requests, "
        f"{figures.get('read_bytes', 0) / 2**30:.2f} GiB, {seconds / 60:.1f} min."
    )


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
