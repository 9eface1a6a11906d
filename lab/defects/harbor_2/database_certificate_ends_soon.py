"""PostgreSQL shows a certificate that ends in twenty days, and every core verifies it (`sslmode: verify-full`)."""

from lab.defects import Defect
from lab.stores import postgresql

_DAYS_LEFT = 20

DEFECT = Defect(
    report="PostgreSQL: ssl_cert_file, which is read again only when it is told to",
    shows="nothing, until the day on which no core and no jobservice can connect to its database any more",
    turns_red=frozenset({"expiry.store-certificates-valid-for-days"}),
    hint_says=("pg_reload_conf",),
    layout="tls",
    plant_outside=lambda lab: postgresql.show_certificate(valid_days=_DAYS_LEFT),
    heal_outside=lambda lab: postgresql.show_certificate(),
)
