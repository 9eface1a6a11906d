"""Databases and session stores, as settings name them, and what differs between two."""

import pytest

from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.stores import Database, SessionStore, differences
from harbor_verify.profiles.harbor_1_2 import configuration_secret, configured_database, database

ENVIRONMENT = {
    "MYSQL_HOST": "mysql",
    "MYSQL_PORT": "3306",
    "MYSQL_USR": "harbork8s",
    "MYSQL_PWD": "hush",
    "MYSQL_DATABASE": "registry_k8s",
}
ANSWER = {
    "mysql_host": "mysql",
    "mysql_port": 3306,
    "mysql_username": "harbork8s",
    "mysql_password": "hush",
    "mysql_database": "registry_k8s",
    "email_port": 25,
}


def test_an_answer_of_the_store_names_the_same_database_as_its_environment():
    assert database(ENVIRONMENT) == configured_database(ANSWER)
    assert str(configured_database(ANSWER)) == "registry_k8s at mysql:3306 as harbork8s"


def test_what_is_missing_or_wrong_is_named():
    with pytest.raises(WrongConfiguration, match=r"without mysql_host, mysql_port"):
        configured_database({"mysql_host": "", "mysql_port": 0, **dict(list(ANSWER.items())[2:])})
    with pytest.raises(WrongConfiguration, match="MYSQL_PORT is 'tcp://"):
        database(ENVIRONMENT | {"MYSQL_PORT": "tcp://198.51.100.1:3306"})
    with pytest.raises(WrongConfiguration, match="UI_SECRET"):
        configuration_secret({"UI_SECRET": ""})
    assert configuration_secret({"UI_SECRET": "s"}) == "s"


def test_differences_tell_both_values_and_no_password():
    wanted = SessionStore("redis", 6379, password="hush", database=11)
    assert differences(wanted, wanted) == []
    found = differences(SessionStore("redis-2", 6379, password="other", database=0), wanted)
    assert found == ["host is redis-2, not redis", "the password is another", "database is 0, not 11"]
    one, two = (Database("mysql", "db", port, "u", "p", "n") for port in (1, 2))
    assert differences(one, two) == ["port is 1, not 2"]
