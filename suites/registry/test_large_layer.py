"""Layers as real images have them."""

import time
from contextlib import closing

from harbor_verify.checks import check
from harbor_verify.errors import UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.settings import Settings
from harbor_verify.target import Target

_TOO_LARGE = 413


@check(
    "registry.large-layer",
    hint="413 is the front door's limit: {body_limit}. A time-out: {buffering}, so that nothing waits for the whole "
    "layer. A 5xx: what holds the images may be full.",
    source="nginx: client_max_body_size; OCI distribution specification; goharbor/harbor-operator report 62",
    builds_on=(
        "registry.pushed-on-one-pulled-on-every",
        "configuration.registry-config-in-effect",
        "configuration.registry-trusts-token-key",
        "database.grants-sufficient",
    ),
)
def test_a_large_layer_passes_the_front_door_and_is_on_every_replica(
    harbor: Target, findings: Findings, project, new_image, settings: Settings, measured
):
    """A layer of many MiB is pushed through the front door and pulled, byte for byte, from there and every replica.

    Source: OCI distribution specification. Its size is a setting (--large-layer-mib).
    """
    replicas = harbor.replicas(Role.REGISTRY)
    image, repository = new_image(settings.large_layer_mib * 2**20), f"{project}/large"
    size = f"a layer of {settings.large_layer_mib} MiB"
    front_door = f"front door {harbor.access.url}"
    with closing(harbor.new_front_door_link()) as link:
        front = harbor.front_registry_for_all(link)
        begun_s = time.monotonic()
        with findings.about(front_door, f"takes {size}") as push:
            try:
                front.push(image, repository, "large")
            except UnexpectedAnswer as answer:
                limited = answer.status == _TOO_LARGE
                push.wrong(
                    f"{answer}" + (": the front door limits how large a request may be" if limited else "")
                )
        if findings.offenders:
            return
        measured["push_mib_per_s"] = round(settings.large_layer_mib / (time.monotonic() - begun_s), 1)
        begun_s = time.monotonic()
        places = [(front_door, front), *((each.object, harbor.registry(each)) for each in replicas)]
        for place, registry in places:
            with findings.about(place, f"gives {size} that the front door took") as pull:
                if registry.pull(repository, image.digest) != image:
                    pull.wrong("gives another one")
        measured["pull_mib_per_s"] = round(
            len(places) * settings.large_layer_mib / (time.monotonic() - begun_s), 1
        )
