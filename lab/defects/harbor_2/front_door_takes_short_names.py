"""nginx passes on repositories of one part only, as a rule of a proxy that somebody wrote for PROJECT/NAME."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit(
    "harbor-nginx",
    "nginx.conf",
    old="location /v2/ {",
    new="location ~ ^/v2/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+/ { return 404; } location /v2/ {",
    workload="harbor-nginx",
)

DEFECT = Defect(
    report="none is known; a rule that takes PROJECT/NAME for granted",
    shows="images of deep repositories are not found, all others work",
    turns_red=frozenset({"images.long-names"}),
    hint_says=("location",),
    change=_EDIT.everywhere,
)
