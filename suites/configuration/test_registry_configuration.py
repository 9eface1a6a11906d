"""The registry reads the configuration that it was given. Nothing looks broken when it does not: its image brings a
sample that starts well, asks nobody who they are, and keeps images inside the container.
"""

import posixpath
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from harbor_verify import running_replicas
from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, CannotTell, ProgramMissing
from harbor_verify.findings import Findings
from harbor_verify.model import configuration
from harbor_verify.model.roles import Role
from harbor_verify.target import Target
from harbor_verify.verdict import Failure


@check(
    "configuration.registry-config-mounted-where-it-is-read",
    hint="Mount the ConfigMap (or Secret) of the registry (volumeMounts of its controller) at the folder that its "
    "program reads, or name the mounted file in the container's args: `serve FILE`; {after_change}.",
    source="distribution: `registry serve CONFIG`; Kubernetes: volumeMounts; goharbor/harbor reports 3637 and 4200",
)
def test_registry_config_is_mounted_where_it_is_read(harbor: Target, findings: Findings, need):
    """On every registry replica, the configuration file that the registry reads is the one of its ConfigMap or Secret.

    Source: the path is the container's command and args or, without them, the image's: then it is read from the
    running process.
    """
    replicas = harbor.replicas(Role.REGISTRY)
    for replica in replicas:
        given = {
            file.path: file
            for file in _given_files(replica, harbor)
            if configuration.is_registry_config(file.text)
        }
        with findings.about(replica.object, "the file that it reads is one that it is given") as file_read:
            if not configuration.config_path_in_spec(replica.container):
                need("exec")
            path = _path_read_by(replica, harbor)
            if path in given:
                continue
            elsewhere = [f"{file.object} is shown as {file.path}" for file in given.values()]
            mount = configuration.covering_mount(path, replica.container) if path else None
            file_read.wrong(
                ("; ".join(elsewhere) or "no ConfigMap or Secret with a registry configuration is mounted")
                + (f"; {path} lies in volume {mount.name}" if mount else f"; {path} is the image's own"),
                expected=f"the file that it reads, {path or '(none is named)'}, comes from a ConfigMap or Secret",
            )


@check(
    "configuration.registry-config-in-effect",
    hint="Compare auth in the config.yml of its ConfigMap (or Secret) with the answer. No challenge at all means that "
    "it runs with another file (see configuration.registry-config-mounted-where-it-is-read), or was started "
    "before the ConfigMap was changed: delete its pod.",
    source="OCI distribution specification; distribution: auth.token (Bearer), auth.htpasswd (Basic)",
    builds_on=("configuration.registry-config-mounted-where-it-is-read",),
)
def test_registry_config_is_in_effect(harbor: Target, findings: Findings):
    """Every registry replica refuses an anonymous client, and asks for what its ConfigMap or Secret says.

    Source: distribution, auth: a token of a realm and service, or a password; without it anybody may push.
    """
    replicas = harbor.replicas(Role.REGISTRY)
    for replica in replicas:
        environment = harbor.deployment.environment(replica)
        configured = [
            auth
            for file in _given_files(replica, harbor)
            if (auth := configuration.registry_auth(file.text, environment))
        ]
        expected = configured[0].challenge if configured else "a configuration with auth"
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
    "what the ConfigMap says, another file is read (configuration.registry-config-mounted-where-it-is-read), or the "
    "pod was started while the ConfigMap said something else: delete it. What was pushed meanwhile is in the "
    "containers: copy it before they go.",
    source="distribution: storage.filesystem.rootdirectory; Kubernetes: volumeMounts",
    needs=("exec",),
    builds_on=("configuration.registry-config-mounted-where-it-is-read", "configuration.replicas-run-alike"),
)
def test_registry_keeps_images_on_a_volume(
    harbor: Target, findings: Findings, tell, request: pytest.FixtureRequest
):
    """Every registry replica keeps images in a PersistentVolumeClaim or network volume that is mounted, or in a bucket.

    Source: the configuration file and the environment that each container has. Where the kubelet wrote that file anew
    since the container started, an upload is begun on the replica, and looked for in the folder that is named.
    """
    for replica in harbor.replicas(Role.REGISTRY):
        spec = replica.pod.spec
        claims = [
            v.persistent_volume_claim.claim_name for v in spec.volumes or () if v.persistent_volume_claim
        ]
        expected = f"images inside a volume of {', '.join(claims) or 'a PersistentVolumeClaim'}"
        with findings.about(replica.object, expected) as root:
            path = _path_read_by(replica, harbor) if replica.running else None
            storage, place = _storage_of(replica, path, harbor, tell)
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
            elif why := _rewritten(replica, path, harbor):
                if storage.root is None:
                    raise CannotTell(f"nobody knows which configuration it has read: {why}")
                if not _keeps_uploads_in(storage.root, replica, harbor, request):
                    root.wrong(
                        f"an upload that it took is not in {storage.root}, which its file names; {why}"
                    )


def _storage_of(replica, path, harbor, tell):
    """Where a registry keeps images, None where that is not said; and the same in words. Raises CannotTell."""
    if not replica.running:
        return None, f"its container does not run: {replica.state}"
    if path is None:
        return None, "no process in its container is `serve FILE`, so nothing says which file is read"
    given = {file.path: file for file in _given_files(replica, harbor)}
    try:
        text = running_replicas.text_of(harbor, replica, path)
        environment = running_replicas.environment(harbor, replica)
    except ProgramMissing as reason:
        if path not in given:
            raise
        tell(f"{replica.name}: its configuration was NOT seen ({reason}), but what is declared now")
        text, environment = given[path].text, harbor.deployment.environment(replica)
    if path not in given:
        origin = f"{path}, the image's own,"
    elif given[path].text == text:
        origin = f"{path} of {given[path].object}"
    else:
        origin = f"{path} in its container, which differs from {given[path].object},"
    storage = configuration.registry_storage(text, environment)
    if storage is None:
        return None, f"{origin} names no storage driver"
    if storage.root is None:
        return storage, f"{origin} names driver {storage.driver}"
    return storage, f"{origin} names {storage.root}, where no PersistentVolumeClaim is mounted"


def _rewritten(replica, path, harbor):
    """Why the replica may have read another configuration than its file says now; empty: it has read this one."""
    try:
        return running_replicas.rewritten(harbor, replica, path)
    except ProgramMissing:
        return ""  # what is declared was judged, and told


def _keeps_uploads_in(root, replica, harbor, request):
    """Whether an upload that begins at this replica lies below its root. Raises CannotTell.

    Source: distribution: ROOT/docker/registry/v2/repositories/NAME/_uploads/UUID/startedat.
    """
    try:
        repository = f"{request.getfixturevalue('project')}/root"
        registry = harbor.registry(replica)
        upload = registry.begin_upload(repository)
    except (AnswerError, Failure) as refusal:
        raise CannotTell(f"it takes no upload, so nothing shows where it keeps them: {refusal}") from refusal
    try:
        session = posixpath.basename(urlsplit(upload.place).path)
        begun = f"docker/registry/v2/repositories/{repository}/_uploads/{session}/startedat"
        return running_replicas.is_there(harbor, replica, posixpath.join(root, begun))
    finally:
        with suppress(AnswerError):
            registry.cancel(upload)


def _path_read_by(replica, harbor):
    """The configuration file of the container's command or args; when the image decides, of what really runs."""
    if path := configuration.config_path_in_spec(replica.container):
        return path
    running = harbor.run(replica, ["sh", "-c", "cat /proc/[0-9]*/cmdline"])
    return configuration.config_path_in(running.split("\0"))


def _given_files(replica, harbor):
    """Those of ConfigMaps and Secrets, but of Secrets that may not be read."""
    config_map, secret = harbor.deployment.config_map, configuration.readable(harbor.deployment.secret)
    return configuration.given_files(replica.pod.spec, replica.container, config_map, secret)
