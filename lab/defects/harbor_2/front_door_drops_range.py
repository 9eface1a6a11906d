"""nginx does not pass on which part of a blob a client asks for, as with a cache in front that wants the whole."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, change_text, find


def _drop(objects: list[Object]) -> None:
    nginx = find(objects, "ConfigMap", "harbor-nginx")
    host = "proxy_set_header Host "
    change_text(nginx, "nginx.conf", host, f'proxy_set_header Range ""; {host}')


DEFECT = Defect(
    report="h#23875",
    shows="a pull that broke off at 9 of 10 GiB begins again",
    turns_red=frozenset({"images.range-passed-on"}),
    hint_says=("proxy_set_header Range",),
    change=_drop,
)
