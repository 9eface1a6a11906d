"""What was found, in lines for the top of a run."""

from harbor_verify.facts.model import Facts
from harbor_verify.model.roles import Role
from harbor_verify.own_url import OWN_URL
from harbor_verify.target import Target


def describe(target: Target, facts: Facts) -> list[str]:
    """What was found, a line a thing, for the top of a run."""
    access, deployment = target.access, target.deployment
    how = "from inside" if access.kubernetes.inside else f"through {access.kubernetes.server}"
    what = f"provider {access.provider}, profile {deployment.profile.name}"
    lines = [
        f"Harbor: {access.url}, namespace {access.namespace} {how} ({what})",
    ]
    lines += [f"  {remark}" for remark in access.remarks]
    if access.provider == "existing" and target.settings.harbor_url is None:
        lines.insert(1, f"  URL: as Harbor's own settings name it ({OWN_URL}); --harbor-url overrides")
    workloads, all_replicas = deployment.workloads, deployment.all_replicas()
    for role, workload in workloads.items():
        replicas = all_replicas[role]
        ready = sum(replica.ready for replica in replicas)
        nodes = sorted({replica.node for replica in replicas if replica.node})
        lines.append(
            f"  {role}: {workload.kind} {workload.name}, {ready} of {workload.desired} Ready"
            + (f" on {', '.join(nodes)}" if nodes else "")
        )
    forwarded = [str(role) for role in workloads if target.is_forwarded(role)]
    if forwarded:
        lines.append(
            f"  reached by port-forward: {', '.join(forwarded)}; they take nothing that comes from this pod itself "
            "(a mesh, a NetworkPolicy)"
        )
    for role in deployment.profile.parts:
        if role not in workloads:
            # What clients come by in its place (an Ingress, a route) stands among the facts, as exposure.
            none = "no proxy of Harbor's own" if role is Role.FRONT_DOOR else "none found"
            lines.append(f"  {role}: {none}")
    for volume in deployment.volumes():
        bound = (
            f" to {volume.claim.spec.volume_name}" if volume.claim and volume.claim.spec.volume_name else ""
        )
        lines.append(
            f"  volume: {volume.claim_name}, {volume.phase}{bound}, used by {', '.join(volume.used_by)}"
        )
    lines += [f"  not looked at, this account may not: {missing}" for missing in deployment.hidden]
    return lines + [f"  {line}" for line in facts.lines()]
