"""nginx drops the query of lists: whoever asks for a page gets the whole."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit(
    "harbor-nginx",
    "nginx.conf",
    old="location /v2/ {",
    new="location ~ ^/v2/(.*/tags/list|_catalog)$ { proxy_pass http://core$uri; } location /v2/ {",
    workload="harbor-nginx",
)

DEFECT = Defect(
    report="none is known; proxy_pass with $uri",
    shows="tools that page through tags get all of them each time, or the first page for ever",
    turns_red=frozenset({"images.catalogue-pages", "images.tag-pages"}),
    hint_says=("query",),
    change=_EDIT.everywhere,
)
