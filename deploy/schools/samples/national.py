"""A sample that is described by its totals: regions with so many places, so many courses, so many learners.

A seed decides who is where and what becomes of whom; the totals, and all that is in `exact` and in the follow-ups, come
out exactly.
"""
import datetime
import random

import national_people
import people
from calendar_days import day
from chances import one_of, pick, share_out
from course import Course
from keys import record_key, siret
from rows import Rows

FIRST_MONDAY = datetime.date(2017, 1, 9)
WEEKS_OF_STARTS = 42
PLACEMENT_WEEKS = 4
TRADES = ["Agence", "Atelier", "Boulangerie", "Cabinet", "Commerce", "Garage", "Imprimerie", "Librairie", "Menuiserie",
          "Studio"]
BRACKETS = {"0": 1, "1-9": 4, "10-19": 2, "20-49": 2, "50-249": 1, "250+": 1, "unknown": 1}


def rows(sample, description, scale):
    made, wanted = Rows(), description["parameters"]
    chance = random.Random(wanted["seed"])
    for programme in description["programmes"]:
        made.add("programme", {**programme["row"], "label": wanted["label"], "label_from": "2017-01-01",
                               "label_until": "2019-12-31"})
        for rank, phase in enumerate(programme["phases"], start=1):
            made.add("phase", {"programme": programme["row"]["code"], "rank": str(rank), **phase})
    places = add_places(made, sample, description, chance)
    cohorts = all_cohorts(wanted, description["programmes"], places, chance)
    courses = with_learners(wanted, cohorts, chance)
    for cohort in cohorts:
        add_cohort(made, wanted, cohort)
    everybody = national_people.everybody(wanted, courses, chance)
    number = 0
    for cohort, those in zip(courses, everybody):
        course = Course(made, sample, cohort, cohort["of_place"]["employers"])
        for person in those:
            for copy in range(scale):
                course.enrol(number if copy == 0 else "%d copy %d" % (number, copy), person)
            number += 1
    # Only employers that somebody went to: one that no row names would be of every place (rows.py).
    named = made.named("employer")
    made.keep("employer", made, lambda employer: employer["code"] in named)
    return made


def add_places(made, sample, description, chance):
    """A place for each structure that has the label, in its region's towns; each with employers around it."""
    kinds = [one for one in description["kinds"] for _ in range(one["count"])]
    kinds.sort(key=lambda _: chance.random())
    named = {one["town"]: one for one in description["named"]}
    block, in_town, places = description["parameters"]["block"], {}, []
    for region in description["regions"]:
        for number in range(region["places"]):
            code, town = region["towns"][number % len(region["towns"])]
            in_town[code] = in_town.get(code, 0) + 1
            organisation = named.pop(code, None) or kind_in_town(kinds.pop(), town, in_town[code])
            key = record_key(sample, "organisation", len(places), FIRST_MONDAY)
            made.add("organisation", {"code": key, "name": organisation["name"], "kind": organisation["kind"],
                                      "commune": code})
            place = {"code": "ge-%s-%d" % (plain(town), in_town[code]), "organisation": key, "name": organisation["name"],
                     "commune": code, "region": region["name"], "opened_on": FIRST_MONDAY.isoformat()}
            made.add("place", place)
            employers = [add_employer(made, siret(block, 10 * len(places) + n), trade, town, code, chance)
                         for n, trade in enumerate(TRADES)]
            places.append({"code": place["code"], "commune": code, "region": region["name"], "employers": employers})
    assert not named and not kinds, "every structure has a place"
    return places


def kind_in_town(kind, town, number):
    return {"kind": kind["kind"], "name": "%s, %s%s" % (kind["name"], town, "" if number == 1 else " %d" % number)}


def plain(town):
    """The town's name as a code: no accents, no spaces."""
    return town.lower().translate(str.maketrans("éèôî '", "eeoi--"))


def add_employer(made, code, trade, town, commune, chance):
    made.add("employer", {"code": code, "name": "%s %s, %s" % (trade, people.one_of(people.FAMILIES, chance), town),
                          "staff_bracket": one_of(chance, BRACKETS), "commune": commune})
    return code


def all_cohorts(wanted, programmes, places, chance):
    """The courses of all places. Most places run one or two programmes."""
    counts = share_out(wanted["courses"], [1 + 2 * chance.random() for _ in places])
    cohorts = []
    for place, count in zip(places, counts):
        likely = {number: programme["weight"] for number, programme in enumerate(programmes)}
        run = [one_of(chance, likely) for _ in range(1 if chance.random() < 0.45 else 2 if chance.random() < 0.85 else 3)]
        for number in range(count):
            programme = programmes[run[number % len(run)]]
            # The courses of a place begin one after the other, so that no two of a programme begin on one day.
            week = int((number + chance.random() * 0.9) * WEEKS_OF_STARTS / count)
            starts = FIRST_MONDAY + datetime.timedelta(weeks=week)
            ends = starts + datetime.timedelta(weeks=programme["weeks"], days=-3)
            cohorts.append({"place": place["code"], "programme": programme["row"]["code"], "starts_on": starts.isoformat(),
                            "ends_on": ends.isoformat(), "of_place": place, "of_programme": programme})
    for cohort, cents in zip(cohorts, share_out(wanted["label_cents"], [1 + chance.random() for _ in cohorts])):
        cohort["cents"] = cents
    return cohorts


def add_cohort(made, wanted, cohort):
    programme, key = cohort["of_programme"], {column: cohort[column] for column in ("place", "programme", "starts_on")}
    cohort["certification"] = programme["certification"]
    if programme["placements"]:
        ends = day(cohort["ends_on"])
        cohort["placements"] = {"kind": "internship", "ends_on": cohort["ends_on"], "begins_on": (
            ends - datetime.timedelta(weeks=PLACEMENT_WEEKS, days=-3)).isoformat()}
    made.add("cohort", {**key, "ends_on": cohort["ends_on"], "seats": cohort.get("size"), "state": "closed",
                        "minutes": sum(phase.get("minutes", 0) for phase in programme["phases"])})
    made.add("funding", {**key, "funder": wanted["funder"], "agreement": wanted["agreement"], "cents": cohort["cents"],
                         "kind": "state_label"})


def with_learners(wanted, cohorts, chance):
    """The courses that told of their learners, at least one at each place, each with how many it had."""
    first = {}
    for number, cohort in enumerate(cohorts):
        first.setdefault(cohort["place"], number)
    others = [number for number in range(len(cohorts)) if number not in first.values()]
    more = pick(chance, others, wanted["courses_with_learners"] - len(first), lambda _: 1)
    courses = [cohorts[number] for number in sorted([*first.values(), *(others[n] for n in more)])]
    for cohort, size in zip(courses, share_out(wanted["learners"], [0.4 + chance.random() for _ in courses])):
        cohort["size"] = size
    return courses
