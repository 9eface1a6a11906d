"""The Kubernetes API: bounded in time, with errors that say what was asked of whom."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import urllib3
import websocket
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException
from yaml import YAMLError

from harbor_verify.clients import proxies
from harbor_verify.errors import NeedMissing, RightMissing, SettingsError, TargetUnreachable

T = TypeVar("T")
_NOT_A_KUBECONFIG = (TypeError, AttributeError, KeyError)
"""What the library stumbles over in a file of another kind: it takes its form for granted."""
PLUGIN_S = 120.0
"""For a plugin that gives credentials: somebody may have to sign in at a page."""
PAGE = 250
"""Objects: so many pods of two containers take 40 MiB here."""
IN_CLUSTER_TOKEN = Path(config.incluster_config.SERVICE_TOKEN_FILENAME)


class _BoundedClient(client.ApiClient):
    """Gives each request the timeouts that its caller did not."""

    timeouts_s: tuple[float, float] = (5, 30)

    def request(self, *args: Any, _request_timeout: Any = None, **kwargs: Any) -> Any:
        return super().request(*args, _request_timeout=_request_timeout or self.timeouts_s, **kwargs)


class Kubernetes:
    """One cluster, as one kubeconfig and context, or a pod's service account, reaches it."""

    def __init__(
        self, configuration: client.Configuration, *, timeouts_s: tuple[float, float], inside: bool
    ) -> None:
        """`inside`: this process runs in the cluster, so that pods' addresses can be reached."""
        self.configuration, self.timeouts_s, self.inside = configuration, timeouts_s, inside
        configuration.retries = 0
        # The library opens WebSockets without any timeout, and offers no other way to set one.
        websocket.setdefaulttimeout(timeouts_s[0])

    @property
    def server(self) -> str:
        return self.configuration.host

    @cached_property
    def core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self.api_client())

    @cached_property
    def apps(self) -> client.AppsV1Api:
        return client.AppsV1Api(self.core.api_client)

    @cached_property
    def coordination(self) -> client.CoordinationV1Api:
        return client.CoordinationV1Api(self.core.api_client)

    @cached_property
    def authorization(self) -> client.AuthorizationV1Api:
        return client.AuthorizationV1Api(self.core.api_client)

    def api_client(self) -> client.ApiClient:
        """A new client, for a thread of its own; the caller closes it."""
        made = _BoundedClient(self.configuration)
        made.timeouts_s = self.timeouts_s
        return made

    def close(self) -> None:
        self.core.api_client.close()

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Names what is asked; raises TargetUnreachable for anything that the API server does not grant: RightMissing
        where it is this account that may not.
        """
        try:
            yield
        except client.ApiException as refused:
            kind = RightMissing if refused.status == 403 else TargetUnreachable
            raise kind(
                f"{what} at {self.server}: {refused.status} {refused.reason}{_advice(refused)}"
            ) from refused
        except (urllib3.exceptions.HTTPError, OSError, websocket.WebSocketException) as silent:
            raise TargetUnreachable(
                f"{what} at {self.server}: {_short(silent)}. Does this machine reach the cluster?"
            ) from silent

    def ask(self, what: str, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Make one call of the API; raises TargetUnreachable, saying what was asked."""
        with self.asking(what):
            return call(*args, **kwargs)

    def version(self) -> str:
        """Of the API server: v1.31.0. Raises TargetUnreachable."""
        told = self.ask("ask for the API server's version", client.VersionApi(self.core.api_client).get_code)
        return str(told.git_version)

    def pages(
        self, what: str, call: Callable[..., Any], *args: Any, most: int = PAGE, **kwargs: Any
    ) -> Iterator[Any]:
        """Each object of a list, page by page, `most` in each; see `pages`."""
        return pages(self.ask, what, call, *args, most=most, **kwargs)

    def may(self, verb: str, resource: str, *, namespace: str, group: str = "") -> bool:
        """Whether we are allowed to do that; `resource` may have a subresource: pods/exec."""
        name, _, subresource = resource.partition("/")
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(
                resource_attributes=client.V1ResourceAttributes(
                    namespace=namespace,
                    verb=verb,
                    resource=name,
                    subresource=subresource or None,
                    group=group,
                )
            )
        )
        answer = self.ask("ask what we may do", self.authorization.create_self_subject_access_review, review)
        return bool(answer.status.allowed)

    def may_forward(self, namespace: str) -> bool:
        """Whether we are allowed to forward ports of its pods: clients ask for that in two ways, of a verb each."""
        return all(self.may(verb, "pods/portforward", namespace=namespace) for verb in ("get", "create"))


def pages(
    ask: Callable[..., Any], what: str, call: Callable[..., Any], *args: Any, most: int = PAGE, **kwargs: Any
) -> Iterator[Any]:
    """Each object of a list, page by page, `most` in each: what is not kept of one is gone before the next comes.

    For lists that others' objects are in, too, who may have thousands. `ask` is as `Kubernetes.ask`, and so is what is
    raised, also when a page is asked for so late (minutes) that the API server has forgotten the list.
    Source: Kubernetes API concepts, retrieving large results sets in chunks.
    """
    following: dict[str, str] = {}
    while True:
        page = ask(what, call, *args, limit=most, **following, **kwargs)
        yield from page.items
        more = page.metadata and page.metadata._continue
        if not more:
            return
        following = {"_continue": more}


@contextmanager
def needing(kubernetes: Kubernetes, right: str) -> Iterator[None]:
    """As `Kubernetes.asking`, for what a check can be blocked by. Raises NeedMissing, which names the right alone."""
    try:
        with kubernetes.asking(right):
            yield
    except RightMissing as refused:
        raise NeedMissing(f"needs permission to {right}") from refused


def connect(kubeconfig: Path | None, context: str | None, *, timeouts_s: tuple[float, float]) -> Kubernetes:
    """The cluster of a kubeconfig, or, when none is given in a pod, the pod's own. Raises SettingsError."""
    configuration, own_proxy = client.Configuration(), None
    inside = IN_CLUSTER_TOKEN.exists()
    if kubeconfig is not None and not kubeconfig.is_file():
        raise SettingsError(f"the kubeconfig ({kubeconfig}) cannot be used: there is no such file")
    try:
        if inside and kubeconfig is None and context is None:
            config.load_incluster_config(client_configuration=configuration)
        else:
            with _errors_of_the_library() as errors:
                _within(
                    PLUGIN_S,
                    config.load_kube_config,
                    str(kubeconfig) if kubeconfig else None,
                    context=context,
                    client_configuration=configuration,
                )
            cluster, user = _chosen(kubeconfig, context)
            _require_login_of_plugin(configuration, user, errors)
            own_proxy = cluster.get("proxy-url")
        _use_proxy(configuration, own_proxy or proxies.of_environment(configuration.host))
    except (ConfigException, OSError, ValueError, YAMLError, *_NOT_A_KUBECONFIG) as wrong:
        where = kubeconfig or "$KUBECONFIG or ~/.kube/config"
        what = "it is no kubeconfig" if isinstance(wrong, _NOT_A_KUBECONFIG) else wrong
        raise SettingsError(f"the kubeconfig ({where}) cannot be used: {what}") from wrong
    # From inside a pod another cluster may be meant; only with the pod's own account do its addresses count.
    return Kubernetes(
        configuration, timeouts_s=timeouts_s, inside=inside and kubeconfig is None and context is None
    )


def _within(limit_s: float, call: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    """The library waits for a plugin for ever. Raises ConfigException, and whatever `call` raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - it is raised again below
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        raise ConfigException(f"it was not read within {limit_s:g} s: its plugin does not end")
    if raised:
        raise raised[0]


@contextmanager
def _errors_of_the_library() -> Iterator[list[str]]:
    """What the library logs as errors, and goes on: a plugin that fails is then a login without credentials."""
    errors: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: errors.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        yield errors
    finally:
        logging.getLogger().removeHandler(handler)


def _chosen(kubeconfig: Path | None, context: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """(cluster, user) of the context, as the kubeconfig has them."""
    places = str(kubeconfig) if kubeconfig else config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION
    whole = config.kube_config.KubeConfigMerger(places).config.value
    current = _named(whole, "context", context or whole["current-context"])
    return _named(whole, "cluster", current.get("cluster")), _named(whole, "user", current.get("user"))


def _named(whole: dict[str, Any], kind: str, name: str | None) -> dict[str, Any]:
    entries = (getattr(entry, "value", entry) for entry in whole.get(f"{kind}s") or ())
    return next((entry[kind] or {} for entry in entries if entry["name"] == name), {})


def _require_login_of_plugin(
    configuration: client.Configuration, user: dict[str, Any], errors: list[str]
) -> None:
    """Raises ConfigException where a plugin was to give credentials, and gave none."""
    if "exec" in user and not configuration.api_key and not configuration.cert_file:
        why = "; ".join(errors) or "it says nothing"
        raise ConfigException(f"its plugin {user['exec'].get('command')} gives no credentials: {why}")


def _use_proxy(configuration: client.Configuration, proxy: str | None) -> None:
    """This one, or none, for requests and WebSockets alike. A cluster's own wins over one of the environment, as for
    kubectl. Raises ConfigException.
    """
    if not proxy:
        # Without one, the library's WebSockets would look into the environment: one that is for nobody.
        configuration.proxy, configuration.no_proxy = "http://nobody.invalid:1", "*"
        return
    url = urlsplit(proxy)
    if url.scheme not in ("http", "https"):
        raise ConfigException(
            f"the proxy {url.scheme}://{url.hostname} is no HTTP proxy; no other kind is spoken here"
        )
    configuration.proxy, configuration.no_proxy = proxy, "nobody.invalid"
    if url.username:
        login = f"{unquote(url.username)}:{unquote(url.password or '')}"
        configuration.proxy_headers = urllib3.make_headers(proxy_basic_auth=login)


def _advice(refused: client.ApiException) -> str:
    """What the API server itself says: who may not do what, which object is not there."""
    try:
        message = json.loads(refused.body or "{}").get("message", "")
    except ValueError:
        message = ""
    if refused.status == 401:
        message = "the credentials of the kubeconfig are not accepted"
    return f": {message}" if message else ""


def _short(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    text = str(reason)
    return text.rpartition(": ")[2] if "object at 0x" in text else text
