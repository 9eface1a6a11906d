"""The registry reads the configuration that it was given. Nothing looks broken when it does not: its image brings a
sample that starts well, asks nobody who they are, and keeps images inside the container.
"""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model import configuration
from harbor_verify.model.roles import Role
from harbor_verify.target import Target


@check(
    "configuration.registry-config-mounted-where-it-is-read",
    hint="Mount the ConfigMap of the registry (volumeMounts of its controller) at the folder that its program reads, "
    "or name the mounted file in the container's args: `serve FILE`; {after_change}.",
    source="distribution: `registry serve CONFIG`; Kubernetes: volumeMounts; goharbor/harbor reports 3637 and 4200",
)
def test_registry_config_is_mounted_where_it_is_read(harbor: Target, findings: Findings, need):
    """On every registry replica, the configuration file that the registry reads is the one of its ConfigMap.

    Source: the path is the container's command and args or, without them, the image's: then it is read from the
    running process.
    """
    replicas = harbor.replicas(Role.REGISTRY)
    config_maps = _config_maps_of(harbor, replicas)
    for replica in replicas:
        given = {
            file.path: file
            for file in configuration.mounted_files(replica.pod.spec, replica.container, config_maps)
            if configuration.is_registry_config(config_maps[file.config_map][file.key])
        }
        path = _path_read_by(replica, harbor, need)
        expected = f"the file that the registry reads, {path or '(none is named)'}, comes from a ConfigMap"
        with findings.about(replica.object, expected) as file_read:
            if path in given:
                continue
            elsewhere = [
                f"ConfigMap {file.config_map} shows its {file.key} as {file.path}" for file in given.values()
            ]
            mount = configuration.covering_mount(path, replica.container) if path else None
            file_read.wrong(
                ("; ".join(elsewhere) or "no ConfigMap with a registry configuration is mounted")
                + (f"; {path} lies in volume {mount.name}" if mount else f"; {path} is the image's own")
            )


@check(
    "configuration.registry-config-in-effect",
    hint="Compare auth in the ConfigMap's config.yml with the answer. No challenge at all means that it "
    "runs with another file (see configuration.registry-config-mounted-where-it-is-read), or was started "
    "before the ConfigMap was changed: delete its pod.",
    source="OCI distribution specification; distribution: auth.token (Bearer), auth.htpasswd (Basic)",
    builds_on=("configuration.registry-config-mounted-where-it-is-read",),
)
def test_registry_config_is_in_effect(harbor: Target, findings: Findings):
    """Every registry replica refuses an anonymous client, and asks for what the ConfigMap says.

    Source: distribution, auth: a token of a realm and service, or a password; without it anybody may push.
    """
    replicas = harbor.replicas(Role.REGISTRY)
    config_maps = _config_maps_of(harbor, replicas)
    for replica in replicas:
        files = configuration.mounted_files(replica.pod.spec, replica.container, config_maps)
        configured = [
            auth
            for file in files
            if (auth := configuration.registry_auth(config_maps[file.config_map][file.key]))
        ]
        expected = configured[0].challenge if configured else "a ConfigMap with auth"
        with findings.about(replica.object, expected) as answer:
            if not configured:
                answer.wrong("none is mounted: nothing asks who one is")
                continue
            auth, challenge = configured[0], harbor.anonymous_registry(replica).challenge()
            asked = (challenge.status, challenge.scheme.lower(), challenge.realm, challenge.service)
            if asked != (401, auth.scheme.lower(), auth.realm, auth.service):
                answer.wrong(challenge.observed)


@check(
    "configuration.registry-root-inside-volume",
    hint="Set storage.filesystem.rootdirectory in the registry's config.yml to the mountPath of its "
    "PersistentVolumeClaim (/storage), or mount the claim where the root is; then delete the pods. If the root is not "
    "what the ConfigMap says, another file is read: see configuration.registry-config-mounted-where-it-is-read. What "
    "was pushed meanwhile is in the containers: copy it before they go.",
    source="distribution: storage.filesystem.rootdirectory; Kubernetes: volumeMounts",
    builds_on=("configuration.registry-config-mounted-where-it-is-read",),
)
def test_registry_keeps_images_on_a_volume(harbor: Target, findings: Findings, need):
    """Every registry replica keeps images in a PersistentVolumeClaim or network volume that is mounted, or in a bucket.

    Source: the configuration file that it really reads: of a ConfigMap or, where none is mounted there, its image's.
    """
    for replica in harbor.replicas(Role.REGISTRY):
        spec = replica.pod.spec
        claims = [
            v.persistent_volume_claim.claim_name for v in spec.volumes or () if v.persistent_volume_claim
        ]
        expected = f"images inside a volume of {', '.join(claims) or 'a PersistentVolumeClaim'}"
        with findings.about(replica.object, expected) as root:
            storage, place = _storage_of(replica, harbor, need)
            inside = (
                storage
                and storage.root
                and (
                    configuration.claim_at(storage.root, spec, replica.container)
                    or configuration.shared_volume_at(storage.root, spec, replica.container)
                )
            )
            if not inside and not (storage and storage.outside):
                root.wrong(place)


def _storage_of(replica, harbor, need):
    """Where a registry keeps images, None where that is not said; and the same in words."""
    if not replica.running:
        return None, f"its container does not run: {replica.state}"
    path = _path_read_by(replica, harbor, need)
    if path is None:
        return None, "no process in its container is `serve FILE`, so nothing says which file is read"
    given = configuration.mounted_texts(replica.pod.spec, replica.container, harbor.deployment.config_map)
    if path in given:
        text, origin = given[path], f"{path} of its ConfigMap"
    else:
        need("exec")
        text, origin = harbor.run(replica, ["cat", path]), f"{path}, the image's own,"
    storage = configuration.registry_storage(text, harbor.deployment.environment(replica))
    if storage is None:
        return None, f"{origin} names no storage driver"
    if storage.root is None:
        return storage, f"{origin} names driver {storage.driver}"
    return storage, f"{origin} names {storage.root}, where no PersistentVolumeClaim is mounted"


def _path_read_by(replica, harbor, need):
    """The configuration file of the container's command or args; when the image decides, of what really runs."""
    if path := configuration.config_path_in_spec(replica.container):
        return path
    need("exec")
    running = harbor.run(replica, ["sh", "-c", "cat /proc/[0-9]*/cmdline"])
    return configuration.config_path_in(running.split("\0"))


def _config_maps_of(harbor, replicas):
    names = {name for replica in replicas for name in configuration.config_maps_of(replica.pod.spec)}
    return {name: harbor.deployment.config_map(name) or {} for name in names}
