"""The schema's migrations."""

from harbor_verify.checks import check
from harbor_verify.database import harbors_database
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.target import Target


@check(
    "database.schema-migrated",
    hint="A migration broke off, and no {web} pod starts any more: those that run still do, until they are replaced. "
    "Do not restart them. Compare the schema with the migration that is named, finish or undo it by hand (or go back "
    "to the backup of before the upgrade), then set the row of schema_migrations right: `dirty` false, `version` the "
    "last that was finished.",
    source="golang-migrate: schema_migrations; report 8970 of goharbor/harbor",
    needs=("database",),
    requires=(Feature.MIGRATIONS,),
    builds_on=("database.reachable",),
)
def test_the_last_migration_of_the_schema_was_finished(harbor: Target, findings: Findings, measured):
    """The last migration of the database's schema was finished: it is marked with a version, and not as dirty.

    Source: the table of migrations, which Harbor writes before and after each.
    """
    with harbors_database(harbor) as sql:
        migrations = harbor.profile.migrations(sql)
    place = f"database {harbor.database()}"
    with findings.about(place, "one row says which version the schema has") as versions:
        if len(migrations) != 1:
            versions.wrong(f"{len(migrations)} rows")
    for migration in migrations:
        measured["schema_version"] = migration.version
        with findings.about(place, "the last migration was finished") as last:
            if migration.dirty:
                last.wrong(f"migration {migration.version} is dirty: it began, and did not end")
