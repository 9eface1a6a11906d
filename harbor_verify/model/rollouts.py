"""How far controllers are with bringing their pods to a changed template, and what keeps them from it."""

from typing import Any

from harbor_verify.model.controllers import desired_of
from harbor_verify.model.workloads import Rollout


def rollout_of(item: Any) -> Rollout:
    """Of a Deployment or StatefulSet. A controller that has not seen the newest template has updated none."""
    status, desired = item.status, desired_of(item)
    is_seen = (status.observed_generation or 0) >= (item.metadata.generation or 0)
    updated = (status.updated_replicas or 0) if is_seen else 0
    revisions = {getattr(status, name, None) for name in ("current_revision", "update_revision")}
    if is_seen and revisions != {None} and len(revisions) == 1:
        # Of a StatefulSet that has nothing to update, updatedReplicas may be absent.
        updated = status.replicas or 0
    former = max(0, (status.replicas or 0) - updated)
    bad = {("Progressing", "False"), ("ReplicaFailure", "True")}
    conditions = getattr(status, "conditions", None) or ()
    stuck = [f"{c.reason}: {c.message}" for c in conditions if (c.type, c.status) in bad][:1]
    if is_seen and former and (held := _held(item.spec)):
        stuck.append(held)
    return Rollout(desired, updated, former, "; ".join(stuck))


def _held(spec: Any) -> str:
    """By what the specification of a Deployment or StatefulSet keeps pods of an old template; empty: by nothing."""
    if getattr(spec, "paused", None):
        return "it is paused"
    strategy = getattr(spec, "update_strategy", None)
    if strategy and strategy.type == "OnDelete":
        return "its updateStrategy is OnDelete: a pod stays as it is until somebody deletes it"
    partition = (strategy and strategy.rolling_update and strategy.rolling_update.partition) or 0
    return f"partition {partition}: pods of a lower number stay as they are" if partition else ""
