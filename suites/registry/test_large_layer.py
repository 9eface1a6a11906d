"""Layers as real images have them."""

import time

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Offender, expecting, judge

_TOO_LARGE = 413


@check(
    "registry.large-layer",
    hint="413 is the front door's limit: `client_max_body_size 0;` in nginx's server (of an ingress: the annotation "
    'nginx.ingress.kubernetes.io/proxy-body-size: "0"). A time-out: proxy_read_timeout and proxy_send_timeout, and '
    "`proxy_request_buffering off;`, so that nothing waits for the whole layer. A 5xx: the volume may be full.",
    source="nginx: client_max_body_size; OCI distribution specification; goharbor/harbor-operator report 62",
)
def test_a_large_layer_passes_the_front_door_and_is_on_every_replica(
    harbor, project, new_image, settings, measured
):
    """A layer of many MiB is pushed through the front door and pulled, byte for byte, from there and every replica.

    Source: OCI distribution specification. Its size is a setting (--large-layer-mib).
    """
    replicas = harbor.replicas(Role.REGISTRY)
    image, repository = new_image(settings.large_layer_mib * 2**20), f"{project}/large"
    size = f"a layer of {settings.large_layer_mib} MiB"
    link = harbor.new_front_door_link()
    try:
        front = harbor.front_registry_for_all(link)
        begun_s = time.monotonic()
        try:
            front.push(image, repository, "large")
        except AnswerError as refusal:
            judge([Offender(f"front door {harbor.access.url}", f"takes {size}", _told(refusal))], examined=1)
        measured["push_mib_per_s"] = round(settings.large_layer_mib / (time.monotonic() - begun_s), 1)
        offenders = []
        begun_s = time.monotonic()
        places = [(f"front door {harbor.access.url}", front)]
        places += [(replica.object, harbor.registry(replica)) for replica in replicas]
        for thing, registry in places:
            with expecting(offenders, thing, f"gives {size} that the front door took"):
                if registry.pull(repository, image.digest) != image:
                    offenders.append(
                        Offender(thing, f"gives {size} that the front door took", "gives another one")
                    )
        measured["pull_mib_per_s"] = round(
            len(places) * settings.large_layer_mib / (time.monotonic() - begun_s), 1
        )
    finally:
        link.close()
    judge(offenders, examined=len(places))


def _told(refusal: AnswerError) -> str:
    limited = isinstance(refusal, UnexpectedAnswer) and refusal.status == _TOO_LARGE
    return f"{refusal}" + (": the front door limits how large a request may be" if limited else "")
