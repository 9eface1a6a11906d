"""Services that somebody else runs: their servers need not be seen by those who use them."""

_DOMAINS = {
    "rds.amazonaws.com": "Amazon RDS",
    "rds.amazonaws.com.cn": "Amazon RDS",
    "cache.amazonaws.com": "Amazon ElastiCache",
    "cache.amazonaws.com.cn": "Amazon ElastiCache",
    "database.azure.com": "Azure",
    "redis.cache.windows.net": "Azure",
    "redis.azure.net": "Azure",
    "sql.goog": "Google Cloud SQL",
    "aivencloud.com": "Aiven",
    "db.ondigitalocean.com": "DigitalOcean",
    "rds.aliyuncs.com": "Alibaba Cloud",
    "databases.appdomain.cloud": "IBM Cloud",
    "mdb.yandexcloud.net": "Yandex Cloud",
    "database.cloud.ovh.net": "OVHcloud",
    "neon.tech": "Neon",
    "supabase.co": "Supabase",
    "upstash.io": "Upstash",
    "redislabs.com": "Redis Cloud",
    "redis-cloud.com": "Redis Cloud",
}
"""What their names end with; not those of machines and load balancers, which may lead to anything."""

ROLES = {
    "rds_superuser": "Amazon RDS",
    "cloudsqlsuperuser": "Google Cloud SQL",
    "alloydbsuperuser": "Google AlloyDB",
    "azure_pg_admin": "Azure",
    "pg_rds_superuser": "Alibaba Cloud",
    "neon_superuser": "Neon",
    "avnadmin": "Aiven",
    "doadmin": "DigitalOcean",
    "mdb_admin": "Yandex Cloud",
}
"""Roles that such services make in a PostgreSQL, and nobody else does."""


def by_name(host: str) -> str:
    """By what a host's name is known to be such a service: `its name (Amazon)`; empty where it is not."""
    host = host.lower().rstrip(".")
    owner = next((who for domain, who in _DOMAINS.items() if host.endswith(f".{domain}")), "")
    return f"its name, {host} ({owner})" if owner else ""
