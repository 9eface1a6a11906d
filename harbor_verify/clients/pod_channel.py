"""A WebSocket to one pod, by way of the API server: for commands (exec) and connections (port-forward).

The client library's own exec and port-forward are not used: they replace a shared method while they connect, hide
why a connection was refused, and carry the bytes in a thread whose errors nobody sees.
Source: Kubernetes, WebSocket subprotocol v4.channel.k8s.io: the first byte of a message is its channel.
"""

import re
import time
from urllib.parse import urlencode

import websocket
import yaml
from kubernetes import client
from kubernetes.stream.ws_client import create_websocket, get_websocket_url

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import HarnessError, ProgramMissing, RightMissing, TargetUnreachable

PROTOCOL = "v4.channel.k8s.io"
STDOUT, STDERR, STATUS = 1, 2, 3
_NO_PROGRAM = re.compile(r"executable file\b.*not found|exit code 12[67]", re.IGNORECASE)
"""What a container runtime says, and with which codes a shell ends (POSIX, Shell & Utilities, 2.8.2)."""


class PodGone(TargetUnreachable):
    """There is no such pod (any more): who took it away says nothing about Harbor."""


class CommandInPodFailed(HarnessError):
    """A command in a container ended badly."""


def open_channel(
    kubernetes: Kubernetes, namespace: str, pod: str, action: str, query: list[tuple[str, str]]
) -> websocket.WebSocket:
    """Connect to `action` (exec, portforward) of a pod; the caller closes it. Raises PodGone, TargetUnreachable."""
    what = f"{action} to {namespace}/{pod} at {kubernetes.server}"
    url = f"{kubernetes.server}/api/v1/namespaces/{namespace}/pods/{pod}/{action}?{urlencode(query)}"
    headers = {"sec-websocket-protocol": PROTOCOL}
    kubernetes.core.api_client.update_params_for_auth(headers, [], ["BearerToken"])
    try:
        channel = create_websocket(kubernetes.configuration, get_websocket_url(url), headers)
    except websocket.WebSocketBadStatusException as refused:
        message = _message(refused)
        if refused.status_code == 404:
            raise PodGone(f"{what}: {message}") from refused
        kind = RightMissing if refused.status_code == 403 else TargetUnreachable
        raise kind(f"{what}: {refused.status_code} {message}") from refused
    except (OSError, websocket.WebSocketException) as silent:
        raise TargetUnreachable(f"{what}: {silent}") from silent
    return channel


def run_in_pod(kubernetes: Kubernetes, namespace: str, pod: str, container: str, argv: list[str]) -> str:
    """What a command in a container prints on stdout; ended after the request timeout.

    Raises CommandInPodFailed with its exit code and stderr, ProgramMissing, PodGone, TargetUnreachable.
    """
    query = [
        ("container", container),
        ("stdout", "true"),
        ("stderr", "true"),
        *(("command", word) for word in argv),
    ]
    channel = open_channel(kubernetes, namespace, pod, "exec", query)
    what = f"`{argv[0]}` in {namespace}/{pod}"
    deadline = time.monotonic() + kubernetes.timeouts_s[1]
    output = {STDOUT: b"", STDERR: b"", STATUS: b""}
    try:
        while not output[STATUS]:
            channel.settimeout(max(0.01, deadline - time.monotonic()))
            opcode, data = channel.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            if data and data[0] in output:
                output[data[0]] += data[1:]
    except websocket.WebSocketTimeoutException as late:
        raise CommandInPodFailed(f"{what} did not end within {kubernetes.timeouts_s[1]:g} s") from late
    except (OSError, websocket.WebSocketException) as lost:
        raise TargetUnreachable(f"{what}: the connection was lost: {lost}") from lost
    finally:
        channel.close(timeout=1)
    status = yaml.safe_load(output[STATUS]) or {}
    if status.get("status") != "Success":
        complaint = output[STDERR].decode(errors="replace").strip()
        why = f"{status.get('message', 'ended without a status')} {complaint}".rstrip()
        if _NO_PROGRAM.search(why):
            raise ProgramMissing(
                f"container {container} cannot run `{argv[0]}`, so nobody can look into it: {why}"
            )
        raise CommandInPodFailed(f"{what}: {why}")
    return output[STDOUT].decode(errors="replace")


def _message(refused: websocket.WebSocketBadStatusException) -> str:
    """The `message` of the Status object that the API server answered with."""
    try:
        status = yaml.safe_load(refused.resp_body or b"")
    except yaml.YAMLError:
        status = None
    return (
        status.get("message", "")
        if isinstance(status, dict)
        else str(client.ApiException(refused.status_code).status)
    )
