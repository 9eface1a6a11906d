"""What projects use is never written down: their quotas stand still."""

from lab.defects import Defect, Lab


def _stop(lab: Lab) -> None:
    lab.sql(
        """CREATE OR REPLACE FUNCTION lab_not_counted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE OR REPLACE TRIGGER lab_not_counted BEFORE UPDATE ON quota_usage
            FOR EACH ROW EXECUTE FUNCTION lab_not_counted()"""
    )


def _go_on(lab: Lab) -> None:
    lab.sql("DROP FUNCTION IF EXISTS lab_not_counted() CASCADE")


DEFECT = Defect(
    report="h#8700, h#19295",
    shows="a project's use stays what it was whatever is pushed and deleted, so its limit holds nobody, or everybody",
    turns_red=frozenset({"registry.quota-follows-pushes"}),
    plant_outside=_stop,
    heal_outside=_go_on,
)
