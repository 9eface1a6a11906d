"""SHOW GRANTS, as MySQL and MariaDB write it."""

import pytest

from harbor_verify.model.grants import missing_privileges, roles, without_password

NAME = "registry_k8s"
USER = "`harbork8s`@`%`"
USAGE = f"GRANT USAGE ON *.* TO {USER} IDENTIFIED BY PASSWORD '*B69027D44F6E5EDC07F1AEAD1477967B16F28227'"
ALL = ["SELECT", "INSERT", "UPDATE", "DELETE"]


@pytest.mark.parametrize(
    "grants",
    [
        [USAGE, f"GRANT ALL PRIVILEGES ON `{NAME}`.* TO {USER}"],
        [f"GRANT ALL PRIVILEGES ON `{NAME}`.* TO {USER} WITH GRANT OPTION"],
        [f"GRANT ALL PRIVILEGES ON *.* TO {USER} IDENTIFIED BY PASSWORD '*AB' WITH GRANT OPTION"],
        [f"GRANT DELETE, INSERT, SELECT, UPDATE, CREATE ON `{NAME}`.* TO {USER}"],
        [f"GRANT ALL PRIVILEGES ON `registry\\_k8s`.* TO {USER}"],
        [f"GRANT ALL PRIVILEGES ON `registry%`.* TO {USER}"],
        [f"GRANT ALL PRIVILEGES ON `%`.* TO {USER}"],
        [f"GRANT SELECT, INSERT ON *.* TO {USER}", f"GRANT UPDATE, DELETE ON `{NAME}`.* TO {USER}"],
        [f'GRANT ALL PRIVILEGES ON "{NAME}".* TO "harbork8s"@"%"'],
        [f"grant all on {NAME}.* to harbork8s@'%'"],
        [
            USAGE,
            f"GRANT `app` TO {USER}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON `registry_k8s`.* TO `app`",
        ],
        [f"GRANT ALL PRIVILEGES ON *.* TO {USER}", f"REVOKE INSERT ON `other`.* FROM {USER}"],
    ],
)
def test_an_account_that_may_read_and_write_misses_nothing(grants):
    assert missing_privileges(grants, NAME) == []


@pytest.mark.parametrize(
    "grants, missing",
    [
        ([], ALL),
        ([USAGE], ALL),
        ([USAGE, f"GRANT SELECT ON `{NAME}`.* TO {USER}"], ALL[1:]),
        ([f"GRANT SELECT, INSERT ON `{NAME}`.* TO {USER}"], ["UPDATE", "DELETE"]),
        ([f"GRANT ALL PRIVILEGES ON `registry`.* TO {USER}"], ALL),
        ([f"GRANT ALL PRIVILEGES ON `registry\\_`.* TO {USER}"], ALL),
        ([f"GRANT ALL PRIVILEGES ON `{NAME}`.`project` TO {USER}"], ALL),
        ([f"GRANT SELECT (`host`), INSERT ON `{NAME}`.`user` TO {USER}"], ALL),
        ([f"GRANT EXECUTE ON PROCEDURE `{NAME}`.`p` TO {USER}"], ALL),
        ([f"GRANT `app` TO {USER}"], ALL),
        ([f"GRANT ALL PRIVILEGES ON *.* TO {USER}", f"REVOKE INSERT ON `{NAME}`.* FROM {USER}"], ["INSERT"]),
    ],
)
def test_what_an_account_may_not_do_is_named(grants, missing):
    assert missing_privileges(grants, NAME) == missing


def test_of_several_patterns_an_account_has_what_the_most_exact_one_gives():
    """Seen with MariaDB 10.11: with these two, DELETE is denied."""
    wide, exact = (
        f"GRANT ALL PRIVILEGES ON `registry%`.* TO {USER}",
        f"GRANT SELECT ON `registry\\_k8s`.* TO {USER}",
    )
    assert missing_privileges([wide, exact], NAME) == missing_privileges([exact, wide], NAME) == ALL[1:]
    assert missing_privileges([wide, exact, f"GRANT INSERT ON `{NAME}`.* TO `app`"], NAME) == ALL[2:]


def test_a_wildcard_stands_for_one_character_and_an_escaped_one_for_itself():
    grant = f"GRANT ALL PRIVILEGES ON `registry_k8s`.* TO {USER}"
    assert missing_privileges([grant], "registryXk8s") == []
    assert missing_privileges([grant.replace("_", "\\_")], "registryXk8s") == ALL
    assert missing_privileges([f"GRANT ALL PRIVILEGES ON `a``b.c`.* TO {USER}"], "a`b.c") == []


def test_roles_are_told_and_privileges_are_none():
    assert roles([USAGE, f"GRANT `app`, `other` TO {USER}", "SET DEFAULT ROLE `app` FOR `u`"]) == [
        "`app`",
        "`other`",
    ]


@pytest.mark.parametrize(
    "secret",
    ["BY PASSWORD '*B690'", "VIA mysql_native_password USING '*B690' OR unix_socket", "WITH 'x' AS '*B690'"],
)
def test_the_hash_of_a_password_is_not_shown(secret):
    shown = without_password(f"GRANT USAGE ON *.* TO {USER} IDENTIFIED {secret} WITH GRANT OPTION")
    assert "B690" not in shown
    assert shown.endswith("… WITH GRANT OPTION")
    assert without_password(f"GRANT SELECT ON *.* TO {USER}") == f"GRANT SELECT ON *.* TO {USER}"
