-- Labels of projects and of the whole Harbor. A database that an older stand-in made has no such table yet, so this is
-- run at each start.

CREATE TABLE IF NOT EXISTS harbor_label (
    id SERIAL PRIMARY KEY,
    name varchar(128) NOT NULL,
    description text NOT NULL DEFAULT '',
    color varchar(16) NOT NULL DEFAULT '',
    level char(1) NOT NULL DEFAULT 'u',
    scope char(1) NOT NULL,
    project_id int NOT NULL DEFAULT 0,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (name, scope, project_id)
);
