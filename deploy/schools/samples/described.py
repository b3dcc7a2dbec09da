"""A sample that is described place by place and course by course.

A course has groups of learners. A field of a group is one value for all of them, or an object that says how many have
which: {"F": 2, "M": 18}. `18-25` is any number from 18 to 25. What becomes of people is dealt in the order in which it
stands, so that the last, who left early, are those who obtained nothing; who they are (MIXED) is left to chance.
"""
import random

import people
from course import Course
from keys import record_key, siret
from calendar_days import day
from rows import Rows

NUMBERS = ("age", "level", "months_jobless")
MIXED = ("age", "disability", "gender", "level", "minimum_benefit", "neighbourhood")


def rows(sample, description, scale):
    made = Rows()
    organisations = shared(made, sample, description)
    communes = {}
    for place in description["places"]:
        communes[place["code"]] = place.get("commune")
        made.add("place", {**place, "organisation": organisations[place["organisation"]]})
    employers = [siret(description["block"], number) for number in range(len(description["employers"]))]
    for code, employer in zip(employers, description["employers"]):
        made.add("employer", {"code": code, **employer})
    number = 0
    for cohort in description["cohorts"]:
        add_cohort(made, cohort)
        add_projects(made, sample, cohort, employers)
        course = Course(made, sample, cohort, employers)
        for person in learners(sample, cohort, communes[cohort["place"]], description["qpv_generation"]):
            for copy in range(scale):
                course.enrol(number if copy == 0 else "%d copy %d" % (number, copy), person)
            number += 1
        course.add_attendance(scale)
    return made


def shared(made, sample, description):
    """The organisations and programmes; returns the key of each organisation by its name in the description."""
    first_day = day(min(cohort["starts_on"] for cohort in description["cohorts"]))
    keys = {}
    for organisation in description["organisations"]:
        row = dict(organisation)
        name = row.pop("id")
        keys[name] = record_key(sample, "organisation", name, first_day)
        made.add("organisation", {"code": keys[name], **row})
    for programme in description["programmes"]:
        row = dict(programme)
        for rank, phase in enumerate(row.pop("phases"), start=1):
            made.add("phase", {"programme": row["code"], "rank": str(rank), **phase})
        made.add("programme", row)
    return keys


def add_cohort(made, cohort):
    key = {column: cohort[column] for column in ("place", "programme", "starts_on")}
    made.add("cohort", {**key, **{column: cohort.get(column) for column in ("ends_on", "seats", "minutes", "state")}})
    for funding in cohort["funding"]:
        made.add("funding", {**key, **funding})


def add_projects(made, sample, cohort, employers):
    """Real cases: the structure is one of the sample's employers, by its place in their list."""
    for number, project in enumerate(cohort.get("projects", ())):
        key = record_key(sample, "project", "%s %s %s %d" % (cohort["place"], cohort["programme"], cohort["starts_on"], number),
                         day(cohort["starts_on"]))
        made.add("project", {**project, "id": key, "structure": employers[project["structure"]],
                             **{column: cohort[column] for column in ("place", "programme", "starts_on")}})


def learners(sample, cohort, commune, generation):
    """The people of a course's groups, each a dict of fields."""
    for place, group in enumerate(cohort["learners"]):
        chance = random.Random("%s %s %s %s %d" % (sample, cohort["place"], cohort["programme"], cohort["starts_on"], place))
        count = group["count"]
        fields = {field: spread(value, count) for field, value in group.items() if field != "count"}
        for field in MIXED:
            fields[field] = sorted(fields.get(field, [None] * count), key=lambda _: chance.random())
        for number in range(count):
            person = {field: values[number] for field, values in fields.items()}
            for field in NUMBERS:
                person[field] = a_number(person.get(field), chance)
            person.update(people.neighbourhood(commune, person.pop("neighbourhood") or "unknown", generation))
            yield {"commune": commune, **person}


def spread(value, count):
    """A value for each of `count` people."""
    if not isinstance(value, dict):
        return [value] * count
    values = [one for one, times in value.items() for _ in range(times)]
    assert len(values) == count, "%s is for %d people, not for %d" % (value, len(values), count)
    return values


def a_number(text, chance):
    """The number that stands there, one of a range, or None where it is not known."""
    if text is None or text == "unknown":
        return None
    low, _, high = str(text).partition("-")
    return int(low) if not high else int(low) + int(chance.random() * (int(high) - int(low) + 1))
