"""The operator's words, narrowed to what this deployment is: an Ingress where there is one, the claim by its name."""

from dataclasses import replace
from typing import Any

from harbor_verify.facts.model import Exposure, Fact, Facts, ImageStore, StorePlace
from harbor_verify.model.words import Words

_OF_INGRESS_NGINX = "other controllers have settings of their own"
_FRONT: dict[Exposure, dict[str, str]] = {
    Exposure.OWN_PROXY: {
        "front_door": "nginx",
        "body_limit": "`client_max_body_size 0;` in the server of Harbor's nginx, and whatever proxy stands before it",
    },
    Exposure.INGRESS: {
        "front_door": "the ingress controller",
        "body_limit": 'the annotation nginx.ingress.kubernetes.io/proxy-body-size: "0" of {place} '
        f"({_OF_INGRESS_NGINX}), and whatever proxy stands before it",
        "buffering": "the annotations proxy-read-timeout, proxy-send-timeout and "
        f'proxy-request-buffering: "off" of nginx.ingress.kubernetes.io ({_OF_INGRESS_NGINX})',
        "try_another": "the annotations proxy-next-upstream and proxy-connect-timeout of nginx.ingress.kubernetes.io; "
        f"{_OF_INGRESS_NGINX}",
    },
    Exposure.ROUTE: {
        "front_door": "the gateway",
        "body_limit": "a policy of the gateway behind {place}, and whatever proxy stands before it",
        "buffering": "the time-outs of {place} and of its gateway, which must not buffer requests",
        "try_another": "retries and time-outs of {place}",
    },
    Exposure.UNKNOWN: {"front_door": "what stands in front of Harbor"},
}
_SHARED_OBJECTS = (
    "Let every registry replica name the same bucket and rootdirectory in the storage section of {place}"
)
_IMAGES: dict[ImageStore, dict[str, str]] = {
    ImageStore.CLAIMS: {
        "shared_images": "Let every registry replica mount the same ReadWriteMany claim, without a subPath that "
        "differs by pod or node ({detail})",
    },
    ImageStore.OBJECT_STORE: {
        "shared_images": _SHARED_OBJECTS,
        "slow_images": "how fast the object store answers the registry's pods ({detail})",
    },
    ImageStore.INLINE_VOLUME: {
        "shared_images": "Let every registry replica mount the same volume, one that many nodes can write to "
        "({detail}); its pod template names it, no claim does",
    },
    ImageStore.CONTAINER: {
        "shared_images": "Give all registry replicas one ReadWriteMany claim, or the same object storage: images are "
        "in {detail}",
        "slow_images": "the node's disk: images are in {detail}",
    },
    ImageStore.UNKNOWN: {},
}
_DATABASE: dict[StorePlace, str] = {
    StorePlace.IN_CLUSTER: "the endpoints of {place}, and the pods behind it",
    StorePlace.OUTSIDE: "the name of its host as pods resolve it, and the firewall or load balancer between",
}

NARROWED = ("body_limit", "buffering", "try_another", "shared_images", "slow_images", "way_to_database")
"""The words that only facts narrow: a generation says nothing about them."""


def words_of(words: Words, facts: Facts) -> Words:
    """A generation's words, with those that the facts of this deployment say more exactly."""
    narrowed = {
        **_filled(_FRONT[facts.exposure.value], facts.exposure),
        **_filled(_IMAGES[facts.images.value], facts.images),
    }
    if way := _DATABASE.get(facts.database.value):
        narrowed |= _filled({"way_to_database": way}, facts.database)
    return replace(words, **narrowed)


def _filled(templates: dict[str, str], fact: Fact[Any]) -> dict[str, str]:
    """The general word stays where an overridden fact does not say what the exact one needs."""
    filled = {}
    for name, template in templates.items():
        overridden = fact.source == "said by --facts"
        if overridden and ("{place}" in template or "{detail}" in template):
            continue
        filled[name] = template.format(place=fact.source, detail=fact.detail or "see the facts at the top")
    return filled
