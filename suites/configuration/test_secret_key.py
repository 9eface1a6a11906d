"""The key that stored passwords are encrypted with."""

from harbor_verify import running_replicas
from harbor_verify.checks import SHOULD, check
from harbor_verify.errors import CannotTell, ProgramMissing
from harbor_verify.findings import Findings
from harbor_verify.model import configuration
from harbor_verify.model.agreement import dissenting
from harbor_verify.model.roles import Feature, Role
from harbor_verify.target import Target


@check(
    "configuration.secret-key-not-default",
    hint="Set a secret key of your own, random and of the length that is asked for, in the Secret that every {web} "
    "replica mounts (the chart: secretKey or existingSecretSecretKey). Before you change it on a Harbor in use: "
    "whatever was stored with the old key (passwords of registries and of the directory) has to be entered anew. "
    "With a well-known key, whoever reads the database reads those passwords.",
    source="Harbor: the secret key; the chart's default; reports 12158 and 21282 of goharbor/harbor",
    requires=(Feature.SECRET_KEY,),
    severity=SHOULD,
    needs=("exec",),
    builds_on=("configuration.replicas-run-alike",),
)
def test_the_secret_key_is_nobody_elses_and_the_same_on_every_web_replica(
    harbor: Target, findings: Findings, tell
):
    """The secret key of every web replica is no well-known one, has the right length, and is the same on each.

    Source: the file as each container sees it: its Secret may hold another since. Where the container has no shell,
    its Secret. It is not shown. Harbor takes all of the file: a line's end in it is a character of the key.
    """
    wanted, keys = harbor.profile.secret_key, {}
    for replica in harbor.replicas(Role.WEB):
        with findings.about(replica.object, "a secret key of its own") as secret_key:
            text = _text_of(replica, wanted.path, harbor, tell)
            keys[replica.object] = text
            length = len(text.encode())
            if text.rstrip("\r\n") in wanted.well_known:
                secret_key.wrong("the default, which anybody can look up")
            elif length != wanted.length:
                ends = ", with the end of a line that is in the file" if text.endswith("\n") else ""
                secret_key.wrong(f"{length}{ends}", expected=f"a secret key of {wanted.length} characters")
    for name in dissenting(keys):
        findings.wrong(name, "the secret key of the other replicas", "another one")


def _text_of(replica, path, harbor, tell):
    """The file that the replica has read at its start. Raises CannotTell."""
    try:
        if why := running_replicas.rewritten(harbor, replica, path):
            raise CannotTell(f"nobody knows which key it has read: {why}")
        return running_replicas.text_of(harbor, replica, path)
    except ProgramMissing as reason:
        text = configuration.text_at(
            path, replica.pod.spec, replica.container, harbor.deployment.config_map, harbor.deployment.secret
        )
        if text is None:
            raise
        tell(
            f"{replica.name}: the key that it has read was NOT seen ({reason}), but what its Secret says now"
        )
        return text
