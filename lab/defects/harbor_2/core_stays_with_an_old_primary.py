"""One core has stayed with a Redis that was primary once: its settings are right, its connections lead elsewhere."""

from lab.defects import Defect, old_primary

DEFECT = Defect(
    report="recorded on Harbor 2.12 and 2.15: after a failover each core may stay with another Redis, health green",
    shows="whoever signs in on that replica is logged out by the next request to another, and health reports are green",
    turns_red=frozenset(
        {
            "access.logout-ends-session-everywhere",
            "sessions.browser-session-through-front-door",
            "sessions.known-to-every-replica",
            "sessions.replicas-follow-the-primary",
            "sessions.stored-in-redis",
        }
    ),
    # Where it is this core that is asked who works: it looks at that Redis, too.
    may_turn_red=frozenset({"jobs.queues-worked-off"}),
    causes=frozenset({"sessions.replicas-follow-the-primary"}),
    hint_says=("kubectl delete pod", "stayed with a primary that was replaced"),
    takes=frozenset({old_primary.NAME}),
    plant_outside=lambda lab: old_primary.keep(lab, "core", "node-2"),
    heal_outside=old_primary.let_go,
)
