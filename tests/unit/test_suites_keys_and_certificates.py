"""The checks of the secret key and of internal TLS, on replicas of a few lines."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes import client

from harbor_verify.errors import CannotTell
from harbor_verify.model.configuration import text_at
from harbor_verify.model.roles import Role, SecretKey
from suites.configuration.test_internal_tls import test_certificates_between_components_stay_valid as tls
from suites.configuration.test_secret_key import (
    test_the_secret_key_is_nobody_elses_and_the_same_on_every_web_replica as key,
)
from tests.unit.containers import answer
from tests.unit.running import examine, never, offenders_of

PATH = "/etc/x/key"


class NotApplied(Exception):
    pass


def not_applicable(reason):
    raise NotApplied(reason)


def pod(secret, *, mount="/etc/x/key", sub_path="key", items=(("secretKey", "key"),)):
    """A pod that mounts a key of a Secret as a file."""
    return client.V1PodSpec(
        containers=[
            client.V1Container(
                name="c",
                volume_mounts=[client.V1VolumeMount(name="v", mount_path=mount, sub_path=sub_path)],
            )
        ],
        volumes=[
            client.V1Volume(
                name="v",
                secret=client.V1SecretVolumeSource(
                    secret_name=secret, items=[client.V1KeyToPath(key=k, path=p) for k, p in items] or None
                ),
            )
        ],
    )


def harbor(*texts, in_container=None, has=None, shows=None):
    """A web replica for each text, which its Secret has under `secretKey`, and its container unless it `has` another.

    `in_container`: what all have, of no Secret.
    """

    def run(replica, argv, *, container=None):
        number = replicas.index(replica)
        text = in_container if in_container is not None else (has or texts)[number]
        return answer(argv, {PATH: text}, {})

    secrets = {f"s{n}": {"secretKey": text, "tls.crt": text} for n, text in enumerate(texts)}
    replicas = []
    for number, _ in enumerate(texts):
        spec = (
            pod(f"s{number}")
            if in_container is None
            else client.V1PodSpec(containers=[client.V1Container(name="c")])
        )
        replicas.append(
            SimpleNamespace(
                name=f"web-{number}",
                object=f"pod h/web-{number}",
                pod=SimpleNamespace(spec=spec),
                container=spec.containers[0],
                workload=SimpleNamespace(tls=shows is not None),
            )
        )
    return SimpleNamespace(
        profile=SimpleNamespace(
            secret_key=SecretKey(PATH, 16, frozenset({"not-a-secure-key"})),
            internal_tls=lambda environment: environment.get("CERT", ""),
        ),
        replicas=lambda role: replicas,
        run=run,
        served_certificate=lambda replica: shows,
        deployment=SimpleNamespace(
            config_map=lambda name: None,
            secret=secrets.get,
            workloads={Role.WEB: None},
            replicas=lambda role: replicas,
            environment=lambda replica: (
                {"CERT": PATH} if texts[0].startswith("-----") or texts[0] == "junk" else {}
            ),
        ),
    )


def test_a_key_of_its_own_that_all_share_is_well():
    examine(key, harbor("0123456789abcdef", "0123456789abcdef"))


def test_the_default_key_is_an_offender_on_every_replica_and_is_not_shown():
    offenders = offenders_of(key, harbor("not-a-secure-key", "not-a-secure-key"))
    assert [offender.object for offender in offenders] == ["pod h/web-0", "pod h/web-1"]
    assert "default" in offenders[0].observed
    assert not any("not-a-secure-key" in str(offender) for offender in offenders)


def test_a_key_of_the_wrong_length_and_one_that_differs_are_named():
    offenders = offenders_of(key, harbor("0123456789abcdef", "0123456789abcdef", "short"))
    assert [(o.object, o.observed) for o in offenders] == [
        ("pod h/web-2", "5"),
        ("pod h/web-2", "another one"),
    ]


def test_a_key_that_no_secret_brings_is_read_in_the_container():
    examine(key, harbor("unused", in_container="0123456789abcdef"))


def test_the_end_of_a_line_is_a_character_of_the_key():
    (offender,) = offenders_of(key, harbor("0123456789abcdef\n"))
    assert offender.observed == "17, with the end of a line that is in the file"
    examine(key, harbor("0123456789abcde\n"))
    (offender,) = offenders_of(key, harbor("0123456789abcdef", "0123456789abcde\n"))
    assert (offender.object, offender.observed) == ("pod h/web-1", "another one")
    (offender,) = offenders_of(key, harbor("not-a-secure-key\n"))
    assert "default" in offender.observed


def test_a_key_that_was_read_before_its_secret_was_changed_is_the_one_that_counts():
    secrets = ("0123456789abcdef",) * 3
    has = ("0123456789abcdef", "0123456789abcdef", "fedcba9876543210")
    (offender,) = offenders_of(key, harbor(*secrets, has=has))
    assert (offender.object, offender.observed) == ("pod h/web-2", "another one")


@pytest.mark.parametrize(
    "spec, found",
    [
        (pod("s0"), "text"),
        (pod("s0", mount="/etc/x", sub_path=None), "text"),
        (pod("s0", mount="/etc/x", sub_path=None, items=()), None),
        (pod("s0", mount="/etc/y"), None),
    ],
)
def test_a_file_of_a_secret_is_found_by_mount_path_sub_path_and_items(spec, found):
    assert (
        text_at(PATH, spec, spec.containers[0], lambda name: None, {"s0": {"secretKey": "text"}}.get) == found
    )


def certificate(days):
    """A certificate that ends in so many days, PEM."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "component")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .sign(private, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


SETTINGS = SimpleNamespace(certificate_days=30)


def test_certificates_that_stay_valid_are_well():
    examine(tls, harbor(certificate(31)), SETTINGS, never, never)


@pytest.mark.parametrize("days, told", [(-3, "expired on"), (29, "in 29 days")])
def test_a_certificate_that_ends_too_soon_is_named(days, told):
    (offender,) = offenders_of(tls, harbor(certificate(days)), SETTINGS, never, never)
    assert offender.object == "pod h/web-0"
    assert "CN=component" in offender.observed
    assert told in offender.observed


def der(pem):
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER)


def test_what_a_component_shows_counts_whatever_its_file_says_now():
    examine(tls, harbor(certificate(300), shows=der(certificate(300))), SETTINGS, never, never)
    renewed = harbor(certificate(300), shows=der(certificate(29)))
    (offender,) = offenders_of(tls, renewed, SETTINGS, never, never)
    assert "in 29 days" in offender.observed
    assert "has a newer one, which was not read yet" in offender.observed


def test_a_component_that_shows_no_certificate_is_unknown():
    with pytest.raises(CannotTell, match="showed no certificate"):
        examine(tls, harbor(certificate(300), shows=b""), SETTINGS, never, never)


def test_a_file_that_is_no_certificate_is_named():
    (offender,) = offenders_of(tls, harbor("junk"), SETTINGS, never, never)
    assert "no certificate" in offender.observed


def test_a_part_that_no_variable_tells_of_its_certificate_is_judged_by_what_it_shows():
    """As the chart has the pages' own server: its configuration names the file."""
    untold = harbor("0123456789abcdef", shows=der(certificate(29)))
    (offender,) = offenders_of(tls, untold, SETTINGS, never, never)
    assert "in 29 days" in offender.observed
    examine(tls, harbor("0123456789abcdef", shows=der(certificate(31))), SETTINGS, never, never)


def test_without_internal_tls_the_check_does_not_apply():
    with pytest.raises(NotApplied, match="not used"):
        examine(tls, harbor("0123456789abcdef"), SETTINGS, never, not_applicable)


def test_nothing_is_shown_where_nothing_was_examined():
    with pytest.raises(CannotTell):
        examine(tls, harbor("0123456789abcdef"), SETTINGS, never, lambda reason: None)
