"""The registry behind a proxy cache cannot be reached; what is cached is given all the same."""

from lab.defects import Defect, proxy_caches

DEFECT = Defect(
    report="h#22490: a registry that a proxy cache stands on was away",
    shows="images that are cached are pulled as ever, and all others fail",
    turns_red=frozenset({"replication.endpoints-reachable"}),
    applicable=frozenset({"configuration.stored-passwords-readable", "replication.proxy-caches-serve"}),
    hint_says=("Test Connection",),
    layout="reference",
    takes=proxy_caches.TAKES,
    plant_outside=proxy_caches.away,
    heal_outside=proxy_caches.remove,
)
