"""Harbor 2 whose parts speak TLS with each other, as the chart renders it (internalTLS)."""

import yaml

from lab.deployment.manifests.objects import Object, find, of_kind, pod_of, put_text

_SECRET = "harbor-internal-tls"
PARTS = ("core", "jobservice", "portal", "registry")
"""Those that others speak to."""
_PORTS = {8080: 8443, 5000: 5443}
_SERVICE_PORTS = {80: 443, **_PORTS}
_URLS = {
    "CORE_URL": "https://harbor-core:443",
    "JOBSERVICE_URL": "https://harbor-jobservice",
    "PORTAL_URL": "https://harbor-portal",
    "REGISTRY_CONTROLLER_URL": "https://harbor-registry:8443",
    "REGISTRY_URL": "https://harbor-registry:5443",
    "TOKEN_SERVICE_URL": "https://harbor-core:443/service/token",
}


def hosts() -> list[str]:
    """What the parts call each other: the names of their Services."""
    return [f"harbor-{part}" for part in PARTS]


def speak_tls(objects: list[Object], *, certificate: str, key: str, authority: str) -> None:
    """Let Harbor's parts speak TLS with each other, with one certificate for all; all are PEM.

    Where they do already it is another certificate.
    """
    present = [each for each in of_kind(objects, "Secret") if each["metadata"]["name"] == _SECRET]
    beside = find(objects, "Secret", "harbor-core")["metadata"]
    secret = present[0] if present else _secret(beside)
    for name, text in {"tls.crt": certificate, "tls.key": key, "ca.crt": authority}.items():
        put_text(secret, name, text)
    if present:
        return
    objects.append(secret)
    core = find(objects, "ConfigMap", "harbor-core")["data"]
    core |= {"PORT": "8443", "app.conf": core["app.conf"].replace("8080", "8443")}
    core["CORE_LOCAL_URL"] = "https://127.0.0.1:8443"
    for environment in (core, find(objects, "ConfigMap", "harbor-jobservice-env")["data"]):
        environment |= {name: url for name, url in _URLS.items() if name in environment}

    listening = {"protocol": "https", "port": 8443}
    files = {"cert": _file("jobservice", "tls.crt"), "key": _file("jobservice", "tls.key")}
    _configure(objects, "harbor-jobservice", "config.yml", {**listening, "https_config": files})
    files = {"cert": _file("registry", "tls.crt"), "key": _file("registry", "tls.key")}
    _configure(objects, "harbor-registry", "ctl-config.yml", {**listening, "https_config": files})
    tls = {"certificate": files["cert"], "key": files["key"], "minimumtls": "tls1.2"}
    _configure(objects, "harbor-registry", "config.yml", {"http": {"addr": ":5443", "tls": tls}})

    portal = find(objects, "ConfigMap", "harbor-portal")["data"]
    portal["nginx.conf"] = portal["nginx.conf"].replace(
        "listen 8080;",
        f"listen 8443 ssl;\n    ssl_certificate {_file('portal', 'tls.crt')};\n"
        f"    ssl_certificate_key {_file('portal', 'tls.key')};",
    )
    front = find(objects, "ConfigMap", "harbor-nginx")["data"]
    front["nginx.conf"] = (
        front["nginx.conf"].replace(":80 ", ":443 ").replace("proxy_pass http:", "proxy_pass https:")
    )

    for part in PARTS:
        for port in find(objects, "Service", f"harbor-{part}")["spec"]["ports"]:
            port["name"] = port["name"].replace("http", "https")
            if "targetPort" in port:
                port["targetPort"] = _PORTS[port["targetPort"]]
            port["port"] = _SERVICE_PORTS[port["port"]]
        _show_certificate(objects, part)


def _secret(beside: Object) -> Object:
    """With the labels and in the namespace of the object that has this metadata."""
    metadata = {**beside, "name": _SECRET, "labels": dict(beside["labels"])}
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata}


def _file(part: str, name: str) -> str:
    return f"/etc/harbor/ssl/{part}/{name}"


def _configure(objects: list[Object], config_map: str, file: str, changes: Object) -> None:
    """Change keys of a YAML file in a ConfigMap; those of mappings in it one by one."""
    data = find(objects, "ConfigMap", config_map)["data"]
    document = yaml.safe_load(data[file])
    for key, value in changes.items():
        if isinstance(document.get(key), dict):
            document[key] |= value
        else:
            document[key] = value
    data[file] = yaml.safe_dump(document, sort_keys=False)


def _show_certificate(objects: list[Object], part: str) -> None:
    """Let the containers of a part listen with TLS, be probed so, and know their certificate and its authority."""
    pod = pod_of(objects, f"harbor-{part}")
    pod["volumes"].append({"name": "internal-tls", "secret": {"secretName": _SECRET}})
    for container in pod["containers"]:
        container["volumeMounts"].append({"name": "internal-tls", "mountPath": f"/etc/harbor/ssl/{part}"})
        for port in container["ports"]:
            port["containerPort"] = _PORTS.get(port["containerPort"], port["containerPort"])
        for probe in (container[name]["httpGet"] for name in container if name.endswith("Probe")):
            probe |= {"port": _PORTS[probe["port"]], "scheme": "HTTPS"}
        container.setdefault("env", []).extend(
            [
                {"name": "INTERNAL_TLS_ENABLED", "value": "true"},
                {"name": "INTERNAL_TLS_KEY_PATH", "value": _file(part, "tls.key")},
                {"name": "INTERNAL_TLS_CERT_PATH", "value": _file(part, "tls.crt")},
                {"name": "INTERNAL_TLS_TRUST_CA_PATH", "value": _file(part, "ca.crt")},
            ]
        )
