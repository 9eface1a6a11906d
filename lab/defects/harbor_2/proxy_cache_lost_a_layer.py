"""A proxy cache lists an image of which a layer is gone: it would be fetched anew, and nobody asks for it any more."""

from lab.defects import Defect, proxy_caches

_take, _restore = proxy_caches.damaged("rm data")

DEFECT = Defect(
    report="h#19988, of a proxy cache",
    shows="the image is listed, and every pull of it by digest fails with 404 for a layer",
    turns_red=frozenset({"replication.proxy-caches-serve"}),
    applicable=frozenset({"configuration.stored-passwords-readable", "replication.endpoints-reachable"}),
    hint_says=("fetches it anew",),
    layout="reference",
    takes=proxy_caches.TAKES,
    plant_outside=_take,
    heal_outside=_restore,
)
