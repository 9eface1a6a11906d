"""The registry's configuration is without `auth`: whoever reaches its port may push and delete, past Harbor."""

from lab.defects import Defect
from lab.defects.edit import Edit

_AUTH = """auth:
  htpasswd:
    realm: harbor-registry-basic-realm
    path: /etc/registry/passwd
"""
_EDIT = Edit("harbor-registry", "config.yml", old=_AUTH, new="", workload="harbor-registry")

DEFECT = Defect(
    report="h#3637, h#4200, of the image's own sample",
    shows="everything works, also for those who should not be let in",
    turns_red=frozenset({"configuration.registry-config-in-effect"}),
    hint_says=("auth",),
    change=_EDIT.everywhere,
)
