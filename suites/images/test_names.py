"""Long names, and long lists of names."""

from contextlib import closing

from harbor_verify.checks import SHOULD, check
from harbor_verify.clients import registry_asks
from harbor_verify.clients.registry import Registry
from harbor_verify.doors import Door, behind, with_next
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.replica_coverage import rounds_to_meet_each
from harbor_verify.target import Target

_DEEP = "team/service-a/env.staging/arch_64/build__7/x/y/z"
_LONGEST_TAG = 128
_TAGS = [f"t-{number}" for number in range(1, 6)]
_PAGE = 2


@check(
    "images.long-names",
    hint="A deep repository that is refused: the front door's `location` takes one or two parts only, or "
    "the ingress rewrites the path; `/v2/` must go through as a prefix. 414 or 400 for the long tag: "
    "large_client_header_buffers. A tag of 129 characters that is taken: no registry takes one, see what "
    "answers there.",
    source="OCI distribution specification: names of repositories and tags",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_deep_repositories_and_long_tags_are_taken(doors: list[Door], findings: Findings, project, new_image):
    """A repository of nine parts and a tag of 128 characters are taken; a tag of 129 characters is refused.

    Source: OCI distribution specification. What one replica took is read from the next, the front door among
    them.
    """

    def examine(each: tuple[Door, Door], findings: Findings) -> None:
        taker, giver = each
        image, repository = new_image(), f"{project}/{_DEEP}/{taker.name}"
        tag = f"{taker.name}-".ljust(_LONGEST_TAG, "x")
        is_there = False
        with findings.about(taker.object, f"takes {repository} and a tag of {_LONGEST_TAG} characters"):
            taker.registry.push(image, repository, tag)
            is_there = True
        if not is_there:
            return
        with findings.about(giver.object, f"gives {repository} by that tag, and lists it") as pull:
            if giver.registry.pull(repository, tag) != image:
                pull.wrong("gives another image")
            elif tag not in (listed := registry_asks.tags(giver.registry, repository).names):
                pull.wrong(f"lists {', '.join(listed) or 'no tags'}")
        with findings.about(taker.object, f"refuses a tag of {_LONGEST_TAG + 1} characters") as refusal:
            try:
                taker.registry.push_manifest(repository, f"{tag}x", image.manifest)
            except UnexpectedAnswer as answer:
                if not 400 <= answer.status < 500:
                    raise
            else:
                refusal.wrong("it was taken")

    findings.side_by_side(with_next(doors), examine)


@check(
    "images.tag-pages",
    hint="Whole lists in place of pages on the front door only: it drops the query (`?n=…&last=…`). Tags "
    "that are missing or come twice: replicas do not share the place where tags are kept (the database, or "
    "the storage of the registry). No Link: the front door drops that header, and clients miss every tag "
    "after the first page.",
    source="OCI distribution specification: listing tags (n, last, Link)",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_tags_are_listed_page_by_page(
    doors: list[Door], findings: Findings, project, new_image, not_applicable
):
    """Page by page every replica lists each tag once, no more than asked for at a time, and after any tag the next.

    Source: OCI distribution specification. A registry that gives all tags at once, whatever is asked for, has
    no pages; all replicas must do the same.
    """
    image, repository, taker = new_image(), f"{project}/pages", behind(doors)[0]
    with findings.about(taker.object, f"takes an image under {len(_TAGS)} tags"):
        taker.registry.push(image, repository, _TAGS[0])
        for tag in _TAGS[1:]:
            taker.registry.push_manifest(repository, tag, image.manifest)
    if findings.offenders:
        return

    def examine(door: Door, findings: Findings) -> registry_asks.Page | None:
        with findings.about(door.object, f"lists {', '.join(_TAGS)}") as whole:
            listed = registry_asks.tags(door.registry, repository).names
            if sorted(listed) != _TAGS:
                whole.wrong(f"lists {', '.join(listed) or 'none'}")
                return None
            return registry_asks.tags(door.registry, repository, n=_PAGE)
        return None

    answers = zip(doors, findings.side_by_side(doors, examine), strict=True)
    pages = {door: page for door, page in answers if page}
    paging = {door: page for door, page in pages.items() if sorted(page.names) != _TAGS}
    if pages and not paging and not findings.offenders:
        not_applicable(f"the registry has no pages of tags: asked for {_PAGE} it gives all, on every replica")
    for door, page in pages.items() if paging else ():
        with findings.about(door.object, f"lists the tags in pages of {_PAGE}, each once") as paged:
            if wrong := _wrong_pages(door, repository, page):
                paged.wrong(wrong)
        middle = _TAGS[1]
        expected = f"lists {_TAGS[2]} and {_TAGS[3]} when asked for {_PAGE} after {middle}"
        with findings.about(door.object, expected) as rest:
            found = registry_asks.tags(door.registry, repository, n=_PAGE, last=middle).names
            if found != _TAGS[2:4]:
                rest.wrong(f"lists {', '.join(found) or 'none'}")


def _wrong_pages(door: Door, repository: str, page: registry_asks.Page) -> str:
    """What is wrong with the pages from the first one on; empty: nothing. Raises AnswerError."""
    listed = [page.names]
    while page.next and len(listed) <= len(_TAGS):
        page = registry_asks.tags_at(door.registry, repository, page.next)
        listed.append(page.names)
    seen = " | ".join(", ".join(tags) or "none" for tags in listed)
    if any(len(tags) > _PAGE for tags in listed):
        return f"a page is too long: {seen}"
    if [tag for tags in listed for tag in tags] != _TAGS:
        return f"{seen}" + ("" if page.next or len(listed) > 1 else ", and no Link to more")
    return ""


@check(
    "images.catalogue-pages",
    hint="Other repositories than those that come next, or all of them: the front door drops the query (`?n=…&last=…`) "
    "of `/v2/_catalog`. No Link: it drops that header, and whoever reads the list (scanners, replication, backups) "
    "misses all after the first page. 403 or 404: it keeps the list from everybody; leave that, if it is meant.",
    source="OCI distribution 2.x: listing repositories (n, last, Link); Harbor: the catalogue is for administrators",
    severity=SHOULD,
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_repositories_are_listed_page_by_page(
    harbor: Target, doors: list[Door], findings: Findings, project, new_image
):
    """Through the front door the administrator gets all repositories page by page, and after any of them the next.

    Source: OCI distribution (`n`, `last` and Link of /v2/_catalog). Nobody else may list them, and the administrator's
    password goes to the front door alone; so it is asked again and again, as another replica answers each time. What is
    asked for begins at a repository of this run, however many others there are. The second page is asked for once:
    where the registry itself answers, it walks through all of its repositories for each.
    """
    image, taker = new_image(), behind(doors)[0]
    names = [f"{project}/listed-{number}" for number in range(1, 6)]
    with findings.about(taker.object, f"takes an image in each of {len(names)} repositories"):
        for name in names:
            taker.registry.push(image, name, "one")
    if findings.offenders:
        return
    expected = f"lists what comes after {names[0]} in pages of {_PAGE}: {', '.join(names[1:])}"
    with findings.about(f"front door {harbor.access.url}", expected) as listing:
        for number in range(rounds_to_meet_each(len(harbor.registry_api_replicas()))):
            with closing(harbor.new_front_door_link()) as link:
                front = harbor.front_registry_for_all(link, harbor.credentials)
                if wrong := _wrong_catalogue(front, names, follow=number == 0):
                    listing.wrong(wrong)
                    break


def _wrong_catalogue(registry: Registry, names: list[str], *, follow: bool) -> str:
    """What is wrong with the page after the first of `names`, with `follow` also with the one that its Link leads to;
    empty: nothing. Raises AnswerError.
    """
    page = registry_asks.catalogue(registry, n=_PAGE, last=names[0])
    if page.names != names[1 : 1 + _PAGE]:
        return f"the first page is {_some(page.names)}"
    if not page.next:
        return f"{_some(page.names)}, and no Link to more"
    if follow and (found := registry_asks.catalogue_at(registry, page.next).names) != names[1 + _PAGE :]:
        return f"the page that the first one's Link leads to is {_some(found)}"
    return ""


def _some(names: list[str]) -> str:
    some = ", ".join(names[: _PAGE + 1]) or "empty"
    return some + (f" and {len(names) - _PAGE - 1} more" if len(names) > _PAGE + 1 else "")
