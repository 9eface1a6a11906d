"""Facts of a deployment, as data. Pure: no I/O."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from harbor_verify.errors import SettingsError
from harbor_verify.model.roles import Feature, Role

T = TypeVar("T")


class Exposure(StrEnum):
    """What clients come through."""

    OWN_PROXY = "own proxy"
    INGRESS = "ingress"
    ROUTE = "gateway route"
    UNKNOWN = "unknown"


class ImageStore(StrEnum):
    """Where the registry keeps images."""

    CLAIMS = "claims"
    INLINE_VOLUME = "inline volume"
    OBJECT_STORE = "object store"
    CONTAINER = "container"
    """On the container's own file system, or an emptyDir: gone with the pod."""
    UNKNOWN = "unknown"


_ABOUT_IMAGES = frozenset({Feature.IMAGES_ON_VOLUMES, Feature.OBJECT_STORE})
_PROVIDES = {
    ImageStore.CLAIMS: {Feature.IMAGES_ON_VOLUMES},
    ImageStore.INLINE_VOLUME: {Feature.IMAGES_ON_VOLUMES},
    ImageStore.OBJECT_STORE: {Feature.OBJECT_STORE},
    ImageStore.CONTAINER: set(),
    ImageStore.UNKNOWN: _ABOUT_IMAGES,
}
"""Which of them there is; of what is unknown, checks find out themselves."""


def absent_with(images: ImageStore) -> frozenset[Feature]:
    """The features that a deployment has not which keeps images there."""
    return _ABOUT_IMAGES - _PROVIDES[images]


class StorePlace(StrEnum):
    """What the database or the session store stands on."""

    IN_CLUSTER = "in cluster"
    OUTSIDE = "outside"
    MANAGED = "managed service"
    """Run by somebody else, who need not show its servers."""
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Fact(Generic[T]):
    """One thing about a deployment. `source` says where it comes from, `detail` more about it."""

    value: T
    source: str
    detail: str = ""

    def __str__(self) -> str:
        more = f", {self.detail}" if self.detail else ""
        value = {True: "yes", False: "no"}[self.value] if isinstance(self.value, bool) else self.value
        return f"{value}{more} ({self.source})"


@dataclass(frozen=True)
class Facts:
    """All of them. `parts` and `features` are what is there: checks that require another are not applicable."""

    version: Fact[str]
    exposure: Fact[Exposure]
    images: Fact[ImageStore]
    database: Fact[StorePlace]
    session_store: Fact[StorePlace]
    internal_tls: Fact[bool]
    auth_mode: Fact[str]
    parts: Mapping[Role, int]
    """The parts that are there, each with the number of replicas that are asked for."""
    features: frozenset[Feature]

    @property
    def present(self) -> frozenset[Role | Feature]:
        """What is there: what a check requires must be among it."""
        return frozenset(self.parts) | self.features

    def named(self) -> dict[str, Fact[Any]]:
        """By name, those that a setting can override."""
        return {name: getattr(self, name) for name in NAMES}

    def lines(self) -> list[str]:
        """For people, a line a fact."""
        return [f"{name.replace('_', ' ')}: {fact}" for name, fact in self.named().items()]


NAMES = tuple(each.name for each in fields(Facts) if each.name not in ("parts", "features"))
_KINDS: Mapping[str, type[StrEnum]] = {
    "exposure": Exposure,
    "images": ImageStore,
    "database": StorePlace,
    "session_store": StorePlace,
}


def overridden(facts: Facts, text: str) -> Facts:
    """The facts, with those that `text` says otherwise: `exposure=ingress, auth_mode=oidc_auth`.

    Raises SettingsError for a name or a value that there is none of.
    """
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, _, value = (part.strip() for part in word.partition("="))
        name = name.replace("-", "_")
        if name not in NAMES:
            nearest = difflib.get_close_matches(name, NAMES, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else f"; there are {', '.join(NAMES)}"
            raise SettingsError(f"--facts {word}: there is no such fact{hint}")
        given = Fact(_parsed(name, value), "said by --facts")
        facts = replace(facts, **cast(Any, {name: given}))
        if name == "internal_tls" and not given.value:
            facts = replace(facts, features=facts.features - {Feature.INTERNAL_TLS})
        if name == "images":
            facts = replace(facts, features=(facts.features | _ABOUT_IMAGES) - absent_with(given.value))
    return facts


def _parsed(name: str, value: str) -> Any:
    if name == "internal_tls":
        if value not in ("true", "false"):
            raise SettingsError(f"--facts {name}={value}: it is true or false")
        return value == "true"
    kind = _KINDS.get(name)
    if kind is None:
        return value
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(each.value for each in kind)
        raise SettingsError(f"--facts {name}={value}: it is one of {known}") from None
