"""What a kubeconfig says beside server and token: a proxy of the cluster's own, a plugin that gives credentials."""

import json

import pytest

from harbor_verify.clients import kubernetes
from harbor_verify.clients.kubernetes import connect
from harbor_verify.errors import SettingsError


def kubeconfig(tmp_path, cluster=None, user=None):
    file = tmp_path / "kubeconfig"
    file.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
                "clusters": [
                    {"name": "k", "cluster": {"server": "https://k.example:6443", **(cluster or {})}}
                ],
                "users": [{"name": "u", "user": user or {"token": "t"}}],
            }
        )
    )
    return file


def connected(file):
    return connect(file, None, timeouts_s=(1, 1)).configuration


def test_the_proxy_of_a_cluster_wins_over_one_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example:3128")
    monkeypatch.setenv("NO_PROXY", ".other")
    chosen = connected(kubeconfig(tmp_path, cluster={"proxy-url": "http://proxy.example:3128"}))
    assert (chosen.proxy, chosen.no_proxy) == ("http://proxy.example:3128", "nobody.invalid")
    assert connected(kubeconfig(tmp_path)).proxy == "http://other.example:3128"


def test_a_proxy_of_another_kind_is_told(tmp_path):
    with pytest.raises(SettingsError, match="socks5://p is no HTTP proxy"):
        connected(kubeconfig(tmp_path, cluster={"proxy-url": "socks5://p:1080"}))


PLUGIN = """#!/bin/sh
%s
"""
TOKEN = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential",
    "status": {"token": "s3cret"},
}


def plugin(tmp_path, script):
    program = tmp_path / "plugin"
    program.write_text(PLUGIN % script)
    program.chmod(0o755)
    return {"exec": {"apiVersion": TOKEN["apiVersion"], "command": str(program), "interactiveMode": "Never"}}


def test_a_plugin_that_gives_a_token_is_believed(tmp_path):
    user = plugin(tmp_path, f"echo '{json.dumps(TOKEN)}'")
    assert "s3cret" in connected(kubeconfig(tmp_path, user=user)).api_key["BearerToken"]


@pytest.mark.parametrize("script", ["echo please log in >&2; exit 1", "echo '{}'", "echo no JSON"])
def test_a_plugin_that_fails_is_told_before_anything_is_asked(tmp_path, script):
    """Without it each question was answered 401, and nothing said why."""
    with pytest.raises(SettingsError, match=r"its plugin .*/plugin gives no credentials: \w+"):
        connected(kubeconfig(tmp_path, user=plugin(tmp_path, script)))


def test_a_plugin_that_does_not_end_is_told_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(kubernetes, "PLUGIN_S", 0.1)
    with pytest.raises(SettingsError, match=r"not read within 0\.1 s: its plugin does not end"):
        connected(kubeconfig(tmp_path, user=plugin(tmp_path, "exec sleep 1")))


def test_a_plugin_that_is_not_installed_is_told(tmp_path):
    user = {"exec": {"apiVersion": TOKEN["apiVersion"], "command": "no-such-plugin"}}
    with pytest.raises(SettingsError, match="its plugin no-such-plugin gives no credentials: "):
        connected(kubeconfig(tmp_path, user=user))
