-- What the demo's three schools share: learners (made-up people) and employers.
--
-- A schema file is plain SQL. The rows for navette_table and navette_column say who reads a table, which rule picks what a
-- row shows while two values compete, and what people call a column. A column without a row is 'last' and not quiet.

-- The key is random, so that two schools never meet on one by chance, and begins with the time, so that new rows stand
-- together in the file.
CREATE TABLE learner (
    id            TEXT NOT NULL PRIMARY KEY
                  DEFAULT (printf('%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) ||
                           lower(hex(randomblob(10)))),
    family_name   TEXT NOT NULL DEFAULT '',
    given_name    TEXT NOT NULL DEFAULT '',
    phone         TEXT,
    commune       TEXT,
    situation     TEXT NOT NULL DEFAULT 'unknown'
                  CHECK (situation IN ('unknown', 'jobseeker', 'inactive', 'employed', 'in training')),
    referent      TEXT,
    first_contact TEXT,
    minutes       INTEGER NOT NULL DEFAULT 0 CHECK (minutes >= 0),
    last_seen     TEXT
);

-- Two schools that enter the same employer while apart end with one record: the key is the SIRET.
CREATE TABLE employer (
    siret         TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL DEFAULT '',
    commune       TEXT,
    contact_phone TEXT,
    staff_bracket TEXT NOT NULL DEFAULT 'unknown',
    places        INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX employer_by_name ON employer(name);

INSERT INTO navette_table(name, scope, writers) VALUES
    ('learner',  'network', 'scope'),
    ('employer', 'network', 'scope');

INSERT INTO navette_column(table_name, name, rule, quiet, label_fr, label_en) VALUES
    ('learner', 'family_name',   'last', 0, 'Nom',                      'Family name'),
    ('learner', 'given_name',    'last', 0, 'Prénom',                   'Given name'),
    ('learner', 'phone',         'last', 0, 'Téléphone',                'Telephone'),
    ('learner', 'commune',       'last', 0, 'Commune',                  'Commune'),
    ('learner', 'situation',     'last', 0, 'Situation à l''entrée',    'Situation on entry'),
    ('learner', 'referent',      'home', 0, 'Référent',                 'Referent'),
    ('learner', 'first_contact', 'min',  0, 'Premier contact',          'First contact'),
    ('learner', 'minutes',       'max',  0, 'Minutes suivies',          'Minutes attended'),
    ('learner', 'last_seen',     'max',  1, 'Dernière venue',           'Last seen'),
    ('employer', 'name',          'last', 0, 'Raison sociale',          'Name'),
    ('employer', 'commune',       'last', 0, 'Commune',                 'Commune'),
    ('employer', 'contact_phone', 'last', 0, 'Téléphone du contact',    'Contact''s telephone'),
    ('employer', 'staff_bracket', 'last', 0, 'Tranche d''effectif',     'Staff bracket'),
    ('employer', 'places',        'max',  0, 'Places offertes',         'Places offered');
