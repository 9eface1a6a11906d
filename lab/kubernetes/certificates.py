"""The cluster's certificates: one authority, and an identity for each program, as RBAC expects them."""

import base64
import datetime
import ipaddress
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import settings

FOLDER = settings.STATE / "pki"
AUTHORITY = FOLDER / "ca.crt"
SERVICE_ACCOUNTS = FOLDER / "service-accounts.key"

IDENTITIES = {
    "admin": ("system:masters", "lab-admin"),
    "kube-controller-manager": ("", "system:kube-controller-manager"),
    "kube-scheduler": ("", "system:kube-scheduler"),
    "kube-proxy": ("", "system:kube-proxy"),
    "kubelet-client": ("system:masters", "kube-apiserver-kubelet-client"),
    **{node: ("system:nodes", f"system:node:{node}") for node in settings.NODES},
}
"""File name → (group, user) of the client certificate."""


def ensure() -> None:
    """Write the authority, the API server's certificate, every identity and its kubeconfig, unless they are there."""
    done = FOLDER / "complete"
    if done.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(
        "harbor-lab", "", authority_key.public_key(), authority_key, None, is_authority=True
    )
    _write(FOLDER / "ca", authority, authority_key)
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    addresses = ["127.0.0.1", settings.CONTROL, settings.KUBERNETES_SERVICE]
    for file, (group, user) in {"kube-apiserver": ("", "kube-apiserver"), **IDENTITIES}.items():
        key = ec.generate_private_key(ec.SECP256R1())
        server = file == "kube-apiserver"
        certificate = _certificate(
            user, group, key.public_key(), authority_key, authority,
            names=names if server else [], addresses=addresses if server else [],
        )  # fmt: skip
        _write(FOLDER / file, certificate, key)
    _write(FOLDER / "service-accounts", None, ec.generate_private_key(ec.SECP256R1()))
    for file in IDENTITIES:
        kubeconfig(file).write_text(_kubeconfig(file))
    settings.KUBECONFIG.write_text(_kubeconfig("admin"))
    settings.KUBECONFIG.chmod(0o600)
    done.touch()


def kubeconfig(identity: str) -> Path:
    """The kubeconfig file of one of IDENTITIES."""
    return FOLDER / f"{identity}.kubeconfig"


def certificate_files(identity: str) -> tuple[Path, Path]:
    """The certificate and the key of an identity."""
    return FOLDER / f"{identity}.crt", FOLDER / f"{identity}.key"


def _kubeconfig(identity: str) -> str:
    certificate, key = certificate_files(identity)

    def inline(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "harbor-lab",
                    "cluster": {
                        "server": settings.API_SERVER,
                        "certificate-authority-data": inline(AUTHORITY),
                    },
                }
            ],
            "users": [
                {
                    "name": identity,
                    "user": {"client-certificate-data": inline(certificate), "client-key-data": inline(key)},
                }
            ],
            "contexts": [
                {
                    "name": "harbor-lab",
                    "context": {"cluster": "harbor-lab", "user": identity},
                }
            ],
            "current-context": "harbor-lab",
        }
    )


def _certificate(
    user: str,
    group: str,
    public_key: ec.EllipticCurvePublicKey,
    signing_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    *,
    is_authority: bool = False,
    names: list[str] | None = None,
    addresses: list[str] | None = None,
) -> x509.Certificate:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
    if group:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    subject = x509.Name(attributes)
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names or []]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses or []]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def _write(stem: Path, certificate: x509.Certificate | None, key: ec.EllipticCurvePrivateKey) -> None:
    if certificate:
        stem.with_suffix(".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    file = stem.with_suffix(".key")
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
