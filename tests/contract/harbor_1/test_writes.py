"""The suite's own writes, of a failover's clients, on two web replicas and a real MariaDB."""

from harbor_verify.clients.harbor import value_project
from harbor_verify.clients.http import HttpClient
from harbor_verify.profiles.harbor_1_2.api import Harbor12
from tests.contract import writes_set
from tests.contract.harbor_1.stack import Stack


def test_values_are_projects_and_the_last_two_that_a_database_loses_are_missed(stack: Stack) -> None:
    def lose(values):
        names = ", ".join(f"'{value_project(value)}'" for value in values)
        stack.sql(f"UPDATE project SET deleted = 1, name = CONCAT(name, '#') WHERE name IN ({names})")

    with (
        HttpClient("ui1", stack.url("ui1"), timeouts_s=(5, 20)) as one,
        HttpClient("ui2", stack.url("ui2"), timeouts_s=(5, 20)) as other,
    ):
        writes_set.go_through(Harbor12(one), Harbor12(other), "written", lose)
