"""nginx drops the query of uploads: no blob is ever mounted from another repository."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit(
    "harbor-nginx",
    "nginx.conf",
    old="location /v2/ {",
    new="location ~ ^/v2/.*/blobs/uploads/$ { proxy_pass http://core$uri; } location /v2/ {",
    workload="harbor-nginx",
)

DEFECT = Defect(
    report="none is known; proxy_pass with $uri",
    shows="docker push sends every base layer again",
    turns_red=frozenset({"images.mount-across-repositories"}),
    hint_says=("query",),
    change=_EDIT.everywhere,
)
