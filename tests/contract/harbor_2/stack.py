"""What the stand-in of Harbor 2 runs with in the contract tests: PostgreSQL, Redis and the registry, all real.

The secrets and names are those of the recordings, so that answers can be compared as they are. Everything listens on
loopback.
"""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.contract.programs import HOST, Program, free_port, wait

REPOSITORY = Path(__file__).parents[3]
STAND_IN = REPOSITORY / "lab" / "harbor" / "harbor_2"
PYTHON = "/usr/bin/python3"
"""The one that the images have, with Debian's packages."""

ADMIN_PASSWORD = "Harbor12345"
CORE_SECRET, JOBSERVICE_SECRET = "coreSecret1234ab", "jobSecret1234567"
CSRF_KEY = "0123456789abcdef0123456789abcdef"
SECRET_KEY = "0123456789abcdef"
REDIS_PASSWORD = "redispass"
REGISTRY_USER, REGISTRY_PASSWORD = "harbor_registry_user", "harbor_registry_password"
REGISTRY_HASH = f"{REGISTRY_USER}:$2b$05$r6zaiif07Q1s4MIEJNOBwuJmMzO8EeZvESb/qsG7wkWrh8blwzkyW"
"""bcrypt with few rounds, so that the tests do not wait for it."""
DATABASE, DATABASE_USER, DATABASE_PASSWORD = "registry", "harbor", "dbpass"
EXTERNAL_URL = "http://harbor.example"
CORE_URL = "http://core:8080"


def private_key(folder: Path, name: str) -> Path:
    """A key that signs tokens (PKCS#1)."""
    file = folder / f"{name}.pem"
    file.write_bytes(
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return file


@dataclass
class Stack:
    """All of it, with two cores that share everything. Made by `start`, ended by `end`."""

    version: str = "2.12"
    """Which Harbor is played; most recordings are of 2.12.4."""
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="harbor-contract-")))
    programs: dict[str, Program] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Program:
        return self.programs[name]

    def start(self) -> None:
        self.folder.chmod(0o755)  # PostgreSQL runs as another user
        self.key = private_key(self.folder, "private_key")
        (self.folder / "key").write_text(SECRET_KEY)
        self._make_database()
        self._make_redis()
        self._make_registry()
        self._ports = {name: free_port() for name in ("jobservice", "registryctl", "portal")}
        for name in ("redis", "registry"):
            self.programs[name].start()
        self.programs["portal"] = Program(
            "portal",
            [PYTHON, "-m", "http.server", "--bind", HOST, str(self._ports["portal"])],
            self._ports["portal"],
            self.folder,
        )
        self.programs["portal"].launch()
        for name in ("core-a", "core-b"):
            self.core(name).launch()
        for name in ("core-a", "core-b"):
            self.programs[name].wait_open()
        for program in (self.registryctl(), self.jobservice()):
            program.start()
        self.programs["portal"].wait_open()

    def end(self) -> None:
        for program in reversed(self.programs.values()):
            # None of them has anything to lose, and core takes its time when it is asked.
            program.end(9)
        shutil.rmtree(self.folder)

    def core(self, name: str, port: int | None = None, **changed: str | None) -> Program:
        """A core; `changed` are variables (None: not set)."""
        port = port or free_port()
        environment = {
            "CORE_URL": CORE_URL,
            "CORE_LOCAL_URL": f"http://{HOST}:{port}",
            "PORTAL_URL": f"http://{HOST}:{self._ports['portal']}",
            "REGISTRY_URL": self.url("registry"),
            "REGISTRY_CONTROLLER_URL": f"http://{HOST}:{self._ports['registryctl']}",
            "JOBSERVICE_URL": f"http://{HOST}:{self._ports['jobservice']}",
            "TOKEN_SERVICE_URL": f"{CORE_URL}/service/token",
            "EXT_ENDPOINT": EXTERNAL_URL,
            "DATABASE_TYPE": "postgresql",
            "POSTGRESQL_HOST": HOST,
            "POSTGRESQL_PORT": str(self["postgresql"].port),
            "POSTGRESQL_USERNAME": DATABASE_USER,
            "POSTGRESQL_PASSWORD": DATABASE_PASSWORD,
            "POSTGRESQL_DATABASE": DATABASE,
            "POSTGRESQL_SSLMODE": "disable",
            "_REDIS_URL_CORE": self.redis_url(0),
            "_REDIS_URL_REG": self.redis_url(1),
            "HARBOR_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "CORE_SECRET": CORE_SECRET,
            "JOBSERVICE_SECRET": JOBSERVICE_SECRET,
            "CSRF_KEY": CSRF_KEY,
            "REGISTRY_CREDENTIAL_USERNAME": REGISTRY_USER,
            "REGISTRY_CREDENTIAL_PASSWORD": REGISTRY_PASSWORD,
            "REGISTRY_STORAGE_PROVIDER_NAME": "filesystem",
            "KEY_PATH": str(self.folder / "key"),
            "TOKEN_PRIVATE_KEY_PATH": str(self.key),
            "PORT": str(port),
            "LOG_LEVEL": "debug",
        }
        return self._program(name, "harbor_core", [], port, environment, changed)

    def restart_core(self, name: str, **changed: str | None) -> Program:
        """On the same port, with other variables."""
        self.programs[name].end(9)
        program = self.core(name, self.programs[name].port, **changed)
        program.start()
        return program

    def jobservice(
        self,
        name: str = "jobservice",
        port: int | None = None,
        *,
        metrics_port: int = 0,
        **changed: str | None,
    ) -> Program:
        """A jobservice that asks core-a; its logs lie in the folder job-logs. With a `metrics_port` it has metrics."""
        port = port or self._ports["jobservice"]
        logs = self.folder / "job-logs"
        logs.mkdir(exist_ok=True)
        configuration = self.folder / f"{name}.yml"
        configuration.write_text(f"""
protocol: http
port: {port}
worker_pool:
  workers: 10
  backend: redis
  redis_pool:
    redis_url: "{self.redis_url(2)}"
    namespace: harbor_job_service_namespace
    idle_timeout_second: 3600
job_loggers:
  - name: FILE
    level: INFO
    settings:
      base_dir: {logs}
    sweeper:
      duration: 14
      settings:
        work_dir: {logs}
metric:
  enabled: {str(bool(metrics_port)).lower()}
  path: /metrics
  port: {metrics_port}
loggers:
  - name: STD_OUTPUT
    level: INFO
""")
        environment = {
            "CORE_URL": self.url("core-a"),
            "TOKEN_SERVICE_URL": f"{self.url('core-a')}/service/token",
            "REGISTRY_URL": self.url("registry"),
            "REGISTRY_CONTROLLER_URL": f"http://{HOST}:{self._ports['registryctl']}",
            "CORE_SECRET": CORE_SECRET,
            "JOBSERVICE_SECRET": JOBSERVICE_SECRET,
            "REGISTRY_CREDENTIAL_USERNAME": REGISTRY_USER,
            "REGISTRY_CREDENTIAL_PASSWORD": REGISTRY_PASSWORD,
        }
        return self._program(name, "harbor_jobservice", ["-c", configuration], port, environment, changed)

    def exporter(self, name: str, **changed: str | None) -> Program:
        """One that asks core-a."""
        port = free_port()
        environment = {
            "HARBOR_EXPORTER_PORT": str(port),
            "HARBOR_EXPORTER_METRICS_PATH": "/metrics",
            "HARBOR_EXPORTER_CACHE_TIME": "1",
            "HARBOR_SERVICE_SCHEME": "http",
            "HARBOR_SERVICE_HOST": HOST,
            "HARBOR_SERVICE_PORT": str(self["core-a"].port),
            "HARBOR_REDIS_URL": self.redis_url(2),
            "HARBOR_REDIS_NAMESPACE": "harbor_job_service_namespace",
            "HARBOR_DATABASE_HOST": HOST,
            "HARBOR_DATABASE_PORT": str(self["postgresql"].port),
            "HARBOR_DATABASE_USERNAME": DATABASE_USER,
            "HARBOR_DATABASE_PASSWORD": DATABASE_PASSWORD,
            "HARBOR_DATABASE_DBNAME": DATABASE,
        }
        return self._program(name, "harbor_exporter", [], port, environment, changed)

    def registryctl(self, **changed: str | None) -> Program:
        port = self._ports["registryctl"]
        configuration = self.folder / "registryctl.yml"
        configuration.write_text(
            f"protocol: http\nport: {port}\nlog_level: info\n"
            f"registry_config: {self.folder / 'registry.yml'}\n"
        )
        environment = {"CORE_SECRET": CORE_SECRET, "JOBSERVICE_SECRET": JOBSERVICE_SECRET}
        return self._program(
            "registryctl", "harbor_registryctl", ["-c", configuration], port, environment, changed
        )

    def another_registry(self, name: str, storage: str = "storage", secret: str = "httpSecret") -> Program:
        """With the same Redis. Its storage is a folder of the stack's."""
        port = free_port()
        (self.folder / storage).mkdir(exist_ok=True)
        configuration = self.folder / f"{name}.yml"
        configuration.write_text(f"""
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {self.folder / storage}}}
  cache: {{layerinfo: redis}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
  redirect: {{disable: true}}
redis:
  addr: {HOST}:{self["redis"].port}
  password: {REDIS_PASSWORD}
  db: 1
http:
  addr: "{HOST}:{port}"
  secret: {secret}
auth:
  htpasswd:
    realm: harbor-registry-basic-realm
    path: {self.folder / "passwd"}
""")
        program = Program(name, ["docker-registry", "serve", configuration], port, self.folder)
        self.programs[name] = program
        return program

    def redis_url(self, database: int) -> str:
        return f"redis://:{REDIS_PASSWORD}@{HOST}:{self['redis'].port}/{database}?idle_timeout_seconds=30"

    def url(self, name: str) -> str:
        return f"http://{HOST}:{self.programs[name].port}"

    def sql(self, statements: str, database: str = DATABASE) -> list[list[str]]:
        """Run SQL as the database's administrator; the rows."""
        result = subprocess.run(
            [
                self._postgresql("psql"), "--no-psqlrc", "--host", HOST, "--port", str(self["postgresql"].port),
                "--username", "postgres", "--dbname", database, "--no-align", "--tuples-only",
                "--set", "ON_ERROR_STOP=1", "--field-separator", "\t",
            ],
            input=statements, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return [line.split("\t") for line in result.stdout.splitlines()]

    def _program(
        self,
        name: str,
        executable: str,
        arguments: list[str | Path],
        port: int,
        environment: dict[str, str],
        changed: dict[str, str | None],
    ) -> Program:
        environment = {"HARBOR_STAND_IN_VERSION": self.version} | environment
        given = {key: value for key, value in (environment | changed).items() if value is not None}
        argv = [PYTHON, STAND_IN / "bin" / executable, *arguments]
        self.programs[name] = Program(name, argv, port, self.folder, given)
        return self.programs[name]

    def _postgresql(self, program: str) -> str:
        """Debian keeps them away from PATH."""
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert folders, "PostgreSQL is not installed (Debian: postgresql)"
        return str(folders[-1] / program)

    def _make_database(self) -> None:
        data, port = self.folder / "postgresql", free_port()
        data.mkdir()
        # It refuses to run as root.
        user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        as_user = user if os.getuid() == 0 else []
        if as_user:
            shutil.chown(data, "postgres", "postgres")
        subprocess.run(
            [
                *as_user, self._postgresql("initdb"), "--pgdata", data, "--username=postgres", "--auth=trust",
                "--encoding=UTF8", "--locale=C", "--no-sync",
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "shared_buffers": "16MB",
            "max_connections": "200",
        }
        argv = [*as_user, self._postgresql("postgres"), "-D", str(data), "-p", str(port)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        self.programs["postgresql"] = Program("postgresql", argv, port, self.folder)
        self.programs["postgresql"].start()
        wait(self._answers, "PostgreSQL answers")
        self.sql(f"CREATE ROLE {DATABASE_USER} LOGIN PASSWORD '{DATABASE_PASSWORD}'", "postgres")
        self.sql(f"CREATE DATABASE {DATABASE} OWNER {DATABASE_USER}", "postgres")

    def _answers(self) -> bool:
        try:
            return self.sql("SELECT 1", "postgres") == [["1"]]
        except AssertionError:
            return False

    def _make_redis(self) -> None:
        port, data = free_port(), self.folder / "redis"
        data.mkdir()
        argv = ["redis-server", "--bind", HOST, "--port", str(port), "--requirepass", REDIS_PASSWORD]
        argv += ["--save", "", "--appendonly", "no", "--dir", str(data)]
        self.programs["redis"] = Program("redis", argv, port, self.folder)

    def _make_registry(self) -> None:
        (self.folder / "passwd").write_text(f"{REGISTRY_HASH}\n")
        self.another_registry("registry")
