"""What becomes of one learner in one course, as rows."""
import datetime
import random

import calendar_days
import people
from keys import record_key
from rows import COHORT

NOT_REACHED = ("unreachable", "refused", "not_tried", "unknown")
LEFT = ("completed", "dropped_out", "excluded", "transferred")
MONTHS_AFTER = {"exit": 0, "M3": 3, "M6": 6}
HALF_DAY_MINUTES, LATE_MINUTES = 210, 150


class Course:
    """A cohort whose learners are entered one by one. `employers` are those who take them on."""

    def __init__(self, rows, sample, cohort, employers):
        self.rows, self.sample, self.cohort, self.employers = rows, sample, cohort, employers
        self.key = {column: cohort[column] for column in COHORT}
        self.starts_on = calendar_days.day(cohort["starts_on"])
        self.ends_on = calendar_days.day(cohort["ends_on"])
        self.there = []  # the keys of those who entered

    def enrol(self, number, person):
        """`number` makes the learner's key, and all that is left to chance."""
        key = record_key(self.sample, "learner", number, self.starts_on)
        chance = random.Random(key)
        enrolment = self.enrolment(person, chance)
        told = list(self.follow_ups(person, enrolment["left_on"], chance))
        person["last_contact_on"] = max(
            [row["told_on"] for row in told if "told_on" in row] +
            [enrolment["left_on"] or enrolment["entered_on"] or enrolment["applied_on"]])
        self.rows.add("learner", people.learner(key, person, self.starts_on, chance))
        self.add("enrolment", key, enrolment)
        for row in told:
            self.add("follow_up", key, row)
        if enrolment["entered_on"] is not None:
            self.there.append(key)
            self.add_placement(key, enrolment["left_on"], chance)
            self.add_certification(key, person)
            self.add_skills(key, enrolment["state"], chance)

    def add(self, table, learner, row):
        self.rows.add(table, {"learner": learner, **self.key, **row})

    def enrolment(self, person, chance):
        state = person["state"]
        applied = self.starts_on - datetime.timedelta(days=25 + int(chance.random() * 50))
        admitted = None if state == "applicant" else applied + datetime.timedelta(days=10 + int(chance.random() * 10))
        entered = None if state in ("applicant", "admitted") else self.starts_on
        left = None
        if state in LEFT:
            share = 1 if state == "completed" else 0.2 + 0.6 * chance.random()
            left = self.starts_on + datetime.timedelta(days=round((self.ends_on - self.starts_on).days * share))
        days = {"applied_on": applied, "admitted_on": admitted, "entered_on": entered, "left_on": left}
        return {"state": state, **{column: value and value.isoformat() for column, value in days.items()}}

    def follow_ups(self, person, left_on, chance):
        for milestone, months in MONTHS_AFTER.items():
            if person.get(milestone) is None:
                continue
            told = answer(person[milestone])
            if told["reached"] == "reached":
                due = calendar_days.months_later(calendar_days.day(left_on), months)
                told["told_on"] = (due + datetime.timedelta(days=int(chance.random() * 12))).isoformat()
            if told.get("situation") == "employed":
                told["employer"] = people.one_of(self.employers, chance)
            yield {"milestone": milestone, **told}

    def add_placement(self, learner, left_on, chance):
        """An employer for whoever was still there when the time in companies began."""
        time = self.cohort.get("placements")
        if time is not None and (left_on is None or left_on >= time["ends_on"]):
            self.add("placement", learner, {"employer": people.one_of(self.employers, chance), **time})

    def add_certification(self, learner, person):
        if person.get("certification", "none") != "none":
            self.add("certification", learner, {"code": self.cohort["certification"], "sat_on": self.cohort["ends_on"],
                                                "result": person["certification"]})

    def add_skills(self, learner, state, chance):
        if state == "completed":
            for skill in self.cohort.get("skills", ()):
                self.add("skill_assessment", learner, {
                    "skill": skill, "project": self.cohort["capstone"], "assessed_on": self.cohort["ends_on"],
                    "level": people.one_of(["imitate", "adapt", "adapt", "transpose"], chance)})

    def add_attendance(self, scale):
        """The first weeks, half day by half day: exactly so many are missed, and so many begun late, `scale` times."""
        wanted = self.cohort.get("attendance")
        if wanted is None:
            return
        days = calendar_days.teaching_days(self.starts_on, wanted["weeks"], wanted["closed"])
        half_days = [(learner, day.isoformat(), half) for learner in self.there for day in days
                     for half in ("morning", "afternoon")]
        chance = random.Random("%s %s attendance" % (self.sample, self.key))
        by_chance = sorted(half_days, key=lambda _: chance.random())
        missed = wanted["missed"] * scale
        late = missed + wanted["late"] * scale
        for number, (learner, day, half) in enumerate(by_chance):
            minutes = 0 if number < missed else LATE_MINUTES if number < late else HALF_DAY_MINUTES
            justified = ("yes", "no")[number % 2] if number < late else None
            self.add("attendance", learner, {"day": day, "half": half, "minutes": minutes, "planned": HALF_DAY_MINUTES,
                                             "kind": "training", "justified": justified})


def answer(words):
    """The fields of a follow-up as samples write it: `unreachable`, `jobseeker`, `employed cdd 240`, `withdrawn WHY`."""
    first, *rest = words.split()
    if first == "withdrawn":
        return {"reached": "unknown", "withdrawn": " ".join(rest)}
    if first in NOT_REACHED:
        return {"reached": first}
    return {"reached": "reached", "situation": first, "contract": rest[0] if rest else "none",
            "days": int(rest[1]) if len(rest) > 1 else None}
