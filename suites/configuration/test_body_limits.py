"""What the front door is told of how large a request may be."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.errors import RightMissing
from harbor_verify.findings import Findings
from harbor_verify.model import body_limits, configuration, ways_in
from harbor_verify.model.roles import Role
from harbor_verify.target import Target

_NO_LIMIT = "no limit on how large a request may be"


@check(
    "configuration.front-door-limits-no-bodies",
    hint="A layer is one request, and layers of machine learning images have many GiB: what is above the limit ends "
    "with 413, a limit that no image meets today will be met one day. Remove it: {body_limit}.",
    source="nginx: client_max_body_size; ingress-nginx: proxy-body-size; goharbor/harbor reports 17546 and 13339",
    severity=SHOULD,
    builds_on=("images.layer-sizes",),
)
def test_the_front_door_is_told_of_no_limit(harbor: Target, findings: Findings, not_applicable):
    """The configuration of Harbor's nginx, and of the Ingress before Harbor, limit no layer's size.

    Source: client_max_body_size in the file that each nginx replica mounts, or the annotations of the Ingress.
    Limits that stand nowhere there (the defaults of a controller, a proxy before it) only images.layer-sizes can meet.
    """
    own = Role.FRONT_DOOR in harbor.deployment.workloads
    for replica in harbor.replicas(Role.FRONT_DOOR) if own else ():
        texts = configuration.given_texts(
            replica.pod.spec, replica.container, harbor.deployment.config_map, harbor.deployment.secret
        )
        for path, text in texts.items():
            limits = body_limits.of_nginx(text)
            if limits is None:
                continue
            with findings.about(replica.object, _NO_LIMIT) as told:
                if limits:
                    told.wrong(f"{path} says {', '.join(limits)}")
    of_nginx = findings.examined
    for ingress in _ingresses(harbor, own):
        annotations = ingress.metadata.annotations or {}
        if not body_limits.ANNOTATIONS & annotations.keys():
            continue
        with findings.about(f"Ingress {harbor.namespace}/{ingress.metadata.name}", _NO_LIMIT) as told:
            if limits := body_limits.of_annotations(annotations):
                told.wrong(f"its annotations say {', '.join(limits)}")
    if own and not of_nginx and not findings.offenders:
        not_applicable("no ConfigMap or Secret has the configuration of Harbor's nginx: it was NOT verified")
    if not findings.examined:
        not_applicable(
            "nothing that can be read here says how large a request may be; only images.layer-sizes tried it"
        )


def _ingresses(harbor, own):
    """Those that lead clients to Harbor; before a proxy of its own, which is judged either way, where we may look."""
    if own and not harbor.may_be_behind_an_ingress:
        return []
    services, host = harbor.services_for_clients(), harbor.host if own else ""
    try:
        return ways_in.ingresses_to(harbor.kubernetes, harbor.namespace, services, host)
    except RightMissing:
        if not own:
            raise
        return []
