"""What the stand-in runs with in the contract tests: MariaDB, Redis and the registry, all real, on loopback.

The secrets and names are those of the recordings, so that answers can be compared as they are.
"""

import datetime
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.contract.programs import HOST, Program, ProgramFailed, free_port, wait

REPOSITORY = Path(__file__).parents[3]
STAND_IN = REPOSITORY / "lab" / "harbor" / "harbor_1"
PYTHON = "/usr/bin/python3"
"""The one that the images have, with Debian's packages."""

UI_SECRET, JOBSERVICE_SECRET = "uiSecret0123abcd", "jobSecret0123abc"
REDIS_PASSWORD, REDIS_DATABASE = "s3ssionPW", 11
DATABASE, DATABASE_USER, DATABASE_PASSWORD = "registry_k8s", "harbork8s", "harbork8s"
ADMIN_PASSWORD = "Harbor12345"
SECRET_KEY = "0123456789abcdef"

SETTINGS = {
    "ADMIRAL_URL": "NA",
    "AUTH_MODE": "db_auth",
    "CFG_EXPIRATION": "5",
    "CLAIR_DB_PASSWORD": "password",
    "DATABASE_TYPE": "mysql",
    "EMAIL_FROM": "admin <u@example.com>",
    "EMAIL_HOST": "smtp.example.com",
    "EMAIL_IDENTITY": "",
    "EMAIL_PORT": "25",
    "EMAIL_PWD": "abc",
    "EMAIL_SSL": "false",
    "EMAIL_USR": "u@example.com",
    "EXT_ENDPOINT": "http://harbor.lab",
    "HARBOR_ADMIN_PASSWORD": ADMIN_PASSWORD,
    "JOBSERVICE_SECRET": JOBSERVICE_SECRET,
    "LDAP_BASE_DN": "ou=people,dc=example,dc=com",
    "LDAP_FILTER": "",
    "LDAP_SCOPE": "3",
    "LDAP_TIMEOUT": "5",
    "LDAP_UID": "uid",
    "LDAP_URL": "ldaps://ldap.example.com",
    "LOG_LEVEL": "debug",
    "MAX_JOB_WORKERS": "3",
    "MYSQL_DATABASE": DATABASE,
    "MYSQL_HOST": "mysql",
    "MYSQL_PORT": "3306",
    "MYSQL_PWD": DATABASE_PASSWORD,
    "MYSQL_USR": DATABASE_USER,
    "PROJECT_CREATION_RESTRICTION": "everyone",
    "REGISTRY_URL": "http://registry:5000",
    "RESET": "true",
    "SELF_REGISTRATION": "on",
    "TOKEN_EXPIRATION": "30",
    "UI_SECRET": UI_SECRET,
    "VERIFY_REMOTE_CERT": "on",
    "WITH_CLAIR": "False",
    "WITH_NOTARY": "False",
}
"""What the recorded adminserver had in its environment."""


def adminserver(name: str, folder: Path, **changed: str | None) -> Program:
    """An adminserver of its own; `changed` are variables (None: not set)."""
    port = free_port()
    (folder / "adminserver.key").write_text(SECRET_KEY)
    environment = SETTINGS | {
        "PORT": str(port),
        "KEY_PATH": str(folder / "adminserver.key"),
        "JSON_CFG_STORE_PATH": str(folder / f"{name}.json"),
    }
    environment |= changed
    given = {key: value for key, value in environment.items() if value is not None}
    return Program(name, [PYTHON, STAND_IN / "bin" / "harbor_adminserver"], port, folder, given)


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A private key (PKCS#1) and its certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "harbor-token-issuer")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = folder / f"{name}.pem", folder / f"{name}.crt"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


@dataclass
class Stack:
    """All of it, with two ui. Made by `start`, ended by `end`."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="harbor-contract-")))
    programs: dict[str, Program] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Program:
        try:
            return self.__dict__["programs"][name]
        except KeyError:
            raise AttributeError(name) from None

    def start(self) -> None:
        self.folder.chmod(0o755)  # MariaDB runs as another user
        self._make_database()
        self.key, self.certificate = key_pair(self.folder, "private_key")
        self._make_redis()
        ports = {"ui1": free_port(), "ui2": free_port()}
        self._make_registry(notified=ports["ui1"])
        self._make_adminserver()
        self.load_schema(DATABASE)
        for name in ("redis", "registry", "adminserver"):
            self.programs[name].start()
        for name, port in ports.items():
            self.programs[name] = self.ui(name, port=port)
        # One after the other: which of them sets the first password is then no race.
        for name in ports:
            self.programs[name].start()

    def end(self) -> None:
        for program in reversed(self.programs.values()):
            program.end()
        shutil.rmtree(self.folder)

    def ui(self, name: str, port: int | None = None, **changed: str | None) -> Program:
        """A ui with sessions in Redis; `changed` are variables (None: not set)."""
        port = port or free_port()
        app_config = self.folder / f"{name}.conf"
        app_config.write_text(
            "appname = Harbor\nrunmode = dev\nenablegzip = true\n\n"
            f"[dev]\nhttpport = {port}\nhttpaddr = {HOST}\n"
        )
        environment = self._client_environment() | {
            "CONFIG_PATH": str(app_config),
            "TOKEN_PRIVATE_KEY_PATH": str(self.key),
            "_REDIS_URL": self.redis_url(),
        }
        environment |= changed
        given = {key: value for key, value in environment.items() if value is not None}
        program = Program(name, [PYTHON, STAND_IN / "bin" / "harbor_ui"], port, self.folder, given)
        self.programs[name] = program
        return program

    def another_adminserver(self, name: str, **changed: str) -> Program:
        """One with the settings of the stack's but for some, and a store of its own."""
        settings = {key: self.adminserver.environment[key] for key in SETTINGS} | changed
        self.programs[name] = adminserver(name, self.folder, **settings)
        return self.programs[name]

    def jobservice(self, **changed: str) -> Program:
        port = free_port()
        app_config = self.folder / "jobservice.conf"
        app_config.write_text(f"runmode = dev\n[dev]\nhttpport = {port}\nhttpaddr = {HOST}\n")
        environment = self._client_environment() | {"CONFIG_PATH": str(app_config)} | changed
        program = Program(
            "jobservice", [PYTHON, STAND_IN / "bin" / "harbor_jobservice"], port, self.folder, environment
        )
        self.programs["jobservice"] = program
        return program

    def redis_url(self, **changed: str) -> str:
        parts = {
            "address": f"{HOST}:{self.redis.port}",
            "size": "100",
            "password": REDIS_PASSWORD,
            "database": str(REDIS_DATABASE),
        }
        return ",".join((parts | changed).values())

    def url(self, name: str) -> str:
        return f"http://{HOST}:{self.programs[name].port}"

    def sql(self, statements: str, database: str = DATABASE) -> list[list[str]]:
        """Run SQL as the database's administrator; the rows."""
        result = subprocess.run(
            [
                "mariadb",
                "--no-defaults",
                f"--socket={self._socket}",
                "--batch",
                "--skip-column-names",
                database,
            ],
            input=statements,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return [line.split("\t") for line in result.stdout.splitlines()]

    def load_schema(self, database: str) -> None:
        """Into a database that is made for it."""
        self.sql(
            f"DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} CHARACTER SET utf8;", "mysql"
        )
        self.sql((STAND_IN / "schema.sql").read_text(), database)
        self.sql(f"GRANT ALL ON {database}.* TO '{DATABASE_USER}'@'%'", "mysql")

    def _client_environment(self) -> dict[str, str]:
        return {
            "ADMIN_SERVER_URL": self.url("adminserver"),
            "UI_SECRET": UI_SECRET,
            "JOBSERVICE_SECRET": JOBSERVICE_SECRET,
            "LOG_LEVEL": "debug",
            "GODEBUG": "netdns=cgo",
        }

    @property
    def _socket(self) -> Path:
        return self.folder / "mysql.sock"

    def _make_database(self) -> None:
        data, port = self.folder / "mysql", free_port()
        # Each starts by deleting what it takes for its own temporary tables of earlier: /tmp has those of others too.
        temporary = self.folder / "mysql-temporary"
        temporary.mkdir()
        options = [f"--datadir={data}", f"--tmpdir={temporary}", "--innodb-log-file-size=8M"]
        if os.getuid() == 0:
            options.append("--user=mysql")
            for place in (self.folder, temporary):  # the server makes its socket in the folder
                shutil.chown(place, "mysql")
        made = subprocess.run(
            [
                "mariadb-install-db", "--no-defaults", *options, "--skip-test-db",
                "--auth-root-authentication-method=socket",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise ProgramFailed(
                f"mariadb-install-db ended with {made.returncode}:\n{made.stdout}{made.stderr}"
            )
        self.programs["mysql"] = Program(
            "mysql",
            [
                shutil.which("mariadbd") or "/usr/sbin/mariadbd", "--no-defaults", *options,
                f"--socket={self._socket}", f"--port={port}", f"--bind-address={HOST}", "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M",
                "--performance-schema=OFF",
            ],
            port,
            self.folder,
        )  # fmt: skip
        self.mysql.start()
        wait(self._socket.exists, "MariaDB's socket")
        self.sql(f"CREATE USER '{DATABASE_USER}'@'%' IDENTIFIED BY '{DATABASE_PASSWORD}'", "mysql")

    def _make_redis(self) -> None:
        port, data = free_port(), self.folder / "redis"
        data.mkdir()
        self.programs["redis"] = Program(
            "redis",
            [
                "redis-server", "--bind", HOST, "--port", str(port), "--requirepass", REDIS_PASSWORD,
                "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", data,
            ],
            port,
            self.folder,
        )  # fmt: skip

    def _make_registry(self, notified: int) -> None:
        port, storage = free_port(), self.folder / "storage"
        storage.mkdir()
        configuration = self.folder / "registry.yml"
        configuration.write_text(f"""
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
http: {{addr: "{HOST}:{port}"}}
auth:
  token:
    issuer: harbor-token-issuer
    realm: http://harbor.lab/service/token
    rootcertbundle: {self.certificate}
    service: harbor-registry
notifications:
  endpoints:
    - name: harbor
      disabled: false
      url: http://{HOST}:{notified}/service/notifications
      timeout: 3000ms
      threshold: 5
      backoff: 1s
""")
        self.programs["registry"] = Program(
            "registry", ["docker-registry", "serve", configuration], port, self.folder
        )

    def _make_adminserver(self) -> None:
        self.programs["adminserver"] = adminserver(
            "adminserver",
            self.folder,
            CFG_EXPIRATION="1",  # not to wait longer than needed for a change to be seen
            MYSQL_HOST=HOST,
            MYSQL_PORT=str(self.mysql.port),
            REGISTRY_URL=f"http://{HOST}:{self.registry.port}",
        )
