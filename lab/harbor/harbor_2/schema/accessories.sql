-- Artifacts that refer to another one: signatures, attestations. A database that an older stand-in made has no such
-- table yet, so this is run at each start.

CREATE TABLE IF NOT EXISTS artifact_accessory (
    id SERIAL PRIMARY KEY,
    artifact_id int NOT NULL UNIQUE REFERENCES artifact (id) ON DELETE CASCADE,
    subject_artifact_repo varchar(255) NOT NULL,
    subject_artifact_digest varchar(255) NOT NULL,
    type varchar(255) NOT NULL DEFAULT '',
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
