"""Who the learners of the national sample are, and what becomes of them: drawn together, so that the totals are exact and
the fields belong together (who has been without a job for long is more often on a minimum benefit, and so on)."""
import people
from chances import one_of, pick
from course import NOT_REACHED

LEVELS = {5: {3: 25, 4: 42, 5: 18, 6: 10, 7: 3}, 6: {3: 8, 4: 35, 5: 30, 6: 20, 7: 5}, 4: {2: 6, 3: 45, 4: 35, 5: 8, 6: 4},
          3: {1: 4, 2: 14, 3: 55, 4: 20, 5: 4}}
SITUATIONS = {"jobseeker": 83, "inactive": 8, "employed": 4, "in_training": 3, "unknown": 2}


def everybody(wanted, courses, chance):
    """A list of people for each course."""
    all_of_them = [{"commune": course["of_place"]["commune"], "region": course["of_place"]["region"],
                    "of_programme": course["of_programme"]} for course in courses for _ in range(course["size"])]
    exact = wanted["exact"]
    draw_gender(exact["women"], all_of_them, chance)
    draw_age(exact["under_26"], all_of_them, chance)
    for person in all_of_them:
        draw_level_and_work(person, chance)
    draw_neighbourhood(exact["neighbourhood"], all_of_them, wanted["qpv_generation"], chance)
    draw_state(wanted["state"], all_of_them, chance)
    for milestone in ("exit", "M3", "M6"):
        draw_follow_up(milestone, wanted[milestone], all_of_them, chance)
    for person in all_of_them:
        person["certification"] = certification(person, chance)
    given = iter(all_of_them)
    return [[next(given) for _ in range(course["size"])] for course in courses]


def known_and_are(counts, those, chance, weight):
    """Of those, the ones of whom it is known, and among these the ones of whom it is so."""
    known = pick(chance, those, counts["known"], lambda _: 1)
    known_ones = [person for number, person in enumerate(those) if number in known]
    are = pick(chance, known_ones, counts["are"], weight)
    return [(person, number in are) for number, person in enumerate(known_ones)]


def draw_gender(counts, those, chance):
    for person, is_woman in known_and_are(counts, those, chance, lambda person: person["of_programme"]["women"]):
        person["gender"] = "F" if is_woman else "other" if chance.random() < 0.002 else "M"


def draw_age(counts, those, chance):
    for person, is_young in known_and_are(counts, those, chance, lambda person: person["of_programme"]["young"]):
        person["age"] = 17 + int(9 * chance.random() ** 0.7) if is_young else 26 + int(35 * chance.random() ** 2)


def draw_level_and_work(person, chance):
    level, age = person["of_programme"]["row"]["level"], person.get("age") or 25
    person["level"] = None if chance.random() < 0.04 else one_of(chance, LEVELS[level])
    if person["level"] is not None and age < 21:
        person["level"] = min(person["level"], 4)
    person["situation"] = one_of(chance, SITUATIONS)
    person["months_jobless"] = months_jobless(person, age, chance)
    # More likely for those who have been without a job for long and are old enough for it.
    likely = 0.08 + (0.3 if (person["months_jobless"] or 0) >= 12 else 0) + (0.08 if age >= 25 else 0)
    person["minimum_benefit"] = unless_unknown(0.06, "yes" if chance.random() < likely else "no", chance)
    person["disability"] = unless_unknown(0.1, "yes" if chance.random() < (0.03 if age < 30 else 0.08) else "no", chance)


def months_jobless(person, age, chance):
    if person["situation"] == "unknown" or chance.random() < 0.06:
        return None
    if person["situation"] != "jobseeker":
        return 0
    slowest = (14 if age < 26 else 36) * (1.4 if (person["level"] or 4) <= 3 else 1)
    return 1 + int(slowest * chance.random() ** 2)


def unless_unknown(share, value, chance):
    return "unknown" if chance.random() < share else value


def draw_neighbourhood(counts, those, generation, chance):
    def weight(person):
        return ((1.6 if (person["level"] or 4) <= 3 else 1) * (1.3 if (person.get("age") or 30) < 26 else 1) *
                (1.5 if person["region"] == "Île-de-France" else 1))
    for person, lives_there in known_and_are(counts, those, chance, weight):
        person.update(people.neighbourhood(person["commune"], "yes" if lives_there else "no", generation))


def draw_state(counts, those, chance):
    """Who is better prepared completes more often; what is between the others is chance."""
    for person in those:
        person["luck"] = (0.15 * (person["level"] or 4) - (0.3 if (person["months_jobless"] or 0) >= 12 else 0)
                          - (0.2 if (person.get("age") or 30) >= 50 else 0) + 1.5 * chance.random())
    deal("state", counts, sorted(those, key=lambda person: -person["luck"] - chance.random()))
    for person in those:
        person["luck"] += 0.5 if person["state"] == "completed" else 0


def draw_follow_up(milestone, counts, those, chance):
    """Those who left early are harder to reach. The answers stand in the order of luck, which stays with people from one
    milestone to the next, but for a little."""
    silent = {words: count for words, count in counts.items() if words.split()[0] in (*NOT_REACHED, "withdrawn")}
    numbers = pick(chance, those, sum(silent.values()), lambda person: 1 if person["state"] == "completed" else 2.5)
    deal(milestone, silent, sorted((those[n] for n in numbers), key=lambda _: chance.random()))
    answering = [person for number, person in enumerate(those) if number not in numbers]
    deal(milestone, {words: count for words, count in counts.items() if words not in silent},
         sorted(answering, key=lambda person: -person["luck"] - 0.4 * chance.random()))


def deal(field, counts, those):
    """Gives the values in their order to those in theirs; both are as many."""
    values = [value for value, count in counts.items() for _ in range(count)]
    assert len(values) == len(those), "%s is for %d people, not for %d" % (field, len(values), len(those))
    for person, value in zip(those, values):
        person[field] = value


def certification(person, chance):
    if person["of_programme"]["certification"] is None or person["state"] != "completed" or chance.random() < 0.1:
        return "none"
    better = (person["level"] or 4) >= 4
    return one_of(chance, {"obtained": 75 if better else 60, "partial": 15, "failed": 10 if better else 25})
