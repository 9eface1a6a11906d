"""nginx knows the paths of docker, and nothing of referrers."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit(
    "harbor-nginx",
    "nginx.conf",
    old="location /v2/ {",
    new="location ~ ^/v2/.*/referrers/ { return 404; } location /v2/ {",
    workload="harbor-nginx",
)

DEFECT = Defect(
    report="none is known; a list of paths from before OCI 1.1",
    shows="images pass, and signatures and SBOMs that belong to them are not found",
    turns_red=frozenset({"images.referrers-listed"}),
    hint_says=("referrers",),
    change=_EDIT.everywhere,
)
