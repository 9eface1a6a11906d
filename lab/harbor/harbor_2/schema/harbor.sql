-- What of Harbor 2.x's schema the stand-in uses; names of tables and columns as there.
-- Times are without a zone, in UTC.

CREATE TABLE role (
    role_id SERIAL PRIMARY KEY,
    role_mask int NOT NULL DEFAULT 0,
    role_code varchar(20),
    name varchar(20)
);
INSERT INTO role (role_code, name) VALUES
    ('MDRWS', 'projectAdmin'), ('RWS', 'developer'), ('RS', 'guest'), ('MDRWS', 'maintainer'), ('LRS', 'limitedGuest');

CREATE TABLE harbor_user (
    user_id SERIAL PRIMARY KEY,
    username varchar(255) NOT NULL UNIQUE,
    email varchar(255) UNIQUE,
    password varchar(128) NOT NULL DEFAULT '',
    password_version varchar(16) NOT NULL DEFAULT 'sha256',
    realname varchar(255) NOT NULL DEFAULT '',
    comment varchar(30) NOT NULL DEFAULT '',
    deleted boolean NOT NULL DEFAULT false,
    reset_uuid varchar(40),
    salt varchar(40) NOT NULL DEFAULT '',
    sysadmin_flag boolean NOT NULL DEFAULT false,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO harbor_user (username, realname, comment, sysadmin_flag)
    VALUES ('admin', 'system admin', 'admin user', true);

CREATE TABLE project (
    project_id SERIAL PRIMARY KEY,
    owner_id int NOT NULL REFERENCES harbor_user (user_id),
    name varchar(255) NOT NULL UNIQUE,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    deleted boolean NOT NULL DEFAULT false,
    registry_id int
);

CREATE TABLE project_metadata (
    id SERIAL PRIMARY KEY,
    project_id int NOT NULL REFERENCES project (project_id),
    name varchar(255) NOT NULL,
    value varchar(255),
    UNIQUE (project_id, name)
);

CREATE TABLE project_member (
    id SERIAL PRIMARY KEY,
    project_id int NOT NULL REFERENCES project (project_id),
    entity_id int NOT NULL,
    entity_type char(1) NOT NULL DEFAULT 'u',
    role int NOT NULL REFERENCES role (role_id),
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (project_id, entity_id, entity_type)
);

CREATE TABLE cve_allowlist (
    id SERIAL PRIMARY KEY,
    project_id int UNIQUE,
    creation_time timestamp,
    update_time timestamp,
    items text NOT NULL DEFAULT '[]'
);

CREATE TABLE repository (
    repository_id SERIAL PRIMARY KEY,
    name varchar(255) NOT NULL UNIQUE,
    project_id int NOT NULL REFERENCES project (project_id),
    description text NOT NULL DEFAULT '',
    pull_count int NOT NULL DEFAULT 0,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE artifact (
    id SERIAL PRIMARY KEY,
    type varchar(255) NOT NULL,
    media_type varchar(255) NOT NULL,
    manifest_media_type varchar(255) NOT NULL,
    artifact_type varchar(255) NOT NULL DEFAULT '',
    project_id int NOT NULL REFERENCES project (project_id),
    repository_id int NOT NULL REFERENCES repository (repository_id),
    repository_name varchar(255) NOT NULL,
    digest varchar(255) NOT NULL,
    size bigint NOT NULL DEFAULT 0,
    push_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    pull_time timestamp,
    extra_attrs text NOT NULL DEFAULT '{}',
    annotations text,
    icon varchar(255) NOT NULL DEFAULT '',
    UNIQUE (repository_id, digest)
);

CREATE TABLE tag (
    id SERIAL PRIMARY KEY,
    repository_id int NOT NULL REFERENCES repository (repository_id),
    artifact_id int NOT NULL REFERENCES artifact (id),
    name varchar(255) NOT NULL,
    push_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    pull_time timestamp,
    UNIQUE (repository_id, name)
);
CREATE INDEX tag_artifact_id ON tag (artifact_id);

CREATE TABLE artifact_reference (
    id SERIAL PRIMARY KEY,
    parent_id int NOT NULL REFERENCES artifact (id),
    child_id int NOT NULL REFERENCES artifact (id),
    child_digest varchar(255) NOT NULL,
    platform text,
    UNIQUE (parent_id, child_id)
);

CREATE TABLE artifact_trash (
    id SERIAL PRIMARY KEY,
    media_type varchar(255) NOT NULL,
    manifest_media_type varchar(255) NOT NULL,
    repository_name varchar(255) NOT NULL,
    digest varchar(255) NOT NULL,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (repository_name, digest)
);

CREATE TABLE blob (
    id SERIAL PRIMARY KEY,
    digest varchar(255) NOT NULL UNIQUE,
    content_type varchar(1024) NOT NULL DEFAULT '',
    size bigint NOT NULL DEFAULT 0,
    status varchar(255) NOT NULL DEFAULT 'none',
    version bigint NOT NULL DEFAULT 0,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Which blobs a manifest is made of, its own included.
CREATE TABLE artifact_blob (
    id SERIAL PRIMARY KEY,
    digest_af varchar(255) NOT NULL,
    digest_blob varchar(255) NOT NULL,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (digest_af, digest_blob)
);
CREATE INDEX artifact_blob_digest_blob ON artifact_blob (digest_blob);

CREATE TABLE project_blob (
    id SERIAL PRIMARY KEY,
    project_id int NOT NULL,
    blob_id int NOT NULL REFERENCES blob (id),
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (project_id, blob_id)
);

CREATE TABLE quota (
    id SERIAL PRIMARY KEY,
    reference varchar(255) NOT NULL,
    reference_id varchar(255) NOT NULL,
    hard jsonb NOT NULL,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    version bigint NOT NULL DEFAULT 0,
    UNIQUE (reference, reference_id)
);

CREATE TABLE quota_usage (
    id SERIAL PRIMARY KEY,
    reference varchar(255) NOT NULL,
    reference_id varchar(255) NOT NULL,
    used jsonb NOT NULL,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    version bigint NOT NULL DEFAULT 0,
    UNIQUE (reference, reference_id)
);

-- project_id 0: of the system.
CREATE TABLE robot (
    id SERIAL PRIMARY KEY,
    name varchar(255) NOT NULL,
    description varchar(1024) NOT NULL DEFAULT '',
    project_id int NOT NULL DEFAULT 0,
    duration int NOT NULL DEFAULT -1,
    expiresat bigint NOT NULL DEFAULT -1,
    disabled boolean NOT NULL DEFAULT false,
    visible boolean NOT NULL DEFAULT true,
    secret varchar(2048) NOT NULL DEFAULT '',
    salt varchar(64) NOT NULL DEFAULT '',
    creator_ref int NOT NULL DEFAULT 0,
    creator_type varchar(255) NOT NULL DEFAULT 'local',
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (name, project_id)
);

CREATE TABLE permission_policy (
    id SERIAL PRIMARY KEY,
    scope varchar(255) NOT NULL,
    resource varchar(255),
    action varchar(255),
    effect varchar(255) NOT NULL DEFAULT 'allow',
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (scope, resource, action, effect)
);

CREATE TABLE role_permission (
    id SERIAL PRIMARY KEY,
    role_type varchar(255) NOT NULL,
    role_id int NOT NULL,
    permission_policy_id int NOT NULL REFERENCES permission_policy (id),
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (role_type, role_id, permission_policy_id)
);

CREATE TABLE properties (
    id SERIAL PRIMARY KEY,
    k varchar(64) NOT NULL UNIQUE,
    v varchar(4096) NOT NULL
);

CREATE TABLE execution (
    id SERIAL PRIMARY KEY,
    vendor_type varchar(64) NOT NULL,
    vendor_id int NOT NULL DEFAULT -1,
    status varchar(16) NOT NULL DEFAULT 'Running',
    status_message text NOT NULL DEFAULT '',
    trigger varchar(16) NOT NULL DEFAULT 'MANUAL',
    extra_attrs json NOT NULL DEFAULT '{}',
    start_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    end_time timestamp,
    revision bigint NOT NULL DEFAULT 0,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Of the two schedules that every Harbor has.
INSERT INTO execution (vendor_type, vendor_id, trigger) VALUES ('SCHEDULER', 1, 'MANUAL'), ('SCHEDULER', 2, 'MANUAL');

CREATE TABLE task (
    id SERIAL PRIMARY KEY,
    execution_id int NOT NULL REFERENCES execution (id),
    job_id varchar(64) NOT NULL DEFAULT '',
    status varchar(16) NOT NULL DEFAULT 'Pending',
    status_code int NOT NULL DEFAULT 0,
    status_revision bigint NOT NULL DEFAULT 0,
    status_message text NOT NULL DEFAULT '',
    run_count int NOT NULL DEFAULT 0,
    extra_attrs json NOT NULL DEFAULT '{}',
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    start_time timestamp,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    end_time timestamp,
    vendor_type varchar(64) NOT NULL DEFAULT ''
);
CREATE INDEX task_execution_id ON task (execution_id);

CREATE TABLE schedule (
    id SERIAL PRIMARY KEY,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    vendor_type varchar(64),
    vendor_id int,
    cron varchar(64),
    callback_func_name varchar(128),
    callback_func_param text,
    cron_type varchar(64),
    extra_attrs json,
    revision bigint NOT NULL DEFAULT 0
);
INSERT INTO schedule (vendor_type, vendor_id, cron) VALUES
    ('SYSTEM_ARTIFACT_CLEANUP', 0, '0 0 0 * * *'), ('EXECUTION_SWEEP', -1, '0 0 0 * * *');

CREATE TABLE registry (
    id SERIAL PRIMARY KEY,
    name varchar(256) NOT NULL UNIQUE,
    url varchar(256),
    credential_type varchar(16),
    access_key varchar(255),
    access_secret varchar(4096),
    type varchar(32),
    insecure boolean NOT NULL DEFAULT false,
    description varchar(1024),
    health varchar(16) NOT NULL DEFAULT 'healthy',
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE audit_log (
    id SERIAL PRIMARY KEY,
    project_id int NOT NULL,
    operation varchar(20) NOT NULL,
    resource_type varchar(255) NOT NULL,
    resource varchar(1024) NOT NULL,
    username varchar(255) NOT NULL,
    op_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- The project that every Harbor has.
INSERT INTO project (owner_id, name) VALUES (1, 'library');
INSERT INTO project_metadata (project_id, name, value) VALUES (1, 'public', 'true');
INSERT INTO project_member (project_id, entity_id, role) VALUES (1, 1, 1);
INSERT INTO cve_allowlist (project_id) VALUES (1);
INSERT INTO quota (reference, reference_id, hard) VALUES ('project', '1', '{"storage": -1}');
INSERT INTO quota_usage (reference, reference_id, used) VALUES ('project', '1', '{"storage": 0}');

CREATE TABLE job_log (
    log_id SERIAL PRIMARY KEY,
    job_uuid varchar(64) NOT NULL UNIQUE,
    creation_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    content text NOT NULL DEFAULT ''
);
