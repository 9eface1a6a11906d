"""Reading all parts of a baseline from a Harbor, one after the other; what cannot be read is told, and passed by."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from harbor_verify.baseline import cluster
from harbor_verify.baseline.fingerprints import Fingerprints
from harbor_verify.errors import HarnessError
from harbor_verify.model.upgrades import Entry, Item, Listing, Unread
from harbor_verify.redaction import Redaction
from harbor_verify.target import Target
from harbor_verify.verdict import Failure

_NAMES_ONLY = frozenset({"images", "secrets"})
"""Parts that hold no text in which a secret could stand: a tag is not changed because it is called like a password."""
AGAIN = frozenset(
    {"projects", "images", "members", "users", "robots", "quotas", "policies", "schedules", "registries"}
)
"""Parts that come in pages: who deletes something meanwhile moves another thing from one page to the one before."""


@dataclass(frozen=True)
class Reader:
    """Reads the parts. `down`: why nothing can be asked of Harbor itself; empty: it can."""

    target: Target
    fingerprints: Fingerprints
    redaction: Redaction
    remark: Callable[[str], None]
    down: str = ""

    def listings(self) -> Mapping[str, Listing]:
        """By part, in the order in which they are read."""
        target, upgrade = self.target, self.target.profile.upgrade
        of_harbor: dict[str, Listing] = {
            "versions": lambda: cluster.versions(target),
            "latency": lambda: cluster.latency(target),
        }
        if upgrade:
            of_harbor |= upgrade.lists(target.front_door, target.credentials, self.remark)
        return {
            "deployment": lambda: cluster.deployment(target),
            "workloads": lambda: cluster.workloads(target),
            "claims": lambda: cluster.claims(target),
            "secrets": lambda: cluster.secrets(target, self.fingerprints),
            "schema": lambda: cluster.schema(target),
            **{name: self.silent if self.down else listing for name, listing in of_harbor.items()},
        }

    def entries(self, part: str, listing: Listing) -> Iterator[Item]:
        """Without secrets. What could not be read of a part, or of the rest of it, is `Unread`, at its end."""
        try:
            for each in listing():
                if isinstance(each, Unread):
                    yield Unread(each.key, self.redaction.text(each.why))
                elif part in _NAMES_ONLY:
                    yield each
                else:
                    # Its key may be the name of a secret: a setting is a key and a value.
                    clean = self.fingerprints.without_secrets({each.key: each.value}, self.redaction)
                    yield Entry(each.key, clean[each.key], each.beside)
        except (HarnessError, Failure) as reason:
            yield Unread("", self.redaction.text(str(reason)))
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            yield Unread("", self.redaction.text(f"it was answered in another form: {wrong!r}"))

    def silent(self) -> Iterator[Item]:
        """In the place of what would be asked of a Harbor that is down."""
        yield Unread("", self.down)
