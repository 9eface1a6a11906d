"""Whether an image that was pushed comes back as it was: manifest, configuration and every layer, byte by byte."""

import json

from harbor_verify.builds.ladder import Built
from harbor_verify.clients import registry_asks
from harbor_verify.clients.image import descriptors_of
from harbor_verify.clients.registry import Registry
from harbor_verify.findings import Findings


def compare(findings: Findings, thing: str, registry: Registry, built: Built, digest: str) -> int:
    """Read all of an image from one place; returns the bytes of manifest, configuration and layers together.

    Offenders: bytes of another digest, sizes that the manifest tells otherwise, layers that are not those built.
    """
    total = 0
    with findings.about(thing, f"gives {built.repository}@{digest} as it was pushed") as image:
        manifest, _ = registry.manifest(built.repository, digest)
        total = len(manifest)
        for descriptor in descriptors_of(manifest):
            came, length = registry_asks.stream_digest(registry, built.repository, descriptor["digest"])
            total += length
            if came != descriptor["digest"]:
                image.wrong(f"{descriptor['digest']} comes as {length} bytes of digest {came}")
            if length != descriptor["size"]:
                size = descriptor["size"]
                image.wrong(f"{descriptor['digest']} has {length} bytes, and the manifest says {size}")
        configuration = json.loads(registry.blob(built.repository, descriptors_of(manifest)[0]["digest"]))
        layers = tuple(configuration.get("rootfs", {}).get("diff_ids", ()))
        if layers != built.layers:
            image.wrong(
                f"its configuration names layers {layers}", expected=f"layers {built.layers}, as built"
            )
    return total
