"""Which hosts are known to be services that somebody else runs."""

import pytest

from harbor_verify.model.managed import by_name


@pytest.mark.parametrize(
    "host, owner",
    [
        ("harbor.abc.eu-west-1.rds.amazonaws.com", "Amazon RDS"),
        ("Master.harbor.abc.euw1.cache.amazonaws.com.", "Amazon ElastiCache"),
        ("h.redis.cache.windows.net", "Azure"),
        ("harbor.database.azure.com", "Azure"),
    ],
)
def test_a_name_of_a_known_owner_is_told_with_the_owner(host, owner):
    assert by_name(host).endswith(f"({owner})")


@pytest.mark.parametrize(
    "host",
    ["db.example.com", "192.0.2.1", "harbor-database", "x.notrds.com", "lb-1.elb.eu-west-1.amazonaws.com"],
)
def test_other_names_are_nobodys(host):
    assert by_name(host) == ""
