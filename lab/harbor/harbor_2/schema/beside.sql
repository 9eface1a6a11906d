-- Replication rules, and scanners. A database that an older stand-in made has no such tables yet, so this is run at each
-- start.

CREATE TABLE IF NOT EXISTS replication_policy (
    id SERIAL PRIMARY KEY,
    name varchar(256) NOT NULL UNIQUE,
    dest_namespace varchar(256),
    src_registry_id int NOT NULL DEFAULT 0,
    dest_registry_id int NOT NULL DEFAULT 0,
    enabled boolean NOT NULL DEFAULT true,
    trigger varchar(256) NOT NULL DEFAULT '{"type": "manual"}',
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS scanner_registration (
    id SERIAL PRIMARY KEY,
    uuid varchar(64) NOT NULL UNIQUE,
    url varchar(256) NOT NULL UNIQUE,
    name varchar(128) NOT NULL UNIQUE,
    description varchar(1024),
    disabled boolean NOT NULL DEFAULT false,
    is_default boolean NOT NULL DEFAULT false,
    create_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
