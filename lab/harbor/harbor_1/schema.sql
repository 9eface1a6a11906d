-- The database of Harbor 1.2.0, for MariaDB and MySQL: loaded beforehand, since Harbor does not make it.
-- Every table is InnoDB and has a primary key, without which Galera does not replicate.

CREATE TABLE access (
    access_id int NOT NULL AUTO_INCREMENT,
    access_code char(1),
    comment varchar(30),
    PRIMARY KEY (access_id)
) ENGINE = InnoDB;

INSERT INTO access (access_id, access_code, comment) VALUES
    (1, 'M', 'Management access for project'),
    (2, 'R', 'Read access for project'),
    (3, 'W', 'Write access for project'),
    (4, 'D', 'Delete access for project'),
    (5, 'S', 'Search access for project');

CREATE TABLE role (
    role_id int NOT NULL AUTO_INCREMENT,
    role_mask int NOT NULL DEFAULT 0,
    role_code varchar(20),
    name varchar(20),
    PRIMARY KEY (role_id)
) ENGINE = InnoDB;

INSERT INTO role (role_id, role_code, name) VALUES
    (1, 'MDRWS', 'projectAdmin'),
    (2, 'RWS', 'developer'),
    (3, 'RS', 'guest');

CREATE TABLE user (
    user_id int NOT NULL AUTO_INCREMENT,
    username varchar(255),
    email varchar(255),
    password varchar(40) NOT NULL,
    realname varchar(255) NOT NULL,
    comment varchar(30),
    deleted tinyint(1) NOT NULL DEFAULT 0,
    reset_uuid varchar(40) DEFAULT NULL,
    salt varchar(40) DEFAULT NULL,
    sysadmin_flag tinyint(1),
    creation_time timestamp NULL,
    update_time timestamp NULL,
    PRIMARY KEY (user_id),
    UNIQUE (username),
    UNIQUE (email)
) ENGINE = InnoDB;

-- The administrator's password is set by the first ui that starts.
INSERT INTO user (user_id, username, email, password, realname, comment, deleted, sysadmin_flag,
    creation_time, update_time) VALUES
    (1, 'admin', 'admin@example.com', '', 'system admin', 'admin user', 0, 1, NOW(), NOW()),
    (2, 'anonymous', 'anonymous@example.com', '', 'anonymous user', 'anonymous user', 1, 0, NOW(), NOW());

CREATE TABLE project (
    project_id int NOT NULL AUTO_INCREMENT,
    owner_id int NOT NULL,
    name varchar(255) NOT NULL,
    creation_time timestamp NULL,
    update_time timestamp NULL,
    deleted tinyint(1) NOT NULL DEFAULT 0,
    public tinyint(1) NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id),
    FOREIGN KEY (owner_id) REFERENCES user (user_id),
    UNIQUE (name)
) ENGINE = InnoDB;

INSERT INTO project (project_id, owner_id, name, creation_time, update_time, public) VALUES
    (1, 1, 'library', NOW(), NOW(), 1);

CREATE TABLE project_member (
    project_id int NOT NULL,
    user_id int NOT NULL,
    role int NOT NULL,
    creation_time timestamp NULL,
    update_time timestamp NULL,
    PRIMARY KEY (project_id, user_id),
    FOREIGN KEY (role) REFERENCES role (role_id),
    FOREIGN KEY (project_id) REFERENCES project (project_id),
    FOREIGN KEY (user_id) REFERENCES user (user_id)
) ENGINE = InnoDB;

INSERT INTO project_member (project_id, user_id, role, creation_time, update_time) VALUES
    (1, 1, 1, NOW(), NOW());

CREATE TABLE access_log (
    log_id int NOT NULL AUTO_INCREMENT,
    username varchar(255) NOT NULL,
    project_id int NOT NULL,
    repo_name varchar(256),
    repo_tag varchar(128),
    guid varchar(64),
    operation varchar(20) NOT NULL,
    op_time timestamp NULL,
    PRIMARY KEY (log_id),
    INDEX (project_id, op_time)
) ENGINE = InnoDB;

CREATE TABLE repository (
    repository_id int NOT NULL AUTO_INCREMENT,
    name varchar(255) NOT NULL,
    project_id int NOT NULL,
    description text,
    pull_count int unsigned NOT NULL DEFAULT 0,
    star_count int unsigned NOT NULL DEFAULT 0,
    creation_time timestamp NULL,
    update_time timestamp NULL,
    PRIMARY KEY (repository_id),
    FOREIGN KEY (project_id) REFERENCES project (project_id),
    UNIQUE (name)
) ENGINE = InnoDB;

CREATE TABLE replication_policy (
    id int NOT NULL AUTO_INCREMENT,
    name varchar(256),
    project_id int NOT NULL,
    target_id int NOT NULL,
    enabled tinyint(1) NOT NULL DEFAULT 1,
    description text,
    deleted tinyint(1) NOT NULL DEFAULT 0,
    cron_str varchar(256),
    start_time timestamp NULL,
    creation_time timestamp NULL,
    update_time timestamp NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB;

CREATE TABLE replication_target (
    id int NOT NULL AUTO_INCREMENT,
    name varchar(64),
    url varchar(64),
    username varchar(255),
    password varchar(128),
    target_type tinyint(1) NOT NULL DEFAULT 0,
    insecure tinyint(1) NOT NULL DEFAULT 0,
    creation_time timestamp NULL,
    update_time timestamp NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB;

CREATE TABLE replication_job (
    id int NOT NULL AUTO_INCREMENT,
    status varchar(64) NOT NULL,
    policy_id int NOT NULL,
    repository varchar(256) NOT NULL,
    operation varchar(64) NOT NULL,
    tags text,
    creation_time timestamp NULL,
    update_time timestamp NULL,
    PRIMARY KEY (id),
    INDEX (policy_id)
) ENGINE = InnoDB;

CREATE TABLE img_scan_job (
    id int NOT NULL AUTO_INCREMENT,
    status varchar(64) NOT NULL,
    repository varchar(256) NOT NULL,
    tag varchar(128) NOT NULL,
    digest varchar(128),
    creation_time timestamp NULL,
    update_time timestamp NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB;

CREATE TABLE img_scan_overview (
    id int NOT NULL AUTO_INCREMENT,
    image_digest varchar(128) NOT NULL,
    scan_job_id int NOT NULL,
    severity int NOT NULL DEFAULT 0,
    components_overview varchar(2048),
    details_key varchar(128),
    creation_time timestamp NULL,
    update_time timestamp NULL,
    PRIMARY KEY (id),
    UNIQUE (image_digest)
) ENGINE = InnoDB;

CREATE TABLE clair_vuln_timestamp (
    id int NOT NULL AUTO_INCREMENT,
    namespace varchar(128) NOT NULL,
    last_update timestamp NULL,
    PRIMARY KEY (id),
    UNIQUE (namespace)
) ENGINE = InnoDB;

CREATE TABLE properties (
    id int NOT NULL AUTO_INCREMENT,
    k varchar(64) NOT NULL,
    v varchar(128) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (k)
) ENGINE = InnoDB;

CREATE TABLE alembic_version (
    version_num varchar(32) NOT NULL,
    PRIMARY KEY (version_num)
) ENGINE = InnoDB;

INSERT INTO alembic_version VALUES ('1.2.0');
