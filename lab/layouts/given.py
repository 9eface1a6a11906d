"""The layout that somebody gives: manifests of their own (see `lab.given`)."""

import hashlib
from pathlib import Path

from lab import given, settings
from lab.deployment import store_images
from lab.deployment.manifests.objects import Object, find, of_kind
from lab.given.stores import Stores
from lab.given.volumes import folders
from lab.layouts.layout import Layout
from lab.profiles import Profile
from lab.stores import ceph, postgresql, redis_sentinel


def keep(profile: Profile, file: Path) -> None:
    """Let the next deployment be made of these manifests, of which a copy is kept. Raises LabError."""
    given.adapted(given.read(file), _place(profile, "", file.read_bytes()))
    profile.folder.mkdir(parents=True, exist_ok=True)
    _file(profile).write_bytes(file.read_bytes())


def layout(profile: Profile) -> Layout:
    """What was kept, as a layout."""
    content = _file(profile).read_bytes()
    objects = given.read(_file(profile))

    def replace(reference: list[Object]) -> None:
        key = find(reference, "Secret", "harbor-ceph")["data"]["key"]
        reference[:], _ = given.adapted(objects, _place(profile, key, content))

    def ensure() -> None:
        adapted, _ = given.adapted(objects, _place(profile, "", content))
        ceph.ensure_folders(folders(adapted))
        postgresql.ensure_own_database(_version(content))
        if of_kind(adapted, "StatefulSet"):
            store_images.ensure()

    _, notes = given.adapted(objects, _place(profile, "", content))
    return Layout(about="the manifests that were given", change=replace, ensure=ensure, remarks=tuple(notes))


def _file(profile: Profile) -> Path:
    return profile.folder / "given.yaml"


def _version(content: bytes) -> str:
    """Other manifests find a database and volumes that are empty: their secrets cannot read what is in the others."""
    return hashlib.sha256(content).hexdigest()[:8]


def _place(profile: Profile, ceph_key: str, content: bytes) -> given.Place:
    return given.Place(
        namespace=profile.namespace,
        node_port=profile.node_port,
        url=profile.url,
        admin_password=settings.ADMIN_PASSWORD,
        ceph_key=ceph_key,
        monitor=ceph.MONITOR_ADDRESS,
        folder=f"apps/given-{_version(content)}",
        stores=Stores(
            database=(settings.LOAD_BALANCER, str(postgresql.PORT)),
            database_user=postgresql.USER,
            database_name=postgresql.OWN_DATABASE,
            database_password=postgresql.PASSWORD,
            redis=(settings.LOAD_BALANCER, str(redis_sentinel.PORT)),
            sentinels=tuple(
                f"{address}:{redis_sentinel.SENTINEL_PORT}" for address in settings.REDIS.values()
            ),
            master_name=redis_sentinel.MASTER_NAME,
            redis_password=redis_sentinel.PASSWORD,
        ),
    )
