"""The schema's migrations."""

from harbor_verify.checks import check
from harbor_verify.database import harbors_database
from harbor_verify.model.roles import Feature
from harbor_verify.verdict import Offender, judge


@check(
    "database.schema-migrated",
    hint="A migration broke off, and no {web} pod starts any more: those that run still do, until they are replaced. "
    "Do not restart them. Compare the schema with the migration that is named, finish or undo it by hand (or go back "
    "to the backup of before the upgrade), then set the row of schema_migrations right: `dirty` false, `version` the "
    "last that is whole.",
    source="golang-migrate: schema_migrations; report 8970 of goharbor/harbor",
    needs=("database",),
    requires=(Feature.MIGRATIONS,),
)
def test_the_last_migration_of_the_schema_was_finished(harbor, measured):
    """The last migration of the database's schema was finished: it is marked with a version, and not as dirty.

    Source: the table of migrations, which Harbor writes before and after each.
    """
    with harbors_database(harbor) as sql:
        found = harbor.profile.migrations(sql)
    place = f"database {harbor.database()}"
    offenders = []
    if len(found) != 1:
        offenders.append(Offender(place, "one row says which version the schema has", f"{len(found)} rows"))
    for migration in found:
        measured["schema_version"] = migration.version
        if migration.dirty:
            observed = f"migration {migration.version} is dirty: it began, and did not end"
            offenders.append(Offender(place, "the last migration was finished", observed))
    judge(offenders, examined=1)
