"""The certificates that Harbor and its stores show to whoever connects, and the authorities that it is given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509

from harbor_verify.clients import certificates
from harbor_verify.errors import CannotTell, WrongConfiguration
from harbor_verify.model.addresses import split
from harbor_verify.model.configuration import given_files
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target
from harbor_verify.verdict import Failure

_PEM = "-----BEGIN CERTIFICATE-----"
_PLAIN = ("", "disable", "allow", "prefer")
"""How a database's clients say that they need no TLS."""


@dataclass(frozen=True)
class Shown:
    """Who shows a certificate, and how to look at it. `look` raises NoAnswer, CannotTell, TargetUnreachable."""

    place: str
    look: Callable[[], x509.Certificate]


def of_front_door(target: Target) -> list[Shown]:
    """Harbor's URL, where it speaks TLS."""
    url, timeout_s = urlsplit(target.url), target.settings.connect_timeout_s
    if url.scheme != "https":
        return []
    host, port = url.hostname or "", url.port or 443
    return [Shown(f"front door {target.url}", lambda: certificates.shown_at(host, port, timeout_s=timeout_s))]


def of_replicas(target: Target) -> list[Shown]:
    """Every Ready replica of a part that speaks TLS. Raises TargetUnreachable."""

    def look(replica: Replica) -> x509.Certificate:
        shown = target.served_certificate(replica)
        if not shown:
            raise CannotTell("it showed no certificate")
        return x509.load_der_x509_certificate(shown)

    return [
        Shown(replica.object, lambda replica=replica: look(replica))  # type: ignore[misc]
        for role, workload in target.deployment.workloads.items()
        if workload.tls
        for replica in target.deployment.replicas(role)
        if replica.ready
    ]


def of_database(target: Target) -> list[Shown]:
    """The database, where Harbor asks for TLS."""
    try:
        database = target.database()
    except (WrongConfiguration, Failure):
        return []  # other checks say what is wrong with it
    if database.tls in _PLAIN:
        return []

    def look() -> x509.Certificate:
        host, port = split(target.database_address())
        timeout_s = target.settings.connect_timeout_s
        return certificates.shown_at(host, int(port), timeout_s=timeout_s, first=certificates.ask_postgresql)

    return [Shown(f"database {database}", look)]


def of_session_store(target: Target) -> list[Shown]:
    """Redis, or each Sentinel that leads to it, where Harbor speaks TLS with it."""
    try:
        store = target.session_store()
    except (WrongConfiguration, Failure):
        return []
    if store is None or not store.tls:
        return []
    kind = "Sentinel" if store.sentinels and not target.settings.session_store_address else "Redis"
    names = store.sentinels if kind == "Sentinel" else (store.address,)

    def look(address: str) -> x509.Certificate:
        host, port = split(address)
        return certificates.shown_at(host, int(port), timeout_s=target.settings.connect_timeout_s)

    return [
        Shown(f"{kind} {name}", lambda address=address: look(address))  # type: ignore[misc]
        for name, address in zip(names, target.session_store_addresses(), strict=True)
    ]


def authorities(target: Target) -> Iterator[tuple[str, x509.Certificate]]:
    """(object and file, certificate) of every authority in a file that Harbor's pods are given, each once; of several
    with one subject in a file the one that ends last, since the others have been renewed.

    Raises TargetUnreachable.
    """
    told: set[tuple[str, bytes]] = set()
    for role in target.deployment.workloads:
        for replica in target.deployment.replicas(role)[:1]:
            pod, deployment = replica.pod.spec, target.deployment
            for container in pod.containers:
                for file in given_files(pod, container, deployment.config_map, deployment.secret):
                    for each in _authorities_in(file.text):
                        key = (file.object, each.public_bytes(certificates.DER))
                        if key not in told:
                            told.add(key)
                            yield f"{file.object} ({file.path} of {replica.workload.name})", each


def _authorities_in(text: str) -> list[x509.Certificate]:
    if _PEM not in text:
        return []
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return []
    newest: dict[x509.Name, x509.Certificate] = {}
    for each in filter(_is_authority, found):
        other = newest.get(each.subject)
        if other is None or other.not_valid_after_utc < each.not_valid_after_utc:
            newest[each.subject] = each
    return list(newest.values())


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, ValueError):
        return False
