"""The suite's own writes, of a failover's clients, on two cores and a real PostgreSQL."""

from harbor_verify.clients.http import HttpClient
from harbor_verify.profiles.harbor_2.api import Harbor2
from tests.contract import writes_set
from tests.contract.harbor_2.stack import Stack


def test_values_are_labels_and_the_last_two_that_a_database_loses_are_missed(stack: Stack) -> None:
    def lose(values):
        names = ", ".join(f"'{value}'" for value in values)
        stack.sql(f"DELETE FROM harbor_label WHERE name IN ({names})")

    with (
        HttpClient("core-a", stack.url("core-a"), timeouts_s=(5, 20)) as one,
        HttpClient("core-b", stack.url("core-b"), timeouts_s=(5, 20)) as other,
    ):
        writes_set.go_through(Harbor2(one), Harbor2(other), "written", lose)
