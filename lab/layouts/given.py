"""The layout that somebody gives: manifests of their own (see `lab.given`)."""

import hashlib
from pathlib import Path

from lab import authority, given, settings
from lab.deployment import front_door_tls, store_images
from lab.deployment.manifests.objects import Object, find, of_kind
from lab.given.front_door import Doors
from lab.given.stores import Stores
from lab.given.volumes import folders
from lab.harbor.harbor_2.bucket import Bucket
from lab.kubernetes import ingress_controller
from lab.layouts.layout import Layout
from lab.profiles import Profile
from lab.stores import ceph, object_store, postgresql, redis_sentinel

_HTTPS_NODE_PORT = 31779
"""Of Harbor's own nginx, where it speaks TLS."""


def keep(profile: Profile, file: Path) -> None:
    """Let the next deployment be made of these manifests, of which a copy is kept. Raises LabError."""
    given.adapted(given.read(file), _place(profile, "", file.read_bytes()))
    profile.folder.mkdir(parents=True, exist_ok=True)
    _file(profile).write_bytes(file.read_bytes())


def layout(profile: Profile) -> Layout:
    """What was kept, as a layout. Raises LabError."""
    content = _file(profile).read_bytes()
    objects = given.read(_file(profile))
    adapted = given.adapted(objects, _place(profile, "", content))
    door = adapted.door
    with_tls = door.url.startswith("https:")

    def replace(reference: list[Object]) -> None:
        key = find(reference, "Secret", "harbor-ceph")["data"]["key"]
        reference[:] = given.adapted(objects, _place(profile, key, content)).objects

    def ensure() -> None:
        ceph.ensure_folders(folders(adapted.objects))
        if of_kind(adapted.objects, "StatefulSet"):
            store_images.ensure()
        if adapted.bucket:
            object_store.ensure(_bucket(content))
        if with_tls:
            front_door_tls.make_trusted(door.url)

    def complete() -> None:
        if door.ingress:
            ingress_controller.serve(profile.namespace, door.ingress)

    return Layout(
        about="the manifests that were given",
        change=replace,
        ensure=ensure,
        complete=complete,
        url=door.url,
        settings=lambda: {"ca_file": authority.certificate_file()} if with_tls else {},
        database_version=_version(content),
        remarks=tuple(adapted.notes),
    )


def _file(profile: Profile) -> Path:
    return profile.folder / "given.yaml"


def _version(content: bytes) -> str:
    """Other manifests find a database and volumes that are empty: their secrets cannot read what is in the others."""
    return hashlib.sha256(content).hexdigest()[:8]


def _bucket(content: bytes) -> str:
    return f"given-{_version(content)}"


def _place(profile: Profile, ceph_key: str, content: bytes) -> given.Place:
    issued = authority.pair("given", settings.NODES.values())
    return given.Place(
        namespace=profile.namespace,
        doors=Doors(
            http=profile.url,
            https=f"https://{settings.NODES['node-1']}:{_HTTPS_NODE_PORT}",
            ingress=f"https://{settings.NODES['node-1']}:{ingress_controller.HTTPS_NODE_PORT}",
            ingress_class=ingress_controller.CLASS,
            certificate={
                "tls.crt": issued.certificate,
                "tls.key": issued.key,
                "ca.crt": authority.certificate_file().read_text(),
            },
        ),
        admin_password=settings.ADMIN_PASSWORD,
        ceph_key=ceph_key,
        monitor=ceph.MONITOR_ADDRESS,
        folder=f"apps/given-{_version(content)}",
        bucket=Bucket(
            name=_bucket(content),
            endpoint=object_store.URL,
            region=object_store.REGION,
            access_key=object_store.ACCESS_KEY,
            secret_key=object_store.SECRET_KEY,
        ),
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
