"""All settings, in one place: what they mean, where they come from, and which wins.

A setting is taken from the first of these that gives it:
  1. the flag                 --harbor-url https://harbor.example.com
  2. the environment          HARBOR_VERIFY_HARBOR_URL=https://harbor.example.com
  3. the file                 harbor_url = "https://harbor.example.com"   in harbor-verify.toml, in the folder
                              where pytest runs, or where --settings-file / HARBOR_VERIFY_SETTINGS_FILE says
  4. the default

Secrets are never printed: their type hides them.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    DirectoryPath,
    Field,
    FilePath,
    HttpUrl,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
)

from harbor_verify.clients.bundle import trusted
from harbor_verify.errors import SettingsError

PREFIX = "HARBOR_VERIFY_"
FILE = Path("harbor-verify.toml")
FILE_SETTING = "settings_file"
"""The one setting that cannot be in the file, because it says where the file is."""


class Settings(BaseModel):
    """The settings of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    lab: bool = Field(
        False, description="stand the lab up on this machine, if need be, and verify the Harbor in it"
    )
    lab_as_it_is: bool = Field(
        False,
        description="of a lab that is up: verify it as it is, and mend nothing in it first (with --lab)",
    )
    kubeconfig: Path | None = Field(
        None,
        description="kubeconfig of the cluster (default: $KUBECONFIG, ~/.kube/config; in a pod: its account)",
    )
    context: str | None = Field(None, description="context in the kubeconfig (default: its current one)")
    namespace: str = Field("harbor", description="namespace that Harbor runs in")
    profile: str | None = Field(
        None,
        description="generation of Harbor, by the name of its profile (default: the one that is recognised)",
    )
    release: str | None = Field(
        None,
        description="release of Harbor's chart, where the namespace holds several (the label `release`, or "
        "app.kubernetes.io/instance)",
    )
    harbor_url: HttpUrl | None = Field(
        None,
        description="URL of the front door, as docker clients and browsers use it (default: what Harbor is told that "
        "its URL is, EXT_ENDPOINT); a proxy of the environment (HTTPS_PROXY) is not used for it",
    )
    admin_user: str = Field("admin", description="a Harbor administrator")
    admin_password: SecretStr | None = Field(
        None,
        description="the administrator's password, in the environment or the file; as a flag it is refused, for "
        "everybody on the machine sees it there",
    )
    credentials_secret: str | None = Field(
        None,
        pattern=r"^([a-z0-9.-]+/)?[a-z0-9.-]+$",
        description="[NAMESPACE/]NAME of a Secret with the administrator's password, in place of it: `password` or the "
        "chart's HARBOR_ADMIN_PASSWORD, and `username`, where that is another than --admin-user says",
    )
    ca_file: FilePath | None = Field(
        None,
        description="certificates (PEM) of authorities to trust beside those of this machine, for the front door and "
        "for a store that pulls are redirected to",
    )
    insecure: bool = Field(False, description="do not verify the front door's certificate")
    docker_host: str | None = Field(
        None, description="docker daemon that pushes and pulls (default: $DOCKER_HOST, else the local one)"
    )
    image: str | None = Field(
        None,
        description="image to push, with `cat` in it (default: busybox, made on the spot from /bin/busybox)",
    )
    builder_image: str | None = Field(
        None,
        description="image with Go, gcc and musl-gcc that the docker daemon has or can pull, to build images with "
        "(default, outside the lab: none, and what is built with it is blocked)",
    )
    base_image: str | None = Field(
        None, description="image of a whole distribution with glibc (debian:12), to build an image on"
    )
    small_image: str | None = Field(
        None, description="small image of musl and busybox (busybox:musl), to build images on"
    )
    conformance_program: Path | None = Field(
        None,
        description="the OCI distribution conformance suite, to be run at the front door and at each replica "
        "(go install github.com/opencontainers/distribution-spec/conformance@latest)",
    )
    clients_dir: DirectoryPath | None = Field(
        None,
        description="folder of clients beside docker (skopeo, crane, oras, regctl, buildah, podman, helm, cosign), "
        "looked at before $PATH",
    )
    large_layer_mib: PositiveInt = Field(
        100, description="MiB of the large layer that is pushed through the front door"
    )
    large_layer_gib: PositiveInt | None = Field(
        None,
        description="GiB of a further layer, to go beyond what 32 bits count (2, 5); it is streamed, and Harbor's "
        "storage has to hold it until its next garbage collection (the lab's holds 9)",
    )
    database_address: str | None = Field(
        None,
        pattern=r"^([^:\s\[\]]+|\[[0-9A-Fa-f:.]+\]):\d+$",
        description="HOST:PORT that leads to Harbor's database from here, where its own address does not",
    )
    session_store_address: str | None = Field(
        None,
        pattern=r"^([^:\s\[\]]+|\[[0-9A-Fa-f:.]+\]):\d+$",
        description="HOST:PORT that leads to Harbor's Redis from here, where its own address does not",
    )
    database_ca_file: FilePath | None = Field(
        None,
        description="certificates (PEM) to trust for Harbor's database, where Harbor verifies its certificate",
    )
    session_store_ca_file: FilePath | None = Field(
        None,
        description="certificates (PEM) to trust for Harbor's Redis (rediss://), in place of the system's",
    )
    database_nodes: PositiveInt = Field(
        3, description="nodes that the database's Galera cluster is to have, where it is one"
    )
    browser: Path | None = Field(
        None,
        description="Chromium or Chrome to drive (default: the first of chromium, google-chrome in $PATH)",
    )
    facts: str = Field(
        "",
        description="facts of the deployment that are other than what was found, NAME=VALUE, …: version, exposure, "
        "images, database, session_store, internal_tls, auth_mode (a run tells all at its top)",
    )
    allow_disruption: bool = Field(
        False,
        description="also break things on purpose: pods are deleted, workloads restarted and scaled (implied by --lab)",
    )
    allow_node_drain: bool = Field(
        False,
        description="also cordon a node for a while and evict Harbor's pods from it (implied by --lab)",
    )
    allow_garbage_collection: bool = Field(
        False,
        description="also collect garbage, for the whole Harbor, while images are pushed: what people have deleted is "
        "then gone for good (implied by --lab)",
    )
    collection_pushes: PositiveInt = Field(
        1000, description="images that are pushed while garbage is collected"
    )
    max_duration: PositiveFloat | None = Field(
        None,
        description="seconds after which the run is stopped: what is broken is mended, what was made is removed, and "
        "there is a report of what was checked",
    )
    stop_when_outage_s: PositiveFloat | None = Field(
        None,
        description="seconds without a good answer for a client, while something is broken, after which that is mended "
        "and the run stopped",
    )
    strict_advice: bool = Field(
        False, description="advice that is not followed makes the exit code 1, too (--strict does the same)"
    )
    strict_skips: bool = Field(
        False, description="a check that is blocked, for want of something where the suite runs, is an error"
    )
    metrics_file: Path | None = Field(
        None,
        description="also write verdicts, outages and recovery there, for Prometheus (a .prom file in the folder of "
        "node-exporter's textfile collector)",
    )
    otlp_endpoint: HttpUrl | None = Field(
        None,
        description="also send the run as spans of OpenTelemetry there (OTLP/HTTP, to URL/v1/traces)",
    )
    report_dir: Path = Field(Path("reports"), description="folder that gets runs/TIME/ and latest")
    connect_timeout_s: PositiveFloat = Field(5, description="seconds to wait for a connection")
    request_timeout_s: PositiveFloat = Field(30, description="seconds to wait for an answer")
    converge_timeout_s: PositiveFloat = Field(
        120, description="seconds for Kubernetes and Harbor to come to what was asked"
    )
    certificate_days: NonNegativeInt = Field(
        30, description="days that certificates and their authorities are to stay valid"
    )
    last_days: NonNegativeInt = Field(
        7, description="days before its end from which on a certificate is no advice any more, but a failure"
    )
    robot_days: NonNegativeInt = Field(
        14,
        description="days that robot accounts are to stay valid which were made for twice as long, or longer",
    )
    collection_days: PositiveInt = Field(
        35, description="days that the last garbage collection may be ago, where Harbor is older than that"
    )
    full_percent: PositiveInt = Field(
        85, description="how full volumes, quotas and Redis may be, in percent, before it is told"
    )
    full_in_days: NonNegativeInt = Field(
        30, description="days for which a volume is to last, at the rate of earlier runs"
    )
    outage_budget_ms: PositiveInt = Field(
        1000, description="longest outage in milliseconds that a client may see while a pod dies"
    )
    crash_outage_budget_ms: PositiveInt = Field(
        2000,
        description="longest outage in milliseconds while a container crashes: Kubernetes looks once a second",
    )
    drain_outage_budget_ms: PositiveInt = Field(
        2000,
        description="longest outage in milliseconds while a node is drained: its pods start elsewhere, all at once",
    )
    slow_answer_budget_ms: PositiveInt = Field(
        2000,
        description="milliseconds that a good answer may take longer than before anything was broken, "
        "where no longer outage is allowed; slower ones count as an outage",
    )
    hang_outage_budget_s: PositiveFloat = Field(
        15, description="longest outage in seconds while a replica hangs, or its network is bad"
    )
    node_outage_budget_s: PositiveFloat = Field(
        30, description="longest outage in seconds while a node is lost"
    )
    store_outage_budget_s: PositiveFloat = Field(
        15, description="longest outage in seconds while a database, session store or file system fails over"
    )
    failed_requests_budget: NonNegativeInt = Field(
        0, description="requests that each client may see fail while a pod dies"
    )
    flapping_budget_percent: NonNegativeInt = Field(
        25,
        le=100,
        description="percent of the answers in any 10 s that a client may see fail while something is broken, beside "
        "one outage of the length that is allowed",
    )
    confirmation_s: PositiveFloat = Field(
        10,
        description="seconds for which what was acknowledged, and is refused afterwards, is asked for again and again, "
        "before it is called lost",
    )
    recovery_budget_s: PositiveFloat = Field(
        60,
        description="seconds until a deleted pod's successor is Ready, a container is started again, another server "
        "takes over from one that is lost",
    )
    settle_s: PositiveFloat = Field(
        10,
        description="seconds that clients go on after what was broken is whole again: what goes wrong then counts, too",
    )
    seed: NonNegativeInt | None = Field(
        None,
        description="number from which the replicas and nodes are drawn that are hit (default: another one each time; "
        "a run tells it at its top)",
    )
    repeat: PositiveInt = Field(
        1,
        description="how many times each disruption of the failover area is done, each with a history of its own",
    )
    patience_s: PositiveFloat = Field(
        10,
        description="seconds that a client waits for an answer, while something is broken, before it asks again",
    )
    operations_per_s: PositiveFloat = Field(
        100,
        description="most operations a second, in all, while something is broken; as many again for what failed. How "
        "many it takes follows from the outage that is allowed and the number of replicas (13 clients: 26)",
    )
    load: NonNegativeInt = Field(
        0,
        description="clients that pull and push, each once a second at most, beside those that are judged, while "
        "something is broken (by Locust: pip install 'harbor-verify[load]'); what they push counts for --push-mib",
    )
    push_mib: PositiveInt = Field(
        1024,
        description="most MiB that clients at work may push into Harbor's storage in a run, all disruptions together; "
        "then they push manifests alone, a KiB each at most",
    )

    @property
    def url(self) -> str | None:
        """The front door's URL without a slash at its end; None: it is Harbor's own settings that name it."""
        return str(self.harbor_url).rstrip("/") if self.harbor_url else None

    @property
    def timeouts_s(self) -> tuple[float, float]:
        """(connect, request), as `requests` takes them."""
        return self.connect_timeout_s, self.request_timeout_s

    @property
    def verify(self) -> bool | str:
        """What `requests` takes as `verify`."""
        return False if self.insecure else str(trusted(self.ca_file))


SECRETS = tuple(name for name, each in Settings.model_fields.items() if "SecretStr" in str(each.annotation))
"""Settings that are no flags."""


def load(
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    folder: Path,
    *,
    preset: Mapping[str, Any] = MappingProxyType({}),
) -> Settings:
    """The settings of flags, `HARBOR_VERIFY_*` variables and the file, as this module's docstring says.

    `flags` holds only those that were given, by the names of the fields of Settings, and maybe `settings_file`.
    `folder` is where the file is looked for; what a `preset` says yields to all of them. Raises SettingsError with
    everything that is wrong, never a value.
    """
    flags = dict(flags)
    for name in SECRETS:
        if name in flags:
            raise SettingsError(
                f"{flag(name)}: a secret on a command line is seen by everybody on the machine (ps). Say it with "
                f"{PREFIX}{name.upper()}, in the settings file, or by {flag('credentials_secret')}."
            )
    variables = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value
    }
    named = {**variables, **flags}.get(FILE_SETTING)
    for layer in (flags, variables):
        layer.pop(FILE_SETTING, None)
    layers = {
        "flag": flags,
        "environment": variables,
        "file": _read(folder / (named or FILE), required=named is not None),
    }
    try:
        return Settings(**{**preset, **layers["file"], **layers["environment"], **layers["flag"]})
    except ValidationError as wrong:
        lines = [_explain(error, layers) for error in wrong.errors(include_input=False, include_url=False)]
        raise SettingsError("the settings are wrong:\n" + "\n".join(f"  {line}" for line in lines)) from None


def flag(name: str) -> str:
    """The flag of a setting: harbor_url → --harbor-url."""
    return "--" + name.replace("_", "-")


def _read(file: Path, *, required: bool) -> dict[str, Any]:
    if not required and not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise SettingsError(f"the settings file {file} cannot be read: {wrong}") from wrong


def _explain(error: Mapping[str, Any], layers: Mapping[str, Mapping[str, Any]]) -> str:
    name = str(error["loc"][0])
    origin = next(layer for layer, values in layers.items() if name in values)
    spelled = {
        "flag": flag(name),
        "environment": PREFIX + name.upper(),
        "file": f"{name} in the settings file",
    }[origin]
    if error["type"] != "extra_forbidden":
        return f"{spelled} ({Settings.model_fields[name].description}): {error['msg']}"
    nearest = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return f"{spelled}: there is no such setting" + (f"; did you mean {nearest[0]}?" if nearest else "")
