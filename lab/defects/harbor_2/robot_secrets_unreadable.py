"""The secrets of robot accounts are not what they were when they were made."""

from lab.defects import Defect, Lab


def _spoil(lab: Lab) -> None:
    lab.sql(
        """CREATE OR REPLACE FUNCTION lab_spoil() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN NEW.salt = md5(NEW.salt); RETURN NEW; END';
        CREATE OR REPLACE TRIGGER lab_spoil BEFORE INSERT ON robot FOR EACH ROW EXECUTE FUNCTION lab_spoil()"""
    )


def _spare(lab: Lab) -> None:
    lab.sql("DROP FUNCTION IF EXISTS lab_spoil() CASCADE")


DEFECT = Defect(
    report="h#13481",
    shows="people can sign in, push and pull, and every pipeline is refused",
    turns_red=frozenset({"access.robot-account-pushes-and-pulls"}),
    plant_outside=_spoil,
    heal_outside=_spare,
)
