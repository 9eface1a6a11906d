"""Services that somebody else runs: their servers need not be seen by those who use them."""

_DOMAINS = {
    "amazonaws.com": "Amazon",
    "amazonaws.com.cn": "Amazon",
    "database.azure.com": "Azure",
    "redis.cache.windows.net": "Azure",
    "redis.azure.net": "Azure",
    "sql.goog": "Google Cloud SQL",
    "aivencloud.com": "Aiven",
    "ondigitalocean.com": "DigitalOcean",
    "aliyuncs.com": "Alibaba Cloud",
    "tencentcdb.com": "Tencent Cloud",
    "myhuaweicloud.com": "Huawei Cloud",
    "oraclecloud.com": "Oracle Cloud",
    "appdomain.cloud": "IBM Cloud",
    "yandexcloud.net": "Yandex Cloud",
    "scw.cloud": "Scaleway",
    "ovh.net": "OVHcloud",
    "neon.tech": "Neon",
    "supabase.co": "Supabase",
    "upstash.io": "Upstash",
    "redislabs.com": "Redis Cloud",
    "redis-cloud.com": "Redis Cloud",
}
"""Whose name servers give names to such services. Addresses without a name tell nothing."""

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
