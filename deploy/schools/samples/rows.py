"""The rows of a sample, by table and key, and the part of them that is of some places."""

# The tables that samples fill, in the order in which they are written, with their keys.
COHORT = ("place", "programme", "starts_on")
KEYS = {
    "organisation": ("code",),
    "place": ("code",),
    "programme": ("code",),
    "phase": ("programme", "rank"),
    "cohort": COHORT,
    "funding": (*COHORT, "funder", "agreement"),
    "employer": ("code",),
    "project": ("id",),
    "learner": ("id",),
    "enrolment": ("learner", *COHORT),
    "attendance": ("learner", *COHORT, "day", "half"),
    "skill_assessment": ("learner", *COHORT, "skill", "project"),
    "placement": ("learner", *COHORT, "employer", "begins_on"),
    "certification": ("learner", *COHORT, "code"),
    "follow_up": ("learner", *COHORT, "milestone"),
}

# Which column names a row that is of no place by itself.
REFERENCES = [
    ("place", "organisation", "organisation"),
    ("cohort", "programme", "programme"),
    ("project", "structure", "employer"),
    ("placement", "employer", "employer"),
    ("follow_up", "employer", "employer"),
]


class Rows:
    def __init__(self):
        self.tables = {table: {} for table in KEYS}

    def add(self, table, row):
        """Adds a row; what is not known of it (None) is left to the column's default."""
        row = {column: value for column, value in row.items() if value is not None}
        key = tuple(row[column] for column in KEYS[table])
        assert key not in self.tables[table], "%s has two rows %s" % (table, key)
        self.tables[table][key] = row

    def named(self, target):
        """The keys of the table `target` that rows name."""
        return {row[column] for table, column, of in REFERENCES if of == target
                for row in self.tables[table].values() if column in row}

    def keep(self, table, whole, holds):
        self.tables[table] = {key: row for key, row in whole.tables[table].items() if holds(row)}

    def of_places(self, codes):
        """What is of these places, with the shared rows that it names; those that no place names are of all."""
        part = Rows()
        for table, key in KEYS.items():
            if "place" in key or table == "project":
                part.keep(table, self, lambda row: row["place"] in codes)
        part.keep("place", self, lambda row: row["code"] in codes)
        learners = {row["learner"] for row in part.tables["enrolment"].values()}
        part.keep("learner", self, lambda row: row["id"] in learners)
        for table in ("organisation", "programme", "employer"):
            named, anywhere = part.named(table), self.named(table)
            part.keep(table, self, lambda row: row["code"] in named or row["code"] not in anywhere)
        part.keep("phase", self, lambda row: (row["programme"],) in part.tables["programme"])
        return part
