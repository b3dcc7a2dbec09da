-- The schools' network: places and their courses, learners and what becomes of them, employers, money.
--
-- Codes are TEXT, so that leading zeros stay; dates are ISO 8601 (2026-11-26); money is in whole cents, time in whole
-- minutes. A column whose value is one of a list takes any text: what the list says today is in the view `choice`, and a
-- site with older software keeps what it does not know. Every list has 'unknown'.
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

CREATE TABLE place (
    code         TEXT NOT NULL PRIMARY KEY,
    organisation TEXT REFERENCES organisation(code),
    name         TEXT NOT NULL DEFAULT '',
    commune      TEXT,
    epci         TEXT,
    region       TEXT,
    hub          TEXT,
    opened_on    TEXT,
    closed_on    TEXT
);

CREATE TABLE programme (
    code         TEXT NOT NULL PRIMARY KEY,
    title        TEXT NOT NULL DEFAULT '',
    rncp         TEXT,
    rs           TEXT,
    level        INTEGER,
    label        TEXT,
    label_from   TEXT,
    label_until  TEXT,
    job_family   TEXT NOT NULL DEFAULT 'unknown'
);

CREATE TABLE phase (
    programme TEXT NOT NULL REFERENCES programme(code),
    rank      TEXT NOT NULL,
    title     TEXT NOT NULL DEFAULT '',
    kind      TEXT NOT NULL DEFAULT 'unknown',
    minutes   INTEGER,
    weeks     INTEGER,
    rhythm    TEXT,
    PRIMARY KEY (programme, rank)
);

-- A course once: of a programme, at a place, from a day on.
CREATE TABLE cohort (
    place     TEXT NOT NULL REFERENCES place(code),
    programme TEXT NOT NULL REFERENCES programme(code),
    starts_on TEXT NOT NULL,
    ends_on   TEXT,
    seats     INTEGER,
    minutes   INTEGER,
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
    born_on         TEXT,
    gender          TEXT NOT NULL DEFAULT 'unknown',
    phone           TEXT,
    email           TEXT,
    address         TEXT,
    commune         TEXT,
    qpv             TEXT,
    qpv_generation  TEXT NOT NULL DEFAULT 'unknown',
    disability      TEXT NOT NULL DEFAULT 'unknown',
    level           INTEGER,
    situation       TEXT NOT NULL DEFAULT 'unknown',
    months_jobless  INTEGER,
    minimum_benefit TEXT NOT NULL DEFAULT 'unknown',
    last_contact_on TEXT,
    legal_hold      TEXT NOT NULL DEFAULT 'no',
    visible_to      TEXT
);
CREATE INDEX learner_by_name ON learner(family_name, given_name);

CREATE TABLE enrolment (
    learner     TEXT NOT NULL REFERENCES learner(id),
    place       TEXT NOT NULL,
    programme   TEXT NOT NULL,
    starts_on   TEXT NOT NULL,
    applied_on  TEXT,
    admitted_on TEXT,
    entered_on  TEXT,
    left_on     TEXT,
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
    minutes   INTEGER NOT NULL DEFAULT 0,
    planned   INTEGER NOT NULL DEFAULT 210,
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
    assessed_on TEXT,
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
    ends_on   TEXT,
    broken_on TEXT,
    reason    TEXT,
    PRIMARY KEY (learner, place, programme, starts_on, employer, begins_on)
);

CREATE TABLE certification (
    learner   TEXT NOT NULL REFERENCES learner(id),
    place     TEXT NOT NULL,
    programme TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    code      TEXT NOT NULL,
    sat_on    TEXT,
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
    told_on    TEXT,
    situation  TEXT NOT NULL DEFAULT 'unknown',
    contract   TEXT NOT NULL DEFAULT 'unknown',
    days       INTEGER,
    employer   TEXT,
    withdrawn  TEXT,
    PRIMARY KEY (learner, place, programme, starts_on, milestone)
);

CREATE TABLE right_request (
    learner     TEXT NOT NULL REFERENCES learner(id),
    received_on TEXT NOT NULL,
    kind        TEXT NOT NULL,
    done_on     TEXT,
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
    starts_on TEXT,
    state     TEXT NOT NULL DEFAULT 'unknown'
);

-- ---- what leaves a school: counts of its own records, once a period ----

CREATE TABLE outcome_count (
    place       TEXT NOT NULL,
    programme   TEXT NOT NULL,
    starts_on   TEXT NOT NULL,
    period      TEXT NOT NULL,
    measure     TEXT NOT NULL,
    dimension   TEXT NOT NULL,
    value       TEXT NOT NULL,
    numerator   INTEGER NOT NULL DEFAULT 0,
    denominator INTEGER NOT NULL DEFAULT 0,
    counted_on  TEXT,
    PRIMARY KEY (place, programme, starts_on, period, measure, dimension, value)
);

-- What people call the columns of keys; for all others navette_column says it.
CREATE VIEW label(table_name, column_name, label_fr, label_en) AS VALUES
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
    ('employer', 'code', 'SIRET', 'SIRET'),
    ('employer_contact', 'id', 'Identifiant', 'Identifier'),
    ('project', 'id', 'Identifiant', 'Identifier');

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
    ('outcome_count',    'network',           'home');

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
    ('funding', 'cents', 'last', 0, 'Montant (centimes)', 'Amount (cents)'),
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
    ('outcome_count', 'counted_on', 'last', 0, 'Compté le', 'Counted on');
