"""Harbor 2.x as its Helm chart lays it out: Deployments, PostgreSQL and Redis, docker clients served by core."""

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.roles import (
    Environment,
    Feature,
    FirstRow,
    Monitoring,
    Part,
    Profile,
    Role,
    SecretKey,
    Standing,
)
from harbor_verify.model.web_page import WebPage
from harbor_verify.model.words import Words
from harbor_verify.profiles.harbor_2 import metrics
from harbor_verify.profiles.harbor_2.api import Harbor2
from harbor_verify.profiles.harbor_2.chart import made_anew
from harbor_verify.profiles.harbor_2.contents import Harbor2Contents
from harbor_verify.profiles.harbor_2.jobs import Harbor2Jobs, job_store, loggers_that_keep_nothing
from harbor_verify.profiles.harbor_2.stores import (
    database,
    migrations,
    most_connections,
    robots,
    session_store,
)
from harbor_verify.profiles.harbor_2.upgrade import UPGRADE


def _labels(component: str) -> tuple[tuple[str, str], ...]:
    """`component` in every chart, the other since chart 1.15."""
    return (("component", component), ("app.kubernetes.io/component", component))


def registry_login(environment: Environment) -> Credentials:
    """What core shows to the registry, which knows nobody else."""
    names = ("REGISTRY_CREDENTIAL_USERNAME", "REGISTRY_CREDENTIAL_PASSWORD")
    user, password = (environment.get(name, "") for name in names)
    if not user or not password:
        raise WrongConfiguration(f"without {' or '.join(names)}")
    return Credentials(user, password)


def internal_tls(environment: Environment) -> str:
    """INTERNAL_TLS_CERT_PATH, where INTERNAL_TLS_ENABLED is true."""
    if environment.get("INTERNAL_TLS_ENABLED", "").lower() != "true":
        return ""
    return environment.get("INTERNAL_TLS_CERT_PATH") or "INTERNAL_TLS_CERT_PATH, which is not set"


PROFILE = Profile(
    name="harbor-2",
    words=Words(
        web="core",
        job="jobservice",
        front_door="nginx (or the ingress)",
        page="portal",
        session_setting="`_REDIS_URL_CORE` (redis[s][+sentinel]://…/database; the chart: redis.external)",
        database_settings="POSTGRESQL_HOST, POSTGRESQL_PORT, POSTGRESQL_USERNAME, POSTGRESQL_PASSWORD and "
        "POSTGRESQL_DATABASE of core (the chart: database.external)",
        token_key="/etc/core/private_key.pem (the chart: core.secretName, or core.tokenKey and core.tokenCert; without "
        "either each upgrade makes a new one)",
        token_lifetime="the token expiration (minutes) of Harbor's system settings",
        schema="Core makes and migrates the schema when it starts: read its log. It needs a database of its own, which "
        "its user owns",
        realm_setting="EXT_ENDPOINT of core (the chart: externalURL), and from 2.14 on also the Host header, which "
        "whatever stands in front has to pass on as clients sent it",
        listing="core lists an image when it takes its manifest: a web replica that does not list it asks another "
        "database, see its POSTGRESQL_HOST",
        after_change="then `kubectl rollout restart deployment NAME`",
    ),
    parts={
        Role.FRONT_DOOR: Part(
            images=("nginx-photon", "harbor-nginx"), labels=_labels("nginx"), port=8080, tls_port=8443
        ),
        Role.WEB: Part(images=("harbor-core",), labels=_labels("core"), port=8080, tls_port=8443),
        Role.REGISTRY: Part(
            images=("registry-photon", "harbor-registry"),
            labels=_labels("registry"),
            port=5000,
            tls_port=5443,
        ),
        Role.JOB: Part(images=("harbor-jobservice",), labels=_labels("jobservice"), port=8080, tls_port=8443),
        Role.PAGE: Part(images=("harbor-portal",), labels=_labels("portal"), port=8080, tls_port=8443),
    },
    required=frozenset({Role.WEB, Role.REGISTRY}),
    features=frozenset(
        {
            Feature.FORM_TOKENS,
            Feature.HEALTH_REPORT,
            Feature.IMAGE_RECORDS,
            Feature.IMAGES_ON_VOLUMES,
            Feature.INTERNAL_TLS,
            Feature.JOB_LOGS,
            Feature.METRICS,
            Feature.MIGRATIONS,
            Feature.OBJECT_STORE,
            Feature.QUOTAS,
            Feature.REPLICATION,
            Feature.REQUESTS_TAKEN_UP_EARLY,
            Feature.ROBOTS,
            Feature.SCANNERS,
            Feature.SCHEDULES,
            Feature.SECRET_KEY,
            Feature.SENTINELS,
        }
    ),
    api=Harbor2,
    registry_api=Role.WEB,
    registry_login=registry_login,
    session_store=session_store,
    database_role=Role.WEB,
    database=database,
    tables=frozenset(
        {
            "artifact",
            "blob",
            "harbor_user",
            "project",
            "project_member",
            "properties",
            "quota",
            "quota_usage",
            "repository",
            "robot",
            "role",
            "schema_migrations",
            "tag",
        }
    ),
    first_rows=(
        FirstRow("the version of the schema", "schema_migrations", "version > 0"),
        FirstRow("the first administrator, user 1", "harbor_user", "user_id = 1"),
        FirstRow("the first role, project administrator", "role", "role_id = 1"),
    ),
    member_roles={Standing.ADMINISTRATOR: 1, Standing.DEVELOPER: 2, Standing.GUEST: 3},
    actions={
        Standing.ADMINISTRATOR: frozenset({"pull", "push", "delete"}),
        Standing.DEVELOPER: frozenset({"pull", "push"}),
        Standing.GUEST: frozenset({"pull"}),
        Standing.PUBLIC: frozenset({"pull"}),
        Standing.STRANGER: frozenset(),
    },
    page=WebPage(
        login_name="#login_username",
        password="#login_password",
        log_in="#log_in",
        user='text="{user}"',
        log_out=r"text=/^\s*log ?out\s*$/i",
        local_login="#login-db",
    ),
    migrations=migrations,
    most_connections=most_connections,
    contents=Harbor2Contents(),
    jobs=Harbor2Jobs(),
    job_store=job_store,
    loggers_that_keep_nothing=loggers_that_keep_nothing,
    monitoring=Monitoring(
        of=metrics.of_replica,
        exporter=Part(images=("harbor-exporter",), labels=_labels("exporter"), port=8001),
        of_exporter=metrics.of_exporter,
        health=metrics.HEALTH,
        up=metrics.UP,
        projects=metrics.PROJECTS,
    ),
    share_connections=frozenset({Role.JOB}),
    robots=robots,
    made_anew=made_anew,
    upgrade=UPGRADE,
    secret_key=SecretKey(path="/etc/core/key", length=16, well_known=frozenset({"not-a-secure-key"})),
    internal_tls=internal_tls,
    internal_authority=lambda environment: environment.get("INTERNAL_TLS_TRUST_CA_PATH", ""),
    authorities="/harbor_cust_cert",
)
