"""Each core may open 900 connections to the database, as is the chart's default, and the database takes 300."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit("harbor-core", "POSTGRESQL_MAX_OPEN_CONNS", "900", workload="harbor-core")

DEFECT = Defect(
    report="h#12058, h#13887, h#16631; the chart's default",
    shows="nothing, until all connect at once, after a failover or at a scan: too many clients already, and 500s",
    turns_red=frozenset({"database.connections-suffice"}),
    hint_says=("max_connections", "maxOpenConns"),
    change=_EDIT.everywhere,
)
