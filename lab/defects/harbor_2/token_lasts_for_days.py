"""The tokens that docker clients get are good for two days: whoever loses a right keeps it for as long."""

from lab.defects import Defect, Lab


def _prolong(lab: Lab) -> None:
    lab.sql(
        """INSERT INTO properties (k, v) VALUES ('token_expiration', '2880')
            ON CONFLICT (k) DO UPDATE SET v = excluded.v"""
    )


def _forget(lab: Lab) -> None:
    lab.sql("DELETE FROM properties WHERE k = 'token_expiration'")


DEFECT = Defect(
    report="none is known; a setting of the administrator's",
    shows="a member who was removed from a project goes on pulling and pushing for two days",
    turns_red=frozenset({"access.tokens-last-a-day-at-most"}),
    hint_says=("token expiration",),
    plant_outside=_prolong,
    heal_outside=_forget,
)
