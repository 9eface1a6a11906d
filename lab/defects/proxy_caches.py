"""A proxy cache that somebody has made, with an image in it, of a registry that is or is not away."""

from functools import partial

from lab.defects import Lab, left_images

PROJECT, REGISTRY = "lab-cache", "lab-upstream"
TAKES = frozenset({REGISTRY, left_images.REPOSITORY})
"""An image there is of the same layer, and the registry's cache is emptied for both."""
_REPOSITORY = f"{PROJECT}/kept"


def add(lab: Lab, *, upstream: str) -> None:
    """`upstream`: what Harbor calls the registry behind it, healthy or unhealthy."""
    remove(lab)
    left_images.ask(
        lab, "POST", "/api/v2.0/projects", f'{{"project_name": "{PROJECT}"}}'.encode(), expected=(201, 409)
    )
    left_images.leave(lab, _REPOSITORY)
    add_registry(lab, upstream)
    lab.sql(
        f"UPDATE project SET registry_id = (SELECT id FROM registry WHERE name = '{REGISTRY}') WHERE name = '{PROJECT}'"
    )


def remove(lab: Lab) -> None:
    lab.sql(f"UPDATE project SET registry_id = NULL WHERE name = '{PROJECT}'")
    left_images.remove(lab, _REPOSITORY)
    left_images.ask(lab, "DELETE", f"/api/v2.0/projects/{PROJECT}", expected=(200, 403, 404))
    remove_registry(lab)


def damaged(script: str) -> tuple:
    """(plant, heal): a cache whose registry is well, and `script` run where a layer of its image lies."""

    def plant(lab: Lab) -> None:
        add(lab, upstream="healthy")
        left_images.in_volume(lab, f"cd {left_images.folder_of(left_images.DIGEST)} && {script}")
        left_images.forget(left_images.DIGEST, _REPOSITORY)

    return plant, remove


def add_registry(lab: Lab, health: str) -> None:
    remove_registry(lab)
    lab.sql(
        f"""INSERT INTO registry (name, url, credential_type, access_key, access_secret, type, health)
            VALUES ('{REGISTRY}', 'https://upstream.invalid', 'basic', '', '', 'docker-registry', '{health}')"""
    )


def remove_registry(lab: Lab) -> None:
    lab.sql(f"DELETE FROM registry WHERE name = '{REGISTRY}'")


away = partial(add, upstream="unhealthy")
