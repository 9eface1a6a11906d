"""No secret stays in what is written, however it is dressed; and a text without secrets stays as it is."""

import base64
import json
import time
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify import known_secrets
from harbor_verify.clients.harbor import Credentials
from harbor_verify.redaction import REDACTED, Redaction, is_secret_name, secrets_in

PASSWORD = 'p@ss, w"ö/rd'
KEY_LINES = [*(letter * 64 for letter in "ABCDE"), "Fghijk=="]
PEM = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *KEY_LINES, "-----END RSA PRIVATE KEY-----", ""])
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJoYXJib3IifQ.c2lnbmF0dXJl-_x"


def stamped(text):
    return "".join(f"2026-11-25T00:00:00.123456789Z {line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    "text, hidden",
    [
        (f"Authorization: Basic {base64.b64encode(b'admin:secret').decode()}", "YWRta"),
        ('{"Authorization": "Bearer abc/def+ghi=="}', "abc/def"),
        (r"{\"authorization\":\"Basic c2VjcmV0\"}", "c2Vj"),
        ("map[Authorization:[Bearer abcdef] Accept:[*/*]]", "abcdef"),
        ('Authorization: Digest username="admin", response=6629fae49393a05397450978507c4ef1', "6629fae"),
        (f"the token {JWT}, and more", "eyJ"),
        (f"cut off {JWT[:30]}…", "eyJ"),
        ("Set-Cookie: beegosessionID=abcdef; Path=/; HttpOnly", "abcdef"),
        ("Cookie: harbor-lang=zh-cn; sid=s3cr3t", "s3cr3t"),
        ("Cookie:[beegosessionID=abcdef]", "abcdef"),
        ("sent sid=0123456789, got 401", "0123456789"),
        (PEM, "AAAA"),
        (PEM.replace("\n", "\\n"), "AAAA"),
        (PEM.replace("RSA ", "ENCRYPTED "), "AAAA"),
        (f"{PEM[:200]}", "AAAA"),
        (f"… {PEM[120:]} next", "DDDD"),
        (stamped(PEM), "AAAA"),
        (stamped("\n".join(PEM.splitlines()[:4])), "AAAA"),
        (stamped("\n".join(PEM.splitlines()[2:])), "DDDD"),
        (stamped("\n".join(PEM.splitlines()[5:])), "Fghijk"),
        ("GET https://robot:t0p@registry.example.com/v2/ → 500", "t0p"),
        ("redis://:p@ss@redis:6379/1", "p@ss"),
        ("harbork8s:s3cret@tcp(mysql:3306)/registry", "s3cret"),
        ("_REDIS_URL=redis:6379,100,s3cret,11", "s3cret"),
        ('{"_REDIS_URL":"redis:6379,100,s3cret,11"}', "s3cret"),
        ("MYSQL_PWD=x", "=x"),
        ("export UI_SECRET='a b c'", "a b"),
        ('ldap_search_password = "a \\" b"', "b"),
        ("password=unclosed'quote", "unclosed"),
        ('{"password":"a\\"b","user":"admin"}', "b"),
        (r"{\"secret_key\":\"a b\",\"user\":1}", "a b"),
        ("{'apiToken': 'abc'}", "abc"),
        ("{Username:admin Password:abc Host:db}", "abc"),
        ("http:\n  secret: f358c7\n  addr: :5000", "f358c7"),
        ("GET /v2/?account=admin&access_token=abc&scope=x", "abc"),
        ('[{"name":"HARBOR_ADMIN_PASSWORD","value":"a\\"bc"}]', "bc"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_and_only_that(text, hidden):
    assert hidden in text
    clean = Redaction().text(text)
    assert hidden not in clean
    assert REDACTED in clean
    assert Redaction().text(clean) == clean, "a second time changes nothing"


@pytest.mark.parametrize(
    "text",
    [
        "pod harbor/ui-rc-x1 (ui-0 on node-1): knows the session of ui-1",
        "no web replica gives a token: ui-0: 500",
        "HARBOR_ADMIN_PASSWORD: not set on ui-1",
        "see that --admin-user and --admin-password are right: Harbor's setting only counts at its first start",
        "Access denied for user 'harbork8s'@'198.18.1.4' (using password: YES)",
        "error authorizing context: authorization token required",
        "pull access denied, or may require authorization: server message: insufficient_scope: authorization failed",
        'WWW-Authenticate: Bearer realm="http://h/service/token",service="harbor-registry"',
        "TOKEN_URL=http://ui/service/token KEY_PATH=/etc/ui/key TOKEN_EXPIRATION=30 PWD=/root",
        "docker-pullable://busybox@sha256:0123abcd, library/busybox@sha256:0123abcd",
        "configMapKeyRef:\n  key: UI_SECRET\n  name: harbor-ui-config\nsecretName: ceph-secret",
        "if token == wanted and secret != other",
        "the file must begin with -----BEGIN RSA PRIVATE KEY-----, not with a certificate",
        "lost cookie: unknown afterwards",
        'POST /login → 401 Unauthorized "invalid username or password"',
        "-----BEGIN CERTIFICATE-----\nMIIC3TCCAcWgAwIBAgIUfJlv/9uCW4Fkju5awz8=\n-----END CERTIFICATE-----",
        "outage_ms=340 insecure_token=false",
    ],
)
def test_a_text_without_secrets_stays_as_it_is(text):
    assert Redaction().text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        PASSWORD,
        f"mysql: access denied with {PASSWORD}, again",
        json.dumps({"x": PASSWORD}),
        json.dumps({"x": PASSWORD}, ensure_ascii=False),
        "p%40ss%2C%20w%22%C3%B6%2Frd",
        "p%40ss%2C+w%22%C3%B6%2Frd",
        "p@ss, w&quot;ö/rd",
        base64.b64encode(PASSWORD.encode()).decode(),
        f"password={PASSWORD}",
        f"http://admin:{PASSWORD}@h/",
    ],
)
def test_a_known_secret_is_taken_out_in_every_dress(text):
    clean = Redaction([PASSWORD]).text(text)
    assert all(part not in clean for part in ("p@ss", "p%40ss", "/rd", "Frd", "quot", "cEBzcy"))
    assert REDACTED in clean


def test_of_two_secrets_that_begin_alike_nothing_is_left():
    redaction = Redaction(["harbor-1"])
    redaction.learn("harbor-12345")
    assert redaction.text("harbor-12345 harbor-1") == f"{REDACTED} {REDACTED}"


def test_a_short_secret_is_taken_out_only_beside_its_name():
    redaction = Redaction(["ui"])
    assert redaction.text("pod ui-0, ui_secret=ui") == f"pod ui-0, ui_secret={REDACTED}"


def test_an_object_is_cleaned_by_its_names_and_its_strings():
    pod = {
        "metadata": {
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": json.dumps(
                    {"spec": {"env": [{"name": "MYSQL_PWD", "value": "s3cret"}]}}
                )
            }
        },
        "spec": {
            "automountServiceAccountToken": True,
            "imagePullSecrets": [{"name": "pull-access"}],
            "containers": [
                {
                    "args": ["serve", "--password", "s3cret", "--token=s3cret", "config.yml"],
                    "env": [
                        {"name": "MYSQL_PWD", "value": "s3cret"},
                        {"name": "_REDIS_URL", "value": "redis:6379,100,s3cret,11"},
                        {"name": "UI_SECRET", "valueFrom": {"configMapKeyRef": {"key": "UI_SECRET"}}},
                        {"name": "KEY_PATH", "value": "/etc/ui/key"},
                        {"name": "GREETING", "value": "with known-secret in it"},
                    ],
                }
            ],
            "volumes": [{"name": "ceph", "secret": {"secretName": "ceph-secret"}}],
        },
    }
    before = json.dumps(pod)
    clean = Redaction(["known-secret"]).structure(pod)
    assert json.dumps(pod) == before, "what is given stays as it is"
    assert "s3cret" not in json.dumps(clean)
    assert "known-secret" not in json.dumps(clean)
    (container,) = clean["spec"]["containers"]
    assert container["args"] == ["serve", "--password", REDACTED, f"--token={REDACTED}", "config.yml"]
    assert container["env"][1]["value"] == f"redis:6379,100,{REDACTED},11"
    assert container["env"][2:4] == pod["spec"]["containers"][0]["env"][2:4]
    assert clean["spec"]["volumes"] == pod["spec"]["volumes"]
    assert clean["spec"]["imagePullSecrets"] == pod["spec"]["imagePullSecrets"]
    assert clean["spec"]["automountServiceAccountToken"] is True


@pytest.mark.parametrize(
    "names, secret",
    [
        ("HARBOR_ADMIN_PASSWORD MYSQL_PWD UI_SECRET SECRET_KEY pkey apiKey clientSecret db-passwd sid", True),
        (
            "KEY_PATH TOKEN_URL TOKEN_EXPIRATION secretName key PWD KEYCLOAK_HOST monkey public_key CONFIG_PATH",
            False,
        ),
    ],
)
def test_which_names_are_those_of_secrets(names, secret):
    assert {name: is_secret_name(name) for name in names.split()} == dict.fromkeys(names.split(), secret)


def test_secrets_are_found_in_settings_and_in_the_files_among_them():
    found = secrets_in(
        {
            "MYSQL_PWD": "of-the-database",
            "_REDIS_URL": "redis:6379,100,of-the-sessions,11",
            "DATABASE_URL": "postgres://u:of%40url@db/x",
            "TOKEN_URL": "http://ui/service/token",
            "KEY_PATH": "/etc/ui/key",
            "LDAP_SEARCH_PWD": "",
            "pkey": "unused",
            "config": 'http:\n  addr: :5000\n  secret: of-the-uploads\npassword = "of the file"\n',
            "private_key.pem": PEM,
        }
    )
    expected = {
        "of-the-database",
        "of-the-sessions",
        "of%40url",
        "of@url",
        "of-the-uploads",
        "of the file",
    }
    assert found == expected | set(KEY_LINES[:-1])


def test_the_secrets_of_a_deployment_come_from_its_config_maps_and_no_secret_is_read():
    container = client.V1Container(
        name="ui",
        env=[
            client.V1EnvVar(name="PLAIN_PASSWORD", value="written-into-it"),
            client.V1EnvVar(
                name="DB_PASSWORD",
                value_from=client.V1EnvVarSource(
                    config_map_key_ref=client.V1ConfigMapKeySelector(name="cm", key="db")
                ),
            ),
            client.V1EnvVar(
                name="OTHER",
                value_from=client.V1EnvVarSource(
                    secret_key_ref=client.V1SecretKeySelector(name="never-read", key="x")
                ),
            ),
        ],
    )
    volume = client.V1Volume(name="v", config_map=client.V1ConfigMapVolumeSource(name="files"))
    template = client.V1PodTemplateSpec(spec=client.V1PodSpec(containers=[container], volumes=[volume]))
    data = {"cm": {"db": "under-another-name"}, "files": {"token": "in-a-file"}}
    deployment = SimpleNamespace(workloads={"web": SimpleNamespace(template=template)}, config_map=data.get)
    assert known_secrets.of_deployment(deployment) == {"written-into-it", "under-another-name", "in-a-file"}


def test_a_password_is_known_as_basic_authentication_sends_it_too():
    redaction = Redaction(known_secrets.of_credentials(Credentials("x", "Harbor12345")))
    sent = base64.b64encode(b"x:Harbor12345").decode()
    assert redaction.text(f"sent {sent} for Harbor12345") == f"sent {REDACTED} for {REDACTED}"


@pytest.mark.parametrize(
    "part",
    [
        *(
            "a",
            "a=",
            'x="',
            "A" * 64 + "\n",
            'password="',
            "a:b@",
            "eyJ",
            "cookie=a=",
            " ",
            "authorization: ",
        ),
        *("-----BEGIN RSA PRIVATE KEY-----\n", "-----END RSA PRIVATE KEY-----\n"),
        *("REDIS_URL=", '"name":"', "\\"),
    ],
)
def test_no_log_makes_it_slow(part):
    began_s = time.monotonic()
    Redaction([PASSWORD]).text(part * (64 * 1024 // len(part)))
    assert time.monotonic() - began_s < 3
