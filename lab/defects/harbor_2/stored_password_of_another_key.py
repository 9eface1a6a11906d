"""The password of another registry was stored with a secret key that is gone, so nobody can read it any more."""

from lab.defects import Defect, Lab

_NAME = "lab-of-another-key"


def _store(lab: Lab) -> None:
    _forget(lab)
    # What no key of 16 bytes opens, as it is too short to have begun with what the key was used with.
    lab.sql(
        f"""INSERT INTO registry (name, url, credential_type, access_key, access_secret, type)
            VALUES ('{_NAME}', 'https://registry.invalid', 'basic', 'robot', '<enc-v1>AAAA', 'docker-registry')"""
    )


def _forget(lab: Lab) -> None:
    lab.sql(f"DELETE FROM registry WHERE name = '{_NAME}'")


DEFECT = Defect(
    report="bitnami/charts#30852, hh#2139, hh#2263",
    shows="replication and proxy caches fail, and the list of registries is answered with 500",
    turns_red=frozenset({"configuration.stored-passwords-readable"}),
    hint_says=("secret key", "existingSecretSecretKey"),
    plant_outside=_store,
    heal_outside=_forget,
)
