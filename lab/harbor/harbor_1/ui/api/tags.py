"""/api/repositories/{repository}/tags"""

import json
from typing import Any

from .... import log
from ....web.response import Response, abort, document, error
from ...configuration import ConfigurationUnavailable
from ..harbor import Call
from ..moments import NEVER
from ..registry_client import SCHEMA_1, RegistryFailure
from ..signing import KeyUnusable
from .guards import project_by_name, require_read


def listing(call: Call) -> Response:
    name = _readable_repository(call)
    try:
        call.harbor.configuration.current()
    except ConfigurationUnavailable as failure:
        log.error(f"error occurred while initializing repository client for {name}: {failure}")
        return abort(500, "internal error")
    try:
        return document([_detail(call, name, tag) for tag in call.harbor.registry.tags(name)])
    except (RegistryFailure, KeyUnusable) as failure:
        log.error(f"failed to get tags of {name}: {failure}")
        return error(500)


def get(call: Call) -> Response:
    name, tag = _readable_repository(call), call.request.parameters["tag"]
    try:
        if call.harbor.registry.digest(name, tag) is None:
            return error(404, f"resource: {name}:{tag} not found")
        return document(_detail(call, name, tag))
    except (RegistryFailure, KeyUnusable) as failure:
        log.error(f"failed to get {name}:{tag}: {failure}")
        return error(500)


def manifest(call: Call) -> Response:
    """As it is stored (version v2), or converted by the registry (v1); with v2 also the image's configuration."""
    name, version = _readable_repository(call), call.request.text("version") or "v2"
    if version not in ("v1", "v2"):
        return abort(400, "version should be v1 or v2")
    registry, tag = call.harbor.registry, call.request.parameters["tag"]
    try:
        if version == "v1":
            return document({"manifest": registry.manifest(name, tag, SCHEMA_1)[1]})
        _, content = registry.manifest(name, tag)
        configuration = registry.blob(name, content["config"]["digest"]).decode()
    except RegistryFailure as failure:
        if failure.status:
            return abort(failure.status, str(failure))
        log.error(f"failed to get the manifest of {name}:{tag}: {failure}")
        return abort(500, "internal error")
    return document({"manifest": content, "config": configuration})


def without_notary(call: Call) -> Response:
    _readable_repository(call)
    return abort(500, "internal error")


def without_clair(call: Call) -> Response:
    _readable_repository(call)
    return error(503)


def _readable_repository(call: Call) -> str:
    name = call.request.parameters["repository"]
    require_read(call, project_by_name(call, name.partition("/")[0]))
    return name


def _detail(call: Call, name: str, tag: str) -> dict[str, Any]:
    """Of what is no Docker manifest (an OCI one, or gone meanwhile): only the name."""
    try:
        digest, content = call.harbor.registry.manifest(name, tag)
        image = json.loads(call.harbor.registry.blob(name, content["config"]["digest"]))
    except RegistryFailure as failure:
        if failure.status != 404:
            raise
        log.error(f"failed to get v2 manifest of {name}:{tag}: {failure}")
        digest, image = "", {}
    return {
        "digest": digest,
        "name": tag,
        "architecture": image.get("architecture", ""),
        "os": image.get("os", ""),
        "docker_version": image.get("docker_version", ""),
        "author": image.get("author", ""),
        "created": image.get("created", NEVER),
        "signature": None,
    }
