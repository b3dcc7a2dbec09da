-- The schools' network: places and their courses, learners and what becomes of them, employers, money.
--
-- Codes are TEXT, so that leading zeros stay; dates are ISO 8601 (2026-11-26); money is in whole cents, time in whole
-- minutes. A column whose value is one of a list takes any text: what the list says today is in the view `choice`, and a
-- site with older software keeps what it does not know. Every list has 'unknown'. What cannot be so at all (a day that is
-- no date, a number of minutes below zero) is refused where it is written.
--
-- Keys are what people know a thing by, where that is no person's: two sites that enter the same place, course or
-- employer while they are apart have entered one record. Persons have keys made of time and chance.

-- ---- who teaches what, where ----

-- An organisation by its SIRET; one without gets a key of its own.
CREATE TABLE organisation (
    code     TEXT NOT NULL PRIMARY KEY
             DEFAULT (printf('%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) ||
                      lower(hex(randomblob(10)))),
    name     TEXT NOT NULL DEFAULT '',
    kind     TEXT NOT NULL DEFAULT 'unknown',
    qualiopi TEXT NOT NULL DEFAULT 'unknown',
    uai      TEXT,
    commune  TEXT,
    address  TEXT
);
CREATE INDEX organisation_by_name ON organisation(name);

CREATE TABLE place (
    code         TEXT NOT NULL PRIMARY KEY,
    organisation TEXT REFERENCES organisation(code),
    name         TEXT NOT NULL DEFAULT '',
    commune      TEXT,
    epci         TEXT,
    region       TEXT,
    hub          TEXT,
    opened_on    TEXT CHECK (opened_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    closed_on    TEXT CHECK (closed_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]')
);

CREATE TABLE programme (
    code         TEXT NOT NULL PRIMARY KEY,
    title        TEXT NOT NULL DEFAULT '',
    rncp         TEXT,
    rs           TEXT,
    level        INTEGER CHECK (level BETWEEN 0 AND 8),
    label        TEXT,
    label_from   TEXT CHECK (label_from GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    label_until  TEXT CHECK (label_until GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    job_family   TEXT NOT NULL DEFAULT 'unknown'
);

CREATE TABLE phase (
    programme TEXT NOT NULL REFERENCES programme(code),
    rank      TEXT NOT NULL,
    title     TEXT NOT NULL DEFAULT '',
    kind      TEXT NOT NULL DEFAULT 'unknown',
    minutes   INTEGER CHECK (minutes >= 0),
    weeks     INTEGER CHECK (weeks >= 0),
    rhythm    TEXT,
    PRIMARY KEY (programme, rank)
);

-- A course once: of a programme, at a place, from a day on.
CREATE TABLE cohort (
    place     TEXT NOT NULL REFERENCES place(code),
    programme TEXT NOT NULL REFERENCES programme(code),
    starts_on TEXT NOT NULL,
    ends_on   TEXT CHECK (ends_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    seats     INTEGER CHECK (seats >= 0),
    minutes   INTEGER CHECK (minutes >= 0),
    state     TEXT NOT NULL DEFAULT 'unknown',
    PRIMARY KEY (place, programme, starts_on)
);

CREATE TABLE funding (
    place     TEXT NOT NULL,
    programme TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    funder    TEXT NOT NULL,
    agreement TEXT NOT NULL,
    cents     INTEGER NOT NULL DEFAULT 0,
    kind      TEXT NOT NULL DEFAULT 'unknown',
    PRIMARY KEY (place, programme, starts_on, funder, agreement)
);

-- ---- learners: read by their school alone, or by whom `visible_to` names; what hangs on them follows ----

CREATE TABLE learner (
    id              TEXT NOT NULL PRIMARY KEY
                    DEFAULT (printf('%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) ||
                             lower(hex(randomblob(10)))),
    family_name     TEXT NOT NULL DEFAULT '',
    given_name      TEXT NOT NULL DEFAULT '',
    born_on         TEXT CHECK (born_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    gender          TEXT NOT NULL DEFAULT 'unknown',
    phone           TEXT,
    email           TEXT,
    address         TEXT,
    commune         TEXT,
    qpv             TEXT,
    qpv_generation  TEXT NOT NULL DEFAULT 'unknown',
    disability      TEXT NOT NULL DEFAULT 'unknown',
    level           INTEGER CHECK (level BETWEEN 0 AND 8),
    situation       TEXT NOT NULL DEFAULT 'unknown',
    months_jobless  INTEGER CHECK (months_jobless >= 0),
    minimum_benefit TEXT NOT NULL DEFAULT 'unknown',
    last_contact_on TEXT CHECK (last_contact_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    legal_hold      TEXT NOT NULL DEFAULT 'no',
    visible_to      TEXT
);
CREATE INDEX learner_by_name ON learner(family_name, given_name);

CREATE TABLE enrolment (
    learner     TEXT NOT NULL REFERENCES learner(id),
    place       TEXT NOT NULL,
    programme   TEXT NOT NULL,
    starts_on   TEXT NOT NULL,
    applied_on  TEXT CHECK (applied_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    admitted_on TEXT CHECK (admitted_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    entered_on  TEXT CHECK (entered_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    left_on     TEXT CHECK (left_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    state       TEXT NOT NULL DEFAULT 'unknown',
    reason      TEXT,
    PRIMARY KEY (learner, place, programme, starts_on)
);
CREATE INDEX enrolment_by_cohort ON enrolment(place, programme, starts_on);

CREATE TABLE attendance (
    learner   TEXT NOT NULL REFERENCES learner(id),
    place     TEXT NOT NULL,
    programme TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    day       TEXT NOT NULL,
    half      TEXT NOT NULL,
    minutes   INTEGER NOT NULL DEFAULT 0 CHECK (minutes >= 0),
    planned   INTEGER NOT NULL DEFAULT 210 CHECK (planned >= 0),
    kind      TEXT NOT NULL DEFAULT 'unknown',
    justified TEXT NOT NULL DEFAULT 'unknown',
    PRIMARY KEY (learner, place, programme, starts_on, day, half)
);

CREATE TABLE skill_assessment (
    learner     TEXT NOT NULL REFERENCES learner(id),
    place       TEXT NOT NULL,
    programme   TEXT NOT NULL,
    starts_on   TEXT NOT NULL,
    skill       TEXT NOT NULL,
    project     TEXT NOT NULL,
    level       TEXT NOT NULL DEFAULT 'unknown',
    assessed_on TEXT CHECK (assessed_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    PRIMARY KEY (learner, place, programme, starts_on, skill, project)
);

CREATE TABLE placement (
    learner   TEXT NOT NULL REFERENCES learner(id),
    place     TEXT NOT NULL,
    programme TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    employer  TEXT NOT NULL,
    begins_on TEXT NOT NULL,
    kind      TEXT NOT NULL DEFAULT 'unknown',
    ends_on   TEXT CHECK (ends_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    broken_on TEXT CHECK (broken_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    reason    TEXT,
    PRIMARY KEY (learner, place, programme, starts_on, employer, begins_on)
);

CREATE TABLE certification (
    learner   TEXT NOT NULL REFERENCES learner(id),
    place     TEXT NOT NULL,
    programme TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    code      TEXT NOT NULL,
    sat_on    TEXT CHECK (sat_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    result    TEXT NOT NULL DEFAULT 'unknown',
    blocks    TEXT,
    PRIMARY KEY (learner, place, programme, starts_on, code)
);

-- What was told when, as it was told: every nomenclature is derived from it (the views below).
CREATE TABLE follow_up (
    learner    TEXT NOT NULL REFERENCES learner(id),
    place      TEXT NOT NULL,
    programme  TEXT NOT NULL,
    starts_on  TEXT NOT NULL,
    milestone  TEXT NOT NULL,
    reached    TEXT NOT NULL DEFAULT 'unknown',
    told_on    TEXT CHECK (told_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    situation  TEXT NOT NULL DEFAULT 'unknown',
    contract   TEXT NOT NULL DEFAULT 'unknown',
    days       INTEGER CHECK (days >= 0),
    employer   TEXT,
    withdrawn  TEXT,
    PRIMARY KEY (learner, place, programme, starts_on, milestone)
);

CREATE TABLE right_request (
    learner     TEXT NOT NULL REFERENCES learner(id),
    received_on TEXT NOT NULL,
    kind        TEXT NOT NULL,
    done_on     TEXT CHECK (done_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    PRIMARY KEY (learner, received_on, kind)
);

-- ---- employers, and what is done with them ----

-- An employer by its SIRET; one without gets a key of its own.
CREATE TABLE employer (
    code          TEXT NOT NULL PRIMARY KEY
                  DEFAULT (printf('%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) ||
                           lower(hex(randomblob(10)))),
    name          TEXT NOT NULL DEFAULT '',
    naf           TEXT,
    staff_bracket TEXT NOT NULL DEFAULT 'unknown',
    commune       TEXT
);
CREATE INDEX employer_by_name ON employer(name);

CREATE TABLE employer_contact (
    id          TEXT NOT NULL PRIMARY KEY
                DEFAULT (printf('%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) ||
                         lower(hex(randomblob(10)))),
    employer    TEXT,
    family_name TEXT NOT NULL DEFAULT '',
    given_name  TEXT NOT NULL DEFAULT '',
    email       TEXT,
    phone       TEXT,
    visible_to  TEXT
);
CREATE INDEX employer_contact_by_employer ON employer_contact(employer);

CREATE TABLE project (
    id        TEXT NOT NULL PRIMARY KEY
              DEFAULT (printf('%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) ||
                       lower(hex(randomblob(10)))),
    title     TEXT NOT NULL DEFAULT '',
    structure TEXT,
    place     TEXT,
    programme TEXT,
    starts_on TEXT CHECK (starts_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    state     TEXT NOT NULL DEFAULT 'unknown'
);
CREATE INDEX project_by_title ON project(title);

-- ---- what leaves a school: counts of its own records, once a period ----

CREATE TABLE outcome_count (
    place       TEXT NOT NULL,
    programme   TEXT NOT NULL,
    starts_on   TEXT NOT NULL,
    period      TEXT NOT NULL,
    measure     TEXT NOT NULL,
    dimension   TEXT NOT NULL,
    value       TEXT NOT NULL,
    site        TEXT NOT NULL,
    numerator   INTEGER NOT NULL DEFAULT 0 CHECK (numerator >= 0),
    denominator INTEGER NOT NULL DEFAULT 0 CHECK (denominator >= 0),
    counted_on  TEXT CHECK (counted_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    PRIMARY KEY (place, programme, starts_on, period, measure, dimension, value, site)
);

-- Whose counts of a period stand in what was handed to funders: later reports give back nothing that this one hid.
CREATE TABLE disclosure (
    period       TEXT NOT NULL,
    site         TEXT NOT NULL,
    disclosed_on TEXT CHECK (disclosed_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    PRIMARY KEY (period, site)
);

-- What people call tables, and the columns of keys; for all other columns navette_column says it.
CREATE VIEW label(table_name, column_name, label_fr, label_en) AS VALUES
    ('organisation', '', 'Organisme', 'Organisation'),
    ('place', '', 'Lieu', 'Place'),
    ('programme', '', 'Programme', 'Programme'),
    ('phase', '', 'Phase', 'Phase'),
    ('cohort', '', 'Session', 'Course'),
    ('funding', '', 'Financement', 'Funding'),
    ('learner', '', 'Apprenant', 'Learner'),
    ('enrolment', '', 'Inscription', 'Enrolment'),
    ('attendance', '', 'Présence', 'Attendance'),
    ('skill_assessment', '', 'Évaluation', 'Skill assessment'),
    ('placement', '', 'Contrat ou stage', 'Placement'),
    ('certification', '', 'Certification', 'Certification'),
    ('follow_up', '', 'Suivi', 'Follow-up'),
    ('right_request', '', 'Demande de droits', 'Rights request'),
    ('employer', '', 'Employeur', 'Employer'),
    ('employer_contact', '', 'Contact d''employeur', 'Employer''s contact'),
    ('project', '', 'Projet', 'Project'),
    ('outcome_count', '', 'Comptage', 'Count'),
    ('disclosure', '', 'Diffusion', 'Disclosure'),
    ('organisation', 'code', 'SIRET', 'SIRET'),
    ('place', 'code', 'Code du lieu', 'Place code'),
    ('programme', 'code', 'Code du programme', 'Programme code'),
    ('phase', 'programme', 'Programme', 'Programme'),
    ('phase', 'rank', 'Rang', 'Rank'),
    ('cohort', 'place', 'Lieu', 'Place'),
    ('cohort', 'programme', 'Programme', 'Programme'),
    ('cohort', 'starts_on', 'Début', 'Starts on'),
    ('funding', 'place', 'Lieu', 'Place'),
    ('funding', 'programme', 'Programme', 'Programme'),
    ('funding', 'starts_on', 'Début', 'Starts on'),
    ('funding', 'funder', 'Financeur', 'Funder'),
    ('funding', 'agreement', 'Convention', 'Agreement'),
    ('learner', 'id', 'Identifiant', 'Identifier'),
    ('enrolment', 'learner', 'Apprenant', 'Learner'),
    ('enrolment', 'place', 'Lieu', 'Place'),
    ('enrolment', 'programme', 'Programme', 'Programme'),
    ('enrolment', 'starts_on', 'Début', 'Starts on'),
    ('attendance', 'learner', 'Apprenant', 'Learner'),
    ('attendance', 'place', 'Lieu', 'Place'),
    ('attendance', 'programme', 'Programme', 'Programme'),
    ('attendance', 'starts_on', 'Début', 'Starts on'),
    ('attendance', 'day', 'Jour', 'Day'),
    ('attendance', 'half', 'Demi-journée', 'Half day'),
    ('skill_assessment', 'learner', 'Apprenant', 'Learner'),
    ('skill_assessment', 'place', 'Lieu', 'Place'),
    ('skill_assessment', 'programme', 'Programme', 'Programme'),
    ('skill_assessment', 'starts_on', 'Début', 'Starts on'),
    ('skill_assessment', 'skill', 'Compétence', 'Skill'),
    ('skill_assessment', 'project', 'Projet', 'Project'),
    ('placement', 'learner', 'Apprenant', 'Learner'),
    ('placement', 'place', 'Lieu', 'Place'),
    ('placement', 'programme', 'Programme', 'Programme'),
    ('placement', 'starts_on', 'Début de la session', 'Course starts on'),
    ('placement', 'employer', 'Employeur', 'Employer'),
    ('placement', 'begins_on', 'Début du contrat', 'Begins on'),
    ('certification', 'learner', 'Apprenant', 'Learner'),
    ('certification', 'place', 'Lieu', 'Place'),
    ('certification', 'programme', 'Programme', 'Programme'),
    ('certification', 'starts_on', 'Début', 'Starts on'),
    ('certification', 'code', 'Certification', 'Certification'),
    ('follow_up', 'learner', 'Apprenant', 'Learner'),
    ('follow_up', 'place', 'Lieu', 'Place'),
    ('follow_up', 'programme', 'Programme', 'Programme'),
    ('follow_up', 'starts_on', 'Début', 'Starts on'),
    ('follow_up', 'milestone', 'Échéance', 'Milestone'),
    ('right_request', 'learner', 'Apprenant', 'Learner'),
    ('right_request', 'received_on', 'Reçue le', 'Received on'),
    ('right_request', 'kind', 'Nature', 'Kind'),
    ('outcome_count', 'place', 'Lieu', 'Place'),
    ('outcome_count', 'programme', 'Programme', 'Programme'),
    ('outcome_count', 'starts_on', 'Début', 'Starts on'),
    ('outcome_count', 'period', 'Période', 'Period'),
    ('outcome_count', 'measure', 'Mesure', 'Measure'),
    ('outcome_count', 'dimension', 'Dimension', 'Dimension'),
    ('outcome_count', 'value', 'Valeur', 'Value'),
    ('outcome_count', 'site', 'Site', 'Site'),
    ('disclosure', 'period', 'Période', 'Period'),
    ('disclosure', 'site', 'Site', 'Site'),
    ('employer', 'code', 'SIRET', 'SIRET'),
    ('employer_contact', 'id', 'Identifiant', 'Identifier'),
    ('project', 'id', 'Identifiant', 'Identifier');

-- How the values of a column are written, where that is more than text or a whole number.
CREATE VIEW format(field, kind) AS VALUES
    ('place.opened_on', 'date'),
    ('place.closed_on', 'date'),
    ('programme.label_from', 'date'),
    ('programme.label_until', 'date'),
    ('cohort.starts_on', 'date'),
    ('cohort.ends_on', 'date'),
    ('funding.starts_on', 'date'),
    ('learner.born_on', 'date'),
    ('learner.last_contact_on', 'date'),
    ('enrolment.starts_on', 'date'),
    ('enrolment.applied_on', 'date'),
    ('enrolment.admitted_on', 'date'),
    ('enrolment.entered_on', 'date'),
    ('enrolment.left_on', 'date'),
    ('attendance.starts_on', 'date'),
    ('attendance.day', 'date'),
    ('skill_assessment.starts_on', 'date'),
    ('skill_assessment.assessed_on', 'date'),
    ('placement.starts_on', 'date'),
    ('placement.begins_on', 'date'),
    ('placement.ends_on', 'date'),
    ('placement.broken_on', 'date'),
    ('certification.starts_on', 'date'),
    ('certification.sat_on', 'date'),
    ('follow_up.starts_on', 'date'),
    ('follow_up.told_on', 'date'),
    ('right_request.received_on', 'date'),
    ('right_request.done_on', 'date'),
    ('project.starts_on', 'date'),
    ('outcome_count.starts_on', 'date'),
    ('outcome_count.counted_on', 'date'),
    ('disclosure.disclosed_on', 'date'),
    ('organisation.code', 'siret'),
    ('place.organisation', 'siret'),
    ('employer.code', 'siret'),
    ('employer_contact.employer', 'siret'),
    ('placement.employer', 'siret'),
    ('follow_up.employer', 'siret'),
    ('learner.commune', 'commune'),
    ('place.commune', 'commune'),
    ('place.epci', 'epci'),
    ('funding.cents', 'cents');

-- What tells a record whose key nobody knows by heart.
CREATE VIEW known_by(table_name, column_name) AS VALUES
    ('learner', 'family_name'),
    ('learner', 'given_name'),
    ('learner', 'born_on'),
    ('employer', 'name'),
    ('employer', 'commune'),
    ('organisation', 'name'),
    ('organisation', 'commune'),
    ('employer_contact', 'employer'),
    ('employer_contact', 'family_name'),
    ('employer_contact', 'given_name'),
    ('project', 'title'),
    ('project', 'place'),
    ('project', 'starts_on');

-- ---- what stands in lists ----

-- The values of the lists, and what people call them. A site keeps a value that it does not find here.
CREATE VIEW choice(field, code, label_fr, label_en) AS VALUES
    ('organisation.kind', 'training_body', 'Organisme de formation', 'Training body'),
    ('organisation.kind', 'association', 'Association', 'Association'),
    ('organisation.kind', 'company', 'Entreprise', 'Company'),
    ('organisation.kind', 'university', 'Université', 'University'),
    ('organisation.kind', 'school', 'École', 'School'),
    ('organisation.kind', 'greta', 'GRETA', 'GRETA'),
    ('organisation.kind', 'cfa', 'CFA', 'CFA'),
    ('organisation.kind', 'chamber', 'Chambre de commerce', 'Chamber of commerce'),
    ('organisation.kind', 'local_authority', 'Collectivité', 'Local authority'),
    ('organisation.kind', 'unknown', 'Non renseigné', 'Unknown'),
    ('organisation.qualiopi', 'yes', 'Oui', 'Yes'),
    ('organisation.qualiopi', 'no', 'Non', 'No'),
    ('organisation.qualiopi', 'unknown', 'Non renseigné', 'Unknown'),
    ('programme.job_family', 'networks', 'Réseaux et parcs informatiques', 'Networks and IT fleets'),
    ('programme.job_family', 'web', 'Développement web et mobile', 'Web and mobile development'),
    ('programme.job_family', 'content', 'Contenus et communautés', 'Content and communities'),
    ('programme.job_family', 'building', 'Bâtiment connecté', 'Connected building'),
    ('programme.job_family', 'discovery', 'Découverte des métiers', 'Discovery of trades'),
    ('programme.job_family', 'unknown', 'Non renseigné', 'Unknown'),
    ('phase.kind', 'training', 'Formation', 'Training'),
    ('phase.kind', 'project', 'Projet', 'Project'),
    ('phase.kind', 'internship', 'Stage', 'Internship'),
    ('phase.kind', 'work_study', 'Alternance', 'Work-study'),
    ('phase.kind', 'production', 'Production', 'Production'),
    ('phase.kind', 'job_search', 'Recherche d''emploi', 'Job search'),
    ('phase.kind', 'unknown', 'Non renseigné', 'Unknown'),
    ('cohort.state', 'planned', 'Prévue', 'Planned'),
    ('cohort.state', 'open', 'En cours', 'Open'),
    ('cohort.state', 'closed', 'Terminée', 'Closed'),
    ('cohort.state', 'cancelled', 'Annulée', 'Cancelled'),
    ('cohort.state', 'unknown', 'Non renseigné', 'Unknown'),
    ('funding.kind', 'region', 'Région', 'Region'),
    ('funding.kind', 'department', 'Département', 'Department'),
    ('funding.kind', 'epci', 'EPCI', 'EPCI'),
    ('funding.kind', 'state_label', 'Label de l''État', 'State label'),
    ('funding.kind', 'esf', 'FSE', 'ESF'),
    ('funding.kind', 'employment_service', 'France Travail', 'Employment service'),
    ('funding.kind', 'opco', 'OPCO', 'OPCO'),
    ('funding.kind', 'private', 'Privé', 'Private'),
    ('funding.kind', 'unknown', 'Non renseigné', 'Unknown'),
    ('learner.gender', 'F', 'Femme', 'Woman'),
    ('learner.gender', 'M', 'Homme', 'Man'),
    ('learner.gender', 'other', 'Autre', 'Other'),
    ('learner.gender', 'unknown', 'Non renseigné', 'Unknown'),
    ('learner.qpv_generation', '2015', 'QPV 2015', 'QPV 2015'),
    ('learner.qpv_generation', '2024', 'QPV 2024', 'QPV 2024'),
    ('learner.qpv_generation', 'unknown', 'Non renseigné', 'Unknown'),
    ('learner.disability', 'yes', 'Oui', 'Yes'),
    ('learner.disability', 'no', 'Non', 'No'),
    ('learner.disability', 'unknown', 'Non renseigné', 'Unknown'),
    ('learner.situation', 'jobseeker', 'Demandeur d''emploi', 'Jobseeker'),
    ('learner.situation', 'inactive', 'Inactif', 'Inactive'),
    ('learner.situation', 'employed', 'En emploi', 'Employed'),
    ('learner.situation', 'in_training', 'En formation', 'In training'),
    ('learner.situation', 'unknown', 'Non renseigné', 'Unknown'),
    ('learner.minimum_benefit', 'yes', 'Oui', 'Yes'),
    ('learner.minimum_benefit', 'no', 'Non', 'No'),
    ('learner.minimum_benefit', 'unknown', 'Non renseigné', 'Unknown'),
    ('learner.legal_hold', 'yes', 'Oui', 'Yes'),
    ('learner.legal_hold', 'no', 'Non', 'No'),
    ('enrolment.state', 'applicant', 'Candidat', 'Applicant'),
    ('enrolment.state', 'admitted', 'Admis', 'Admitted'),
    ('enrolment.state', 'enrolled', 'Inscrit', 'Enrolled'),
    ('enrolment.state', 'active', 'En formation', 'Active'),
    ('enrolment.state', 'completed', 'Parcours terminé', 'Completed'),
    ('enrolment.state', 'dropped_out', 'Abandon', 'Dropped out'),
    ('enrolment.state', 'excluded', 'Exclu', 'Excluded'),
    ('enrolment.state', 'transferred', 'Transféré', 'Transferred'),
    ('enrolment.state', 'unknown', 'Non renseigné', 'Unknown'),
    ('attendance.half', 'morning', 'Matin', 'Morning'),
    ('attendance.half', 'afternoon', 'Après-midi', 'Afternoon'),
    ('attendance.kind', 'training', 'Formation', 'Training'),
    ('attendance.kind', 'project', 'Projet', 'Project'),
    ('attendance.kind', 'company', 'En entreprise', 'In a company'),
    ('attendance.kind', 'unknown', 'Non renseigné', 'Unknown'),
    ('attendance.justified', 'yes', 'Oui', 'Yes'),
    ('attendance.justified', 'no', 'Non', 'No'),
    ('attendance.justified', 'unknown', 'Non renseigné', 'Unknown'),
    ('skill_assessment.level', 'imitate', 'Imiter', 'Imitate'),
    ('skill_assessment.level', 'adapt', 'Adapter', 'Adapt'),
    ('skill_assessment.level', 'transpose', 'Transposer', 'Transpose'),
    ('skill_assessment.level', 'unknown', 'Non renseigné', 'Unknown'),
    ('placement.kind', 'internship', 'Stage', 'Internship'),
    ('placement.kind', 'pmsmp', 'PMSMP', 'PMSMP'),
    ('placement.kind', 'apprenticeship', 'Apprentissage', 'Apprenticeship'),
    ('placement.kind', 'professionalisation', 'Professionnalisation', 'Professionalisation'),
    ('placement.kind', 'unknown', 'Non renseigné', 'Unknown'),
    ('certification.result', 'obtained', 'Obtenue', 'Obtained'),
    ('certification.result', 'partial', 'Partielle', 'Partial'),
    ('certification.result', 'failed', 'Échec', 'Failed'),
    ('certification.result', 'unknown', 'Non renseigné', 'Unknown'),
    ('follow_up.milestone', 'exit', 'À la sortie', 'On exit'),
    ('follow_up.milestone', 'M3', 'À 3 mois', 'At 3 months'),
    ('follow_up.milestone', 'M6', 'À 6 mois', 'At 6 months'),
    ('follow_up.reached', 'reached', 'Joint', 'Reached'),
    ('follow_up.reached', 'unreachable', 'Injoignable', 'Unreachable'),
    ('follow_up.reached', 'refused', 'Refus', 'Refused'),
    ('follow_up.reached', 'not_tried', 'Pas essayé', 'Not tried'),
    ('follow_up.reached', 'unknown', 'Non renseigné', 'Unknown'),
    ('follow_up.situation', 'employed', 'En emploi', 'Employed'),
    ('follow_up.situation', 'civil_service', 'Fonction publique', 'Civil service'),
    ('follow_up.situation', 'own_business', 'À son compte', 'Own business'),
    ('follow_up.situation', 'qualifying_training', 'En formation qualifiante', 'In qualifying training'),
    ('follow_up.situation', 'other_training', 'En autre formation', 'In other training'),
    ('follow_up.situation', 'other_siae', 'Autre SIAE', 'Another SIAE'),
    ('follow_up.situation', 'civic_service', 'Service civique', 'Civic service'),
    ('follow_up.situation', 'jobseeker', 'Demandeur d''emploi', 'Jobseeker'),
    ('follow_up.situation', 'inactive', 'Inactif', 'Inactive'),
    ('follow_up.situation', 'unknown', 'Non renseigné', 'Unknown'),
    ('follow_up.contract', 'cdi', 'CDI', 'Permanent (CDI)'),
    ('follow_up.contract', 'cdd', 'CDD', 'Fixed term (CDD)'),
    ('follow_up.contract', 'interim', 'Intérim', 'Temporary agency'),
    ('follow_up.contract', 'aided', 'Contrat aidé', 'Aided contract'),
    ('follow_up.contract', 'apprenticeship', 'Apprentissage', 'Apprenticeship'),
    ('follow_up.contract', 'professionalisation', 'Professionnalisation', 'Professionalisation'),
    ('follow_up.contract', 'none', 'Aucun', 'None'),
    ('follow_up.contract', 'unknown', 'Non renseigné', 'Unknown'),
    ('right_request.kind', 'access', 'Accès', 'Access'),
    ('right_request.kind', 'erasure', 'Effacement', 'Erasure'),
    ('right_request.kind', 'objection', 'Opposition', 'Objection'),
    ('employer.staff_bracket', '0', '0 salarié', 'No staff'),
    ('employer.staff_bracket', '1-9', '1 à 9', '1 to 9'),
    ('employer.staff_bracket', '10-19', '10 à 19', '10 to 19'),
    ('employer.staff_bracket', '20-49', '20 à 49', '20 to 49'),
    ('employer.staff_bracket', '50-249', '50 à 249', '50 to 249'),
    ('employer.staff_bracket', '250+', '250 et plus', '250 and more'),
    ('employer.staff_bracket', 'unknown', 'Non renseigné', 'Unknown'),
    ('project.state', 'proposed', 'Proposé', 'Proposed'),
    ('project.state', 'open', 'En cours', 'Open'),
    ('project.state', 'delivered', 'Livré', 'Delivered'),
    ('project.state', 'dropped', 'Abandonné', 'Dropped'),
    ('project.state', 'unknown', 'Non renseigné', 'Unknown');

-- Two records that are one, as far as names can say it: at least one of them was entered without its SIRET.
CREATE VIEW probable_duplicate(table_name, key, other) AS
    WITH named(table_name, code, commune, known_as, has_siret) AS (
        SELECT 'employer', code, commune, replace(replace(replace(replace(lower(name), ' ', ''), '-', ''), '.', ''), '''', ''),
               code GLOB '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]' FROM employer WHERE name <> ''
        UNION ALL
        SELECT 'organisation', code, commune, replace(replace(replace(replace(lower(name), ' ', ''), '-', ''), '.', ''), '''', ''),
               code GLOB '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]' FROM organisation WHERE name <> '')
    SELECT a.table_name, a.code, b.code FROM named AS a JOIN named AS b
        ON b.table_name = a.table_name AND b.known_as = a.known_as AND b.code > a.code
    WHERE NOT (a.has_siret AND b.has_siret) AND (a.commune IS NULL OR b.commune IS NULL OR a.commune = b.commune);

-- ---- what is counted ----
--
-- What a tool left empty ('') was not told; half a day has 720 minutes at most.
--
-- A site counts the records of which it is the home: Navette computes the view `outcome` over those alone, once a period,
-- and writes its rows into `outcome_count` (navette-publish in navette(1)). All reports are sums of such rows.

-- What somebody told of themselves, as one of the classes that every nomenclature is made of. A contract of exactly six
-- months counts as lasting: 181 days, the shortest half year.
CREATE VIEW told AS
    SELECT learner, place, programme, starts_on, milestone, told_on,
           coalesce(withdrawn, '') <> '' AS is_withdrawn,
           reached = 'reached' AS is_reached,
           CASE situation
               WHEN 'own_business' THEN 'own_business'
               WHEN 'civil_service' THEN 'job_lasting'
               WHEN 'employed' THEN
                   CASE WHEN contract = 'cdi' THEN 'job_lasting'
                        WHEN contract = 'aided' THEN 'job_transition'
                        WHEN contract NOT IN ('cdd', 'interim', 'apprenticeship', 'professionalisation')
                             OR days IS NULL THEN 'job_unknown'
                        WHEN days >= 181 THEN 'job_lasting'
                        ELSE 'job_transition' END
               WHEN 'qualifying_training' THEN 'training_positive'
               WHEN 'other_training' THEN 'training_other'
               WHEN 'other_siae' THEN 'other_siae'
               WHEN 'unknown' THEN 'unknown'
               ELSE 'other' END AS class
    FROM follow_up;

-- Each person who entered a course, with the part of each dimension that they are counted in.
CREATE VIEW entrant AS
    SELECT e.learner, e.place, e.programme, e.starts_on,
           CASE WHEN e.state IN ('completed', 'dropped_out', 'excluded', 'transferred') THEN e.state
                ELSE 'in_course' END AS state,
           CASE WHEN l.gender IN ('F', 'M', 'other') THEN l.gender ELSE 'unknown' END || ':' ||
               CASE WHEN l.situation IN ('jobseeker', 'inactive', 'employed', 'in_training') THEN l.situation
                    ELSE 'unknown' END AS sex_situation,
           CASE WHEN date(l.born_on) IS NULL OR date(e.entered_on) IS NULL OR l.born_on > e.entered_on
                     OR l.born_on NOT GLOB '[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]*'
                     OR e.entered_on NOT GLOB '[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]*' THEN 'unknown'
                WHEN strftime('%Y', e.entered_on) - strftime('%Y', l.born_on)
                     - (strftime('%m-%d', e.entered_on) < strftime('%m-%d', l.born_on)) < 26 THEN 'under_26'
                WHEN strftime('%Y', e.entered_on) - strftime('%Y', l.born_on)
                     - (strftime('%m-%d', e.entered_on) < strftime('%m-%d', l.born_on)) >= 50 THEN 'from_50'
                ELSE '26_49' END AS age,
           CASE WHEN l.level <= 3 THEN 'to_3' WHEN l.level = 4 THEN '4' WHEN l.level >= 5 THEN 'from_5'
                ELSE 'unknown' END AS level,
           CASE WHEN coalesce(l.qpv, '') <> '' THEN 'yes' WHEN l.qpv_generation = 'unknown' THEN 'unknown'
                ELSE 'no' END AS neighbourhood,
           CASE WHEN l.disability IN ('yes', 'no') THEN l.disability ELSE 'unknown' END AS disability,
           CASE WHEN l.minimum_benefit IN ('yes', 'no') THEN l.minimum_benefit ELSE 'unknown' END AS minimum_benefit,
           CASE WHEN l.months_jobless >= 12 THEN 'long' WHEN l.months_jobless >= 0 THEN 'short'
                ELSE 'unknown' END AS jobless,
           CASE WHEN c.obtained > 0 THEN 'obtained' WHEN c.sat > 0 THEN 'sat' ELSE 'not_sat' END AS certification,
           CASE WHEN e.left_on IS NULL THEN 'present'
                WHEN x.is_withdrawn THEN 'withdrawn'
                WHEN x.is_reached IS NOT 1 OR x.class = 'unknown' THEN 'unknown'
                WHEN date(x.told_on) > date(e.left_on, '+28 days') THEN x.class || ':late'
                ELSE x.class END AS exit,
           CASE WHEN e.left_on IS NULL OR date(e.left_on, '+3 months') > date('now') THEN 'not_due'
                WHEN m3.is_withdrawn THEN 'withdrawn'
                WHEN m3.is_reached IS NOT 1 THEN 'unreached'
                ELSE m3.class END AS m3,
           CASE WHEN e.left_on IS NULL OR date(e.left_on, '+6 months') > date('now') THEN 'not_due'
                WHEN m6.is_withdrawn THEN 'withdrawn'
                WHEN m6.is_reached IS NOT 1 THEN 'unreached'
                ELSE m6.class END AS m6
    FROM (SELECT learner, place, programme, starts_on, state, nullif(entered_on, '') AS entered_on,
                 nullif(left_on, '') AS left_on FROM enrolment) AS e
    JOIN learner AS l ON l.id = e.learner
    LEFT JOIN told AS x ON (x.learner, x.place, x.programme, x.starts_on, x.milestone)
        = (e.learner, e.place, e.programme, e.starts_on, 'exit')
    LEFT JOIN told AS m3 ON (m3.learner, m3.place, m3.programme, m3.starts_on, m3.milestone)
        = (e.learner, e.place, e.programme, e.starts_on, 'M3')
    LEFT JOIN told AS m6 ON (m6.learner, m6.place, m6.programme, m6.starts_on, m6.milestone)
        = (e.learner, e.place, e.programme, e.starts_on, 'M6')
    LEFT JOIN (SELECT learner, place, programme, starts_on, sum(result = 'obtained') AS obtained,
                      sum(result IN ('obtained', 'partial', 'failed')) AS sat
               FROM certification GROUP BY learner, place, programme, starts_on) AS c
        ON (c.learner, c.place, c.programme, c.starts_on) = (e.learner, e.place, e.programme, e.starts_on)
    WHERE e.entered_on IS NOT NULL;

-- Employers that took a learner of a place: by SIREN where the key is a SIRET, each with how many courses it did so in.
CREATE VIEW taker AS
    SELECT place, CASE WHEN employer GLOB '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
                       THEN substr(employer, 1, 9) ELSE employer END AS siren,
           min(employer) AS employer, count(DISTINCT programme || '/' || starts_on) AS courses
    FROM (SELECT place, programme, starts_on, employer FROM placement
          UNION SELECT place, programme, starts_on, employer FROM follow_up
                WHERE employer IS NOT NULL AND employer <> '' AND situation = 'employed')
    GROUP BY 1, 2;

CREATE VIEW outcome(place, programme, starts_on, measure, dimension, value, numerator, denominator, counted_on) AS
    WITH e AS (SELECT * FROM entrant),
    n AS (SELECT place, programme, starts_on, count(*) AS entrants FROM e GROUP BY 1, 2, 3),
    part(place, programme, starts_on, dimension, value, count) AS (
        SELECT place, programme, starts_on, 'state', state, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'sex_situation', sex_situation, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'age', age, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'level', level, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'neighbourhood', neighbourhood, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'disability', disability, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'minimum_benefit', minimum_benefit, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'jobless', jobless, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'certification', certification, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'exit', exit, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'm3', m3, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'm6', m6, count(*) FROM e GROUP BY 1, 2, 3, 5
        UNION ALL
        SELECT place, programme, starts_on, 'funnel',
               CASE WHEN entered_on <> '' THEN 'entered' WHEN admitted_on <> '' THEN 'not_entered'
                    ELSE 'not_admitted' END, count(*)
        FROM enrolment WHERE learner IN (SELECT id FROM learner) GROUP BY 1, 2, 3, 5
    )
    SELECT p.place, p.programme, p.starts_on, 'entrants', p.dimension, p.value, p.count, n.entrants, date('now')
    FROM part AS p JOIN n USING (place, programme, starts_on)
    UNION ALL
    SELECT place, programme, starts_on, 'attendance', 'minutes', 'done', sum(min(max(CAST(minutes AS INTEGER), 0), 720)),
           sum(min(max(CAST(planned AS INTEGER), 0), 720)), date('now')
    FROM attendance GROUP BY 1, 2, 3
    UNION ALL
    SELECT t.place, '', '', 'employers', 'employers',
           CASE WHEN t.courses > 1 THEN 'again' ELSE 'once' END || ':' ||
               CASE WHEN r.staff_bracket IN ('0', '1-9', '10-19') THEN 'small'
                    WHEN coalesce(r.staff_bracket, 'unknown') = 'unknown' THEN 'unknown' ELSE 'large' END,
           count(*), sum(count(*)) OVER (PARTITION BY t.place), date('now')
    FROM taker AS t LEFT JOIN employer AS r ON r.code = t.employer GROUP BY t.place, 6;

-- What a site publishes, into which table, and how often: 'month', 'quarter' or 'year'.
CREATE VIEW publication(view_name, table_name, every) AS VALUES ('outcome', 'outcome_count', 'quarter');

-- ---- the reports ----

CREATE VIEW report(name, title_fr, title_en, note_fr, note_en) AS VALUES
    ('R1', 'Parcours : de la candidature à la fin', 'Funnel: from application to completion', 'Admis sur candidats, entrés sur admis, terminés sur entrés.', 'Admitted of applied, entered of admitted, completed of entered.'),
    ('R2', 'Profil des entrants', 'Profile of entrants', 'Parts des entrants dont la réponse est connue ; âge exact au jour de l''entrée.', 'Shares of the entrants whose answer is known; age is exact on the day of entry.'),
    ('R3', 'Assiduité', 'Attendance', 'Minutes faites sur minutes prévues.', 'Minutes done of minutes planned.'),
    ('R4', 'Abandons', 'Drop-out', 'Sur les entrants ; exclusions et transferts à part.', 'Of entrants; exclusions and transfers apart.'),
    ('R5', 'Certification', 'Certification', 'Obtenue sur présentés, et sur entrants.', 'Obtained, of those who sat it and of entrants.'),
    ('R6', 'Sorties (nomenclature de l''IAE)', 'Exits (nomenclature of the IAE)', 'Sur les sorties, hors retraits. Un contrat d''exactement six mois (181 jours au moins) est compté comme emploi durable.', 'Of exits, less withdrawn ones. A contract of exactly six months (181 days at least) counts as a lasting job.'),
    ('R7', 'Suites à 3 et 6 mois', 'After 3 and 6 months', 'Réponses sur échus ; positifs sur joints ; bornes : si tous les non-joints étaient négatifs, puis positifs.', 'Reached of due; positive of reached; bounds: had all who were not reached been negative, then positive.'),
    ('R8', 'Vue du label à 3 mois', 'The label''s view at 3 months', 'Emploi, formation et création d''activité, sur les personnes jointes.', 'Employment, training and own business, of those reached.'),
    ('R9', 'FSE : participants', 'ESF: participants', 'Participants par sexe et situation à l''entrée ; situation dite dans les 28 jours de la sortie ; six mois après.', 'Participants by sex and situation on entry; situation told within 28 days of the exit; six months later.'),
    ('R10', 'Coûts et financeurs', 'Costs and funders', 'Euros par entrant, par certifié, par sortie dynamique ; part de chaque financeur, en centimes exacts.', 'Euros per entrant, per certified, per dynamic exit; each funder''s share, from exact cents.'),
    ('R11', 'Employeurs', 'Employers', 'SIREN distincts avec un stage ou une embauche, comptés par lieu : un employeur de deux lieux compte deux fois dans une somme.', 'Distinct SIREN with a placement or a hire, counted by place: an employer of two places counts twice in a sum.'),
    ('R12', 'Couverture', 'Coverage', 'Sites entendus depuis 7 jours sur sites attendus ; sessions avec des comptages sur sessions connues.', 'Sites heard from within 7 days of those expected; courses with counts of courses known.'),
    ('R13', 'Objectifs', 'Aims', 'Écart aux objectifs du label.', 'How far from the label''s aims.'),
    ('R14', 'Ce qui est masqué, et pourquoi', 'What is hidden, and why', 'Un effectif trop petit est masqué, ainsi que ce qui permettrait de le retrouver.', 'A count that is too small is hidden, and so is what would give it back.');

-- The lines of reports: `numerator` of `denominator` are sets of the values that `outcome` counts in a dimension. `base`
-- is everybody who is counted (all values, where it is ''); of the values in `may_be_none` it says nothing bad of
-- anybody that there is nobody, and such a zero is shown. Of a dimension, what comes first is shown first where not all can be.
CREATE VIEW indicator(report, line, measure, dimension, numerator, denominator, unknown, base, may_be_none, bounds,
                      label_fr, label_en) AS VALUES
    ('R1', 'admitted', 'entrants', 'funnel', 'entered not_entered', 'entered not_entered not_admitted', '', 'entered', 'not_entered not_admitted', 0, 'Admis sur candidats', 'Admitted of applied'),
    ('R1', 'entered', 'entrants', 'funnel', 'entered', 'entered not_entered', '', 'entered', 'not_entered not_admitted', 0, 'Entrés sur admis', 'Entered of admitted'),
    ('R1', 'completed', 'entrants', 'state', 'completed', 'in_course completed dropped_out excluded transferred', '', '', 'in_course excluded transferred', 0, 'Terminés sur entrés', 'Completed of entered'),
    ('R2', 'women', 'entrants', 'sex_situation', 'F:jobseeker F:inactive F:employed F:in_training F:unknown', 'F:jobseeker F:inactive F:employed F:in_training F:unknown M:jobseeker M:inactive M:employed M:in_training M:unknown other:jobseeker other:inactive other:employed other:in_training other:unknown', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', '', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', 0, 'Femmes', 'Women'),
    ('R2', 'under_26', 'entrants', 'age', 'under_26', 'under_26 26_49 from_50', 'unknown', '', 'unknown', 0, 'Moins de 26 ans', 'Under 26'),
    ('R2', 'from_50', 'entrants', 'age', 'from_50', 'under_26 26_49 from_50', 'unknown', '', 'unknown', 0, '50 ans et plus', '50 and over'),
    ('R2', 'level_4', 'entrants', 'level', 'to_3 4', 'to_3 4 from_5', 'unknown', '', 'unknown', 0, 'Niveau 4 au plus', 'Level 4 at most'),
    ('R2', 'level_3', 'entrants', 'level', 'to_3', 'to_3 4 from_5', 'unknown', '', 'unknown', 0, 'Niveau 3 au plus', 'Level 3 at most'),
    ('R2', 'neighbourhood', 'entrants', 'neighbourhood', 'yes', 'yes no', 'unknown', '', 'unknown', 0, 'Quartier prioritaire', 'Priority neighbourhood'),
    ('R2', 'disability', 'entrants', 'disability', 'yes', 'yes no', 'unknown', '', 'unknown', 0, 'Handicap reconnu', 'Disability recognised'),
    ('R2', 'minimum_benefit', 'entrants', 'minimum_benefit', 'yes', 'yes no', 'unknown', '', 'unknown', 0, 'Minimum social', 'Minimum benefit'),
    ('R2', 'long_jobless', 'entrants', 'jobless', 'long', 'long short', 'unknown', '', 'unknown', 0, 'Chômage de longue durée', 'Long-term unemployed'),
    ('R3', 'attendance', 'attendance', 'minutes', 'done', 'done', '', '', '', 0, 'Minutes faites sur prévues', 'Minutes done of planned'),
    ('R4', 'dropped_out', 'entrants', 'state', 'dropped_out', 'in_course completed dropped_out excluded transferred', '', '', 'in_course excluded transferred', 0, 'Abandons', 'Dropped out'),
    ('R4', 'excluded', 'entrants', 'state', 'excluded', 'in_course completed dropped_out excluded transferred', '', '', 'in_course excluded transferred', 0, 'Exclusions', 'Excluded'),
    ('R4', 'transferred', 'entrants', 'state', 'transferred', 'in_course completed dropped_out excluded transferred', '', '', 'in_course excluded transferred', 0, 'Transferts', 'Transferred'),
    ('R5', 'certified_of_entrants', 'entrants', 'certification', 'obtained', 'obtained sat not_sat', '', '', '', 0, 'Obtenue, sur entrants', 'Obtained, of entrants'),
    ('R5', 'certified_of_sat', 'entrants', 'certification', 'obtained', 'obtained sat', '', '', 'not_sat', 0, 'Obtenue, sur présentés', 'Obtained, of those who sat'),
    ('R6', 'dynamic', 'entrants', 'exit', 'job_lasting own_business job_lasting:late own_business:late job_transition job_transition:late training_positive other_siae training_positive:late other_siae:late', 'job_lasting own_business job_lasting:late own_business:late job_transition job_transition:late training_positive other_siae training_positive:late other_siae:late training_other other training_other:late other:late unknown job_unknown job_unknown:late', 'unknown job_unknown job_unknown:late', '', 'present withdrawn unknown job_unknown job_unknown:late training_other training_other:late other_siae other_siae:late job_lasting:late own_business:late job_transition:late training_positive:late other:late', 0, 'Sorties dynamiques', 'Dynamic exits'),
    ('R6', 'lasting', 'entrants', 'exit', 'job_lasting own_business job_lasting:late own_business:late', 'job_lasting own_business job_lasting:late own_business:late job_transition job_transition:late training_positive other_siae training_positive:late other_siae:late training_other other training_other:late other:late unknown job_unknown job_unknown:late', 'unknown job_unknown job_unknown:late', '', 'present withdrawn unknown job_unknown job_unknown:late training_other training_other:late other_siae other_siae:late job_lasting:late own_business:late job_transition:late training_positive:late other:late', 0, 'Emploi durable', 'Lasting job'),
    ('R6', 'transition', 'entrants', 'exit', 'job_transition job_transition:late', 'job_lasting own_business job_lasting:late own_business:late job_transition job_transition:late training_positive other_siae training_positive:late other_siae:late training_other other training_other:late other:late unknown job_unknown job_unknown:late', 'unknown job_unknown job_unknown:late', '', 'present withdrawn unknown job_unknown job_unknown:late training_other training_other:late other_siae other_siae:late job_lasting:late own_business:late job_transition:late training_positive:late other:late', 0, 'Emploi de transition', 'Transition job'),
    ('R6', 'positive', 'entrants', 'exit', 'training_positive other_siae training_positive:late other_siae:late', 'job_lasting own_business job_lasting:late own_business:late job_transition job_transition:late training_positive other_siae training_positive:late other_siae:late training_other other training_other:late other:late unknown job_unknown job_unknown:late', 'unknown job_unknown job_unknown:late', '', 'present withdrawn unknown job_unknown job_unknown:late training_other training_other:late other_siae other_siae:late job_lasting:late own_business:late job_transition:late training_positive:late other:late', 0, 'Sortie positive', 'Positive exit'),
    ('R7', 'm3_answered', 'entrants', 'm3', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown unreached', '', '', 'not_due withdrawn unreached unknown job_unknown training_other other_siae', 0, 'Réponses à 3 mois', 'Answers at 3 months'),
    ('R7', 'm3_positive', 'entrants', 'm3', 'job_lasting own_business job_transition training_positive other_siae', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown', 'unreached', '', 'not_due withdrawn unreached unknown job_unknown training_other other_siae', 1, 'Positifs à 3 mois', 'Positive at 3 months'),
    ('R7', 'm6_answered', 'entrants', 'm6', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown unreached', '', '', 'not_due withdrawn unreached unknown job_unknown training_other other_siae', 0, 'Réponses à 6 mois', 'Answers at 6 months'),
    ('R7', 'm6_positive', 'entrants', 'm6', 'job_lasting own_business job_transition training_positive other_siae', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown', 'unreached', '', 'not_due withdrawn unreached unknown job_unknown training_other other_siae', 1, 'Positifs à 6 mois', 'Positive at 6 months'),
    ('R8', 'label_m3', 'entrants', 'm3', 'job_lasting job_transition job_unknown other_siae own_business training_positive training_other', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown', 'unreached', '', 'not_due withdrawn unreached unknown job_unknown training_other other_siae', 0, 'Ensemble', 'Together'),
    ('R8', 'employed_m3', 'entrants', 'm3', 'job_lasting job_transition job_unknown other_siae', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown', 'unreached', '', 'not_due withdrawn unreached unknown job_unknown training_other other_siae', 0, 'Emploi', 'Employment'),
    ('R8', 'training_m3', 'entrants', 'm3', 'training_positive training_other', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown', 'unreached', '', 'not_due withdrawn unreached unknown job_unknown training_other other_siae', 0, 'Formation', 'Training'),
    ('R8', 'own_business_m3', 'entrants', 'm3', 'own_business', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown', 'unreached', '', 'not_due withdrawn unreached unknown job_unknown training_other other_siae', 0, 'Création d''activité', 'Own business'),
    ('R9', 'esf_jobseeker', 'entrants', 'sex_situation', 'F:jobseeker M:jobseeker other:jobseeker', 'F:jobseeker F:inactive F:employed F:in_training F:unknown M:jobseeker M:inactive M:employed M:in_training M:unknown other:jobseeker other:inactive other:employed other:in_training other:unknown', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', '', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', 0, 'Participants : demandeurs d''emploi', 'Participants: jobseekers'),
    ('R9', 'esf_women_jobseeker', 'entrants', 'sex_situation', 'F:jobseeker', 'F:jobseeker F:inactive F:employed F:in_training F:unknown M:jobseeker M:inactive M:employed M:in_training M:unknown other:jobseeker other:inactive other:employed other:in_training other:unknown', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', '', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', 0, 'Femmes : demandeurs d''emploi', 'Women: jobseekers'),
    ('R9', 'esf_inactive', 'entrants', 'sex_situation', 'F:inactive M:inactive other:inactive', 'F:jobseeker F:inactive F:employed F:in_training F:unknown M:jobseeker M:inactive M:employed M:in_training M:unknown other:jobseeker other:inactive other:employed other:in_training other:unknown', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', '', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', 0, 'Participants : inactifs', 'Participants: inactive'),
    ('R9', 'esf_women_inactive', 'entrants', 'sex_situation', 'F:inactive', 'F:jobseeker F:inactive F:employed F:in_training F:unknown M:jobseeker M:inactive M:employed M:in_training M:unknown other:jobseeker other:inactive other:employed other:in_training other:unknown', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', '', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', 0, 'Femmes : inactifs', 'Women: inactive'),
    ('R9', 'esf_employed', 'entrants', 'sex_situation', 'F:employed M:employed other:employed', 'F:jobseeker F:inactive F:employed F:in_training F:unknown M:jobseeker M:inactive M:employed M:in_training M:unknown other:jobseeker other:inactive other:employed other:in_training other:unknown', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', '', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', 0, 'Participants : en emploi', 'Participants: employed'),
    ('R9', 'esf_women_employed', 'entrants', 'sex_situation', 'F:employed', 'F:jobseeker F:inactive F:employed F:in_training F:unknown M:jobseeker M:inactive M:employed M:in_training M:unknown other:jobseeker other:inactive other:employed other:in_training other:unknown', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', '', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', 0, 'Femmes : en emploi', 'Women: employed'),
    ('R9', 'esf_in_training', 'entrants', 'sex_situation', 'F:in_training M:in_training other:in_training', 'F:jobseeker F:inactive F:employed F:in_training F:unknown M:jobseeker M:inactive M:employed M:in_training M:unknown other:jobseeker other:inactive other:employed other:in_training other:unknown', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', '', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', 0, 'Participants : en formation', 'Participants: in training'),
    ('R9', 'esf_women_in_training', 'entrants', 'sex_situation', 'F:in_training', 'F:jobseeker F:inactive F:employed F:in_training F:unknown M:jobseeker M:inactive M:employed M:in_training M:unknown other:jobseeker other:inactive other:employed other:in_training other:unknown', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', '', 'unknown:jobseeker unknown:inactive unknown:employed unknown:in_training unknown:unknown', 0, 'Femmes : en formation', 'Women: in training'),
    ('R9', 'esf_exit_employed', 'entrants', 'exit', 'job_lasting own_business job_transition job_unknown other_siae', 'job_lasting own_business job_lasting:late own_business:late job_transition job_transition:late training_positive other_siae training_positive:late other_siae:late training_other other training_other:late other:late unknown job_unknown job_unknown:late', 'unknown job_unknown job_unknown:late', '', 'present withdrawn unknown job_unknown job_unknown:late training_other training_other:late other_siae other_siae:late job_lasting:late own_business:late job_transition:late training_positive:late other:late', 0, 'En emploi sous 28 jours', 'Employed within 28 days'),
    ('R9', 'esf_exit_training', 'entrants', 'exit', 'training_positive training_other', 'job_lasting own_business job_lasting:late own_business:late job_transition job_transition:late training_positive other_siae training_positive:late other_siae:late training_other other training_other:late other:late unknown job_unknown job_unknown:late', 'unknown job_unknown job_unknown:late', '', 'present withdrawn unknown job_unknown job_unknown:late training_other training_other:late other_siae other_siae:late job_lasting:late own_business:late job_transition:late training_positive:late other:late', 0, 'En formation sous 28 jours', 'In training within 28 days'),
    ('R9', 'esf_m6_employed', 'entrants', 'm6', 'job_lasting own_business job_transition job_unknown other_siae', 'job_lasting own_business job_transition training_positive other_siae job_unknown training_other other unknown', 'unreached', '', 'not_due withdrawn unreached unknown job_unknown training_other other_siae', 0, 'En emploi six mois après', 'Employed six months later'),
    ('R11', 'employers_again', 'employers', 'employers', 'again:small again:large again:unknown', 'again:small again:large again:unknown once:small once:large once:unknown', '', '', 'again:unknown once:unknown', 0, 'Employeurs de deux sessions ou plus', 'Employers of two courses or more'),
    ('R11', 'employers_small', 'employers', 'employers', 'again:small once:small', 'again:small once:small again:large once:large', 'again:unknown once:unknown', '', 'again:unknown once:unknown', 0, 'Employeurs de moins de 20 salariés', 'Employers with under 20 staff');

-- What reports may be split by, from the coarse to the fine: of which group a course is. Where not all groups can be
-- shown, what comes first is.
CREATE VIEW course_group(place, programme, starts_on, rank, split, code, label) AS
    WITH unit(place, programme, starts_on) AS (
        SELECT place, programme, starts_on FROM cohort UNION SELECT place, programme, starts_on FROM enrolment
        UNION SELECT place, programme, starts_on FROM outcome_count UNION SELECT code, '', '' FROM place)
    SELECT place, programme, starts_on, 1, 'period', substr(starts_on, 1, 4), substr(starts_on, 1, 4)
    FROM unit WHERE starts_on <> ''
    UNION ALL
    SELECT u.place, u.programme, u.starts_on, 2, 'region', p.region, p.region
    FROM unit AS u JOIN place AS p ON p.code = u.place WHERE p.region IS NOT NULL
    UNION ALL
    SELECT u.place, u.programme, u.starts_on, 3, 'place', u.place, coalesce(nullif(p.name, ''), u.place)
    FROM unit AS u LEFT JOIN place AS p ON p.code = u.place
    UNION ALL
    SELECT u.place, u.programme, u.starts_on, 4, 'programme', u.programme, coalesce(nullif(p.title, ''), u.programme)
    FROM unit AS u LEFT JOIN programme AS p ON p.code = u.programme WHERE u.programme <> ''
    UNION ALL
    SELECT place, programme, starts_on, 5, 'cohort', place || '/' || programme || '/' || starts_on,
           place || ' · ' || programme || ' · ' || starts_on
    FROM unit WHERE starts_on <> '';

-- What is no amount is left out: no sum holds it.
CREATE VIEW money(place, programme, starts_on, funder, cents) AS
    SELECT place, programme, starts_on, funder, sum(cents) FROM funding
    WHERE typeof(cents) = 'integer' AND cents BETWEEN -1000000000000 AND 1000000000000 GROUP BY 1, 2, 3, 4;

-- What an amount is divided by: a line's numerator, or everybody where it is ''.
CREATE VIEW cost(line, of_line, label_fr, label_en) AS VALUES
    ('euros_per_entrant', '', 'Euros par entrant', 'Euros per entrant'),
    ('euros_per_certified', 'certified_of_entrants', 'Euros par certifié', 'Euros per certified'),
    ('euros_per_dynamic_exit', 'dynamic', 'Euros par sortie dynamique', 'Euros per dynamic exit');

-- Aims: so many places or people, or so many percent of a line.
CREATE VIEW aim(line, of_line, target, label_fr, label_en) AS VALUES
    ('places', '', 130, 'Lieux', 'Places'),
    ('learners', '', 10000, 'Apprenants', 'Learners'),
    ('women', 'women', 30, 'Femmes (points)', 'Women (points)'),
    ('under_26', 'under_26', 50, 'Moins de 26 ans (points)', 'Under 26 (points)');

-- ---- who reads, who writes ----

INSERT INTO navette_table(name, scope, writers) VALUES
    ('organisation',     'network',           'scope'),
    ('place',            'network',           'scope'),
    ('programme',        'network',           'scope'),
    ('phase',            'network',           'scope'),
    ('cohort',           'network',           'scope'),
    ('funding',          'network',           'scope'),
    ('learner',          'column:visible_to', 'scope'),
    ('enrolment',        'parent:learner',    'scope'),
    ('attendance',       'parent:learner',    'scope'),
    ('skill_assessment', 'parent:learner',    'scope'),
    ('placement',        'parent:learner',    'scope'),
    ('certification',    'parent:learner',    'scope'),
    ('follow_up',        'parent:learner',    'scope'),
    ('right_request',    'parent:learner',    'scope'),
    ('employer',         'network',           'scope'),
    ('employer_contact', 'column:visible_to', 'scope'),
    ('project',          'network',           'scope'),
    ('outcome_count',    'network',           'home'),
    ('disclosure',       'network',           'home');

INSERT INTO navette_column(table_name, name, rule, quiet, label_fr, label_en) VALUES
    ('organisation', 'name', 'last', 0, 'Raison sociale', 'Name'),
    ('organisation', 'kind', 'last', 0, 'Nature', 'Kind'),
    ('organisation', 'qualiopi', 'last', 0, 'Qualiopi', 'Qualiopi'),
    ('organisation', 'uai', 'last', 0, 'UAI', 'UAI'),
    ('organisation', 'commune', 'last', 0, 'Commune', 'Commune'),
    ('organisation', 'address', 'last', 0, 'Adresse', 'Address'),
    ('place', 'organisation', 'last', 0, 'Organisme', 'Organisation'),
    ('place', 'name', 'last', 0, 'Lieu', 'Place'),
    ('place', 'commune', 'last', 0, 'Code commune', 'Commune code'),
    ('place', 'epci', 'last', 0, 'EPCI', 'EPCI'),
    ('place', 'region', 'last', 0, 'Région', 'Region'),
    ('place', 'hub', 'last', 0, 'Pôle', 'Hub'),
    ('place', 'opened_on', 'last', 0, 'Ouvert le', 'Opened on'),
    ('place', 'closed_on', 'last', 0, 'Fermé le', 'Closed on'),
    ('programme', 'title', 'last', 0, 'Intitulé', 'Title'),
    ('programme', 'rncp', 'last', 0, 'RNCP', 'RNCP'),
    ('programme', 'rs', 'last', 0, 'RS', 'RS'),
    ('programme', 'level', 'last', 0, 'Niveau', 'Level'),
    ('programme', 'label', 'last', 0, 'Label', 'Label'),
    ('programme', 'label_from', 'last', 0, 'Label du', 'Label from'),
    ('programme', 'label_until', 'last', 0, 'Label au', 'Label until'),
    ('programme', 'job_family', 'last', 0, 'Famille de métiers', 'Job family'),
    ('phase', 'title', 'last', 0, 'Intitulé', 'Title'),
    ('phase', 'kind', 'last', 0, 'Nature', 'Kind'),
    ('phase', 'minutes', 'last', 0, 'Minutes prévues', 'Planned minutes'),
    ('phase', 'weeks', 'last', 0, 'Semaines', 'Weeks'),
    ('phase', 'rhythm', 'last', 0, 'Rythme', 'Rhythm'),
    ('cohort', 'ends_on', 'last', 0, 'Fin', 'Ends on'),
    ('cohort', 'seats', 'last', 0, 'Places', 'Seats'),
    ('cohort', 'minutes', 'last', 0, 'Minutes prévues', 'Planned minutes'),
    ('cohort', 'state', 'last', 0, 'État', 'State'),
    ('funding', 'cents', 'last', 0, 'Montant (€)', 'Amount (€)'),
    ('funding', 'kind', 'last', 0, 'Nature', 'Kind'),
    ('learner', 'family_name', 'last', 0, 'Nom', 'Family name'),
    ('learner', 'given_name', 'last', 0, 'Prénom', 'Given name'),
    ('learner', 'born_on', 'last', 0, 'Date de naissance', 'Date of birth'),
    ('learner', 'gender', 'last', 0, 'Sexe', 'Gender'),
    ('learner', 'phone', 'last', 0, 'Téléphone', 'Telephone'),
    ('learner', 'email', 'last', 0, 'Courriel', 'E-mail'),
    ('learner', 'address', 'last', 0, 'Adresse', 'Address'),
    ('learner', 'commune', 'last', 0, 'Code commune', 'Commune code'),
    ('learner', 'qpv', 'last', 0, 'Code QPV', 'Priority neighbourhood'),
    ('learner', 'qpv_generation', 'last', 0, 'Génération QPV', 'Neighbourhood generation'),
    ('learner', 'disability', 'last', 0, 'RQTH', 'Disability recognised'),
    ('learner', 'level', 'last', 0, 'Niveau à l''entrée', 'Level on entry'),
    ('learner', 'situation', 'last', 0, 'Situation à l''entrée', 'Situation on entry'),
    ('learner', 'months_jobless', 'last', 0, 'Mois d''inscription', 'Months as jobseeker'),
    ('learner', 'minimum_benefit', 'last', 0, 'Minimum social', 'Minimum benefit'),
    ('learner', 'last_contact_on', 'max', 1, 'Dernier contact', 'Last contact'),
    ('learner', 'legal_hold', 'last', 0, 'Conservation légale', 'Legal hold'),
    ('learner', 'visible_to', 'last', 0, 'Visible par', 'Visible to'),
    ('enrolment', 'applied_on', 'last', 0, 'Candidature le', 'Applied on'),
    ('enrolment', 'admitted_on', 'last', 0, 'Admission le', 'Admitted on'),
    ('enrolment', 'entered_on', 'last', 0, 'Entrée le', 'Entered on'),
    ('enrolment', 'left_on', 'last', 0, 'Sortie le', 'Left on'),
    ('enrolment', 'state', 'last', 0, 'État', 'State'),
    ('enrolment', 'reason', 'last', 0, 'Motif', 'Reason'),
    ('attendance', 'minutes', 'last', 0, 'Minutes faites', 'Minutes done'),
    ('attendance', 'planned', 'last', 0, 'Minutes prévues', 'Minutes planned'),
    ('attendance', 'kind', 'last', 0, 'Nature', 'Kind'),
    ('attendance', 'justified', 'last', 0, 'Justifiée', 'Justified'),
    ('skill_assessment', 'level', 'last', 0, 'Niveau', 'Level'),
    ('skill_assessment', 'assessed_on', 'last', 0, 'Évaluée le', 'Assessed on'),
    ('placement', 'kind', 'last', 0, 'Nature', 'Kind'),
    ('placement', 'ends_on', 'last', 0, 'Fin', 'Ends on'),
    ('placement', 'broken_on', 'last', 0, 'Rupture le', 'Broken on'),
    ('placement', 'reason', 'last', 0, 'Motif', 'Reason'),
    ('certification', 'sat_on', 'last', 0, 'Passée le', 'Sat on'),
    ('certification', 'result', 'last', 0, 'Résultat', 'Result'),
    ('certification', 'blocks', 'last', 0, 'Blocs obtenus', 'Blocks obtained'),
    ('follow_up', 'reached', 'last', 0, 'Joint', 'Reached'),
    ('follow_up', 'told_on', 'last', 0, 'Dit le', 'Told on'),
    ('follow_up', 'situation', 'last', 0, 'Situation', 'Situation'),
    ('follow_up', 'contract', 'last', 0, 'Contrat', 'Contract'),
    ('follow_up', 'days', 'last', 0, 'Durée (jours)', 'Duration (days)'),
    ('follow_up', 'employer', 'last', 0, 'Employeur', 'Employer'),
    ('follow_up', 'withdrawn', 'last', 0, 'Retiré du calcul', 'Withdrawn'),
    ('right_request', 'done_on', 'last', 0, 'Faite le', 'Done on'),
    ('employer', 'name', 'last', 0, 'Raison sociale', 'Name'),
    ('employer', 'naf', 'last', 0, 'NAF', 'NAF'),
    ('employer', 'staff_bracket', 'last', 0, 'Tranche d''effectif', 'Staff bracket'),
    ('employer', 'commune', 'last', 0, 'Commune', 'Commune'),
    ('employer_contact', 'employer', 'last', 0, 'Employeur', 'Employer'),
    ('employer_contact', 'family_name', 'last', 0, 'Nom', 'Family name'),
    ('employer_contact', 'given_name', 'last', 0, 'Prénom', 'Given name'),
    ('employer_contact', 'email', 'last', 0, 'Courriel', 'E-mail'),
    ('employer_contact', 'phone', 'last', 0, 'Téléphone', 'Telephone'),
    ('employer_contact', 'visible_to', 'last', 0, 'Visible par', 'Visible to'),
    ('project', 'title', 'last', 0, 'Intitulé', 'Title'),
    ('project', 'structure', 'last', 0, 'Structure', 'Structure'),
    ('project', 'place', 'last', 0, 'Lieu', 'Place'),
    ('project', 'programme', 'last', 0, 'Programme', 'Programme'),
    ('project', 'starts_on', 'last', 0, 'Début', 'Starts on'),
    ('project', 'state', 'last', 0, 'État', 'State'),
    ('outcome_count', 'numerator', 'last', 0, 'Numérateur', 'Numerator'),
    ('outcome_count', 'denominator', 'last', 0, 'Dénominateur', 'Denominator'),
    ('outcome_count', 'counted_on', 'last', 0, 'Compté le', 'Counted on'),
    ('disclosure', 'disclosed_on', 'last', 0, 'Diffusé le', 'Disclosed on');
