"""Nothing that reports hide can be worked out from what they show: attacked with linear and integer programs."""
import random

import pytest

from attack import Attack, Definitions
from network import REPOSITORY, wait_until

SCHEMA = (REPOSITORY / "deploy" / "schools" / "schema.sql").read_text()
SPLITS = [None, "period", "programme", "region", "place", "cohort"]
THRESHOLDS = {"hub": 5, "funder": 11}


def learner(chance, women):
    """A made-up person, as columns of the table."""
    return {
        "gender": "F" if chance.random() < women else chance.choice(["M"] * 9 + ["unknown"]),
        "born_on": "%d-03-01" % chance.choice([1960, 1985, 1999, 2000, 2001]) if chance.random() < 0.95 else None,
        "level": chance.choice([2, 3, 4, 5, None]),
        "situation": chance.choice(["jobseeker"] * 4 + ["inactive", "unknown"]),
    }


def add_learners(connection, unit, count, chance, women, begin=0):
    place, programme, starts_on = unit
    for n in range(begin, begin + count):
        person = learner(chance, women)
        key = "%s-%s-%s-%d" % (*unit, n)
        connection.execute("INSERT INTO learner(id, gender, born_on, level, situation) VALUES (?, ?, ?, ?, ?)",
                           (key, *person.values()))
        connection.execute(
            "INSERT INTO enrolment(learner, place, programme, starts_on, admitted_on, entered_on, left_on, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (key, place, programme, starts_on, starts_on if chance.random() < 0.9 else None,
             starts_on if chance.random() < 0.85 else None, None,
             chance.choice(["completed"] * 5 + ["dropped_out", "excluded"])))


def make_network(site, chance, sizes):
    """Places in two regions, two programmes, one course or two of each."""
    units = []
    with site.connection() as connection:
        connection.execute("BEGIN")
        for i, size in enumerate(sizes):
            unit = ("place%d" % (i // 2), "dev" if chance.random() < 0.6 else "net", "202%d-01-0%d" % (i % 2, 1 + i % 9))
            connection.execute("INSERT OR IGNORE INTO place(code, region) VALUES (?, ?)", (unit[0], "ABA"[i // 2 % 3]))
            connection.execute("INSERT OR IGNORE INTO programme(code) VALUES (?)", (unit[1],))
            connection.execute("INSERT INTO cohort(place, programme, starts_on) VALUES (?, ?, ?)", unit)
            add_learners(connection, unit, size, chance, chance.choice([0.05, 0.3, 0.5]))
            units.append(unit)
        connection.execute("COMMIT")
    return units


def truth_of(site, period):
    return {((place, programme, starts_on), dimension, value): count
            for place, programme, starts_on, dimension, value, count in site.query(
                "SELECT place, programme, starts_on, dimension, value, sum(numerator) FROM outcome_count "
                "WHERE period = ? AND measure = 'entrants' GROUP BY 1, 2, 3, 4, 5", period)}


def reports(site, audience, period):
    """What is shown of a period, in every split; a funder's becomes final with the first."""
    found = []
    for split in SPLITS:
        words = ["report", "--for", audience, "--period", period]
        words += ["--by", split] if split else []
        words += ["--disclose"] if audience == "funder" and split is None else []
        found.append(site.cli(*words))
    return found


def assert_no_small_count(report, threshold, none):
    for figure in report["figures"]:
        if figure["kind"] != "rate" or figure["numerator"] is None:
            continue
        rest = figure["people"] if figure["denominator"] is None else figure["denominator"] - figure["numerator"]
        for count in (figure["numerator"], rest, figure["people"]):
            assert count >= threshold or (count == 0 and none), (report["by"], figure)
        assert figure["unknown"] is None or figure["unknown"] == 0 or figure["unknown"] >= threshold, figure


def shown_counts(found):
    return {(figure["line"], figure["split"], figure["group"]): (figure["numerator"], figure["people"],
                                                               figure["denominator"] - figure["numerator"])
            for report in found for figure in report["figures"]
            if figure["kind"] == "rate" and figure["shown"] == "shown"}


@pytest.mark.parametrize("audience, seed", [("hub", 1), ("funder", 2)])
def test_hidden_counts_cannot_be_solved_for(network, audience, seed):
    chance = random.Random(seed)
    site = network.add_hub(SCHEMA)
    sizes = [chance.choice([2, 7, 14, 25, 40, 60]) for _ in range(8)]
    units = make_network(site, chance, sizes)
    site.cli("publish", "--period", "2025-Q1")
    found = {"2025-Q1": reports(site, audience, "2025-Q1")}
    # A few people join a small course and the largest one, many another one; a small course begins; the rest stays as it
    # was.
    with site.connection() as connection:
        connection.execute("BEGIN")
        add_learners(connection, units[0], 2, chance, 1, begin=100)
        add_learners(connection, units[sizes.index(max(sizes))], 3, chance, 0.5, begin=100)
        add_learners(connection, units[1], 30, chance, 0.5, begin=200)
        new = ("place0", "dev", "2024-06-01")
        connection.execute("INSERT INTO cohort(place, programme, starts_on) VALUES (?, ?, ?)", new)
        add_learners(connection, new, 8, chance, 0.3)
        connection.execute("COMMIT")
    site.cli("publish", "--period", "2025-Q2")
    found["2025-Q2"] = reports(site, audience, "2025-Q2")

    # Inside the hub the funders' pages are known, too.
    beside = {} if audience == "funder" else {period: reports(site, "funder", period) for period in found}
    threshold = THRESHOLDS[audience]
    definitions = Definitions(site.store, {"sex_situation", "age", "level", "state", "funnel"})
    attack = Attack(definitions, {period: truth_of(site, period) for period in found})
    for several in found.values():
        for report in several:
            assert_no_small_count(report, threshold, none=True)
            attack.take(report)
    for report in (report for several in beside.values() for report in several):
        attack.take(report, seeks=False)
    hidden, shown = len(attack.targets), sum(report["shown"] for several in found.values() for report in several)
    assert hidden > 100 and shown > 100, "the network shows %d figures and hides %d: it proves little" % (shown, hidden)
    assert attack.pinned() == []

    before, after = shown_counts(found["2025-Q1"]), shown_counts(found["2025-Q2"])
    for place in before.keys() & after.keys():
        for one, other in zip(before[place], after[place]):
            assert one == other or abs(one - other) >= threshold, (place, before[place], after[place])


def add_people(site, unit, women, men, begin=0, region=None):
    """A course of so many women and men, or more people of it."""
    place, programme, starts_on = unit
    with site.connection() as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT OR IGNORE INTO place(code, region) VALUES (?, ?)", (place, region))
        connection.execute("INSERT OR IGNORE INTO cohort(place, programme, starts_on) VALUES (?, ?, ?)", unit)
        for n in range(women + men):
            key = "%s-%s-%s-%d" % (*unit, begin + n)
            connection.execute("INSERT INTO learner(id, gender) VALUES (?, ?)", (key, "F" if n < women else "M"))
            connection.execute("INSERT INTO enrolment(learner, place, programme, starts_on, entered_on) "
                               "VALUES (?, ?, ?, ?, ?)", (key, *unit, starts_on))
        connection.execute("COMMIT")


def course(place):
    return place, "dev", "2025-01-06"


def women_by_place(site, *words):
    """{place: figure}, "" for all of them together."""
    return {one["group"]: one for one in site.cli("report", "R2", "--by", "place", *words)["figures"]
            if one["line"] == "women"}


def test_why_something_is_hidden_says_nothing_of_it(network):
    """Ten people of whom neither women nor men are few are five and five: were that said, the other place's two women
    would be what is left of all seven."""
    site = network.add_hub(SCHEMA)
    add_people(site, course("even"), 5, 5)
    add_people(site, course("uneven"), 2, 18)
    site.cli("publish", "--period", "2025-Q1")
    shown = women_by_place(site)
    assert (shown[""]["numerator"], shown["even"]["people"], shown["uneven"]["people"]) == (7, 10, 20)
    for key in ("numerator", "denominator", "rate", "unknown", "shown", "part", "as_of"):
        assert shown["even"][key] == shown["uneven"][key], key


def test_what_the_hub_and_a_funder_see_together_gives_nothing_back(network):
    """Women: 9, 3 and 20. The hub sees the 9 and may not see what the other two are; were a funder shown the 20, who sees
    both pages knew the 3."""
    site = network.add_hub(SCHEMA)
    for place, women, men in (("a", 9, 91), ("b", 3, 17), ("c", 20, 70)):
        add_people(site, course(place), women, men)
    site.cli("publish", "--period", "2025-Q1")
    inside, outside = women_by_place(site), women_by_place(site, "--for", "funder")
    assert inside[""]["numerator"] == outside[""]["numerator"] == 32
    assert (inside["a"]["numerator"], inside["b"]["numerator"], inside["c"]["numerator"]) == (9, None, None)
    assert outside["c"]["numerator"] is None


def test_people_who_come_back_are_not_told_by_what_stands_beside_them(network):
    """A course of three people, which for one period has nobody: the next line's step must not leave it out."""
    site = network.add_hub(SCHEMA)
    add_people(site, course("few"), 0, 3)
    add_people(site, course("many"), 2, 8)
    site.cli("publish", "--period", "2025-Q1")
    assert women_by_place(site)[""]["people"] == 13
    site.sql("DELETE FROM enrolment WHERE place = 'few';")
    add_people(site, course("many"), 8, 12, begin=100)
    site.cli("publish", "--period", "2025-Q2")
    assert women_by_place(site)[""]["numerator"] == 10
    site.sql("INSERT INTO enrolment(learner, place, programme, starts_on, entered_on) SELECT id, 'few', 'dev', "
             "'2025-01-06', '2025-01-06' FROM learner WHERE id LIKE 'few-%';")
    add_people(site, course("many"), 0, 7, begin=200)
    site.cli("publish", "--period", "2025-Q3")
    shown = women_by_place(site)
    assert shown[""]["people"] == 40 and shown["few"]["people"] is None
    assert shown["many"]["people"] is None, "40 less these are the three"


def disclosed(site):
    return site.query("SELECT period, site FROM disclosure ORDER BY 1, 2")


def test_a_period_is_handed_out_before_the_next_one_or_not_at_all(network):
    site = network.add_hub(SCHEMA)
    add_people(site, course("a"), 20, 20)
    site.cli("publish", "--period", "2025-Q1")
    add_people(site, course("a"), 1, 1, begin=100)
    site.cli("publish", "--period", "2025-Q2")
    later = women_by_place(site, "--for", "funder", "--disclose")
    assert later[""]["numerator"] == 21 and disclosed(site) == [("2025-Q2", "hub")]
    for words in ((), ("--disclose",)):
        assert "a later period was" in site.run("report", "--for", "funder", "--period", "2025-Q1", *words, codes=(3,)).stderr
    assert women_by_place(site, "--for", "funder") == later and disclosed(site) == [("2025-Q2", "hub")]


def test_what_was_handed_out_is_the_hubs_to_say(network):
    """Neither a late school nor one that writes the account itself changes what a period's page says."""
    hub = network.add_hub(SCHEMA)
    early, late = network.add_schools("early", "late")
    add_people(early, course("a"), 20, 20)
    early.cli("publish", "--period", "2025-Q1")
    wait_until(lambda: hub.query("SELECT 1 FROM outcome_count"), "the first school's counts are at the hub")
    page = women_by_place(hub, "--for", "funder", "--disclose")
    add_people(late, course("b"), 2, 0)
    late.cli("publish", "--period", "2025-Q1")
    wait_until(lambda: late.query("SELECT 1 FROM disclosure"), "the school knows what was handed out")
    assert "the hub alone" in late.run("report", "--for", "funder", "--disclose", codes=(3,)).stderr
    late.sql("INSERT INTO disclosure(period, site) VALUES ('2025-Q1', 'late'), ('9999-Q9', 'late');")
    wait_until(lambda: len({site.digest() for site in (hub, early, late)} | {0}) == 2 and not any(site.pending() for site in (hub, early, late)),
               "all have the same")
    for site in (hub, late):
        assert women_by_place(site, "--for", "funder") == page


def test_a_site_of_older_software_is_not_told_by_what_it_does_not_count(network):
    """Three people of whose age nothing was published: 43 in one line and 40 in the next would say that they are three."""
    site = network.add_hub(SCHEMA)
    add_people(site, course("few"), 0, 3)
    add_people(site, course("many"), 20, 20)
    site.cli("publish", "--period", "2025-Q1")
    site.sql("UPDATE outcome_count SET value = 'under_26' WHERE dimension = 'age' AND place = 'many';"
             "DELETE FROM outcome_count WHERE dimension = 'age' AND place = 'few';")
    lines = {one["line"]: one for one in site.cli("report", "R2")["figures"]}
    assert lines["women"]["people"] == lines["under_26"]["people"] == 43
    assert lines["under_26"]["denominator"] is None


def test_a_number_that_comes_back_is_not_told_beside_its_first_one(network):
    """20, then 26, then 19 women: what changed is never few at once, and one is gone since the first page."""
    site = network.add_hub(SCHEMA)
    add_people(site, course("a"), 20, 20)
    told = []
    for period, words in (("2025-Q1", ""), ("2025-Q2", "F"), ("2025-Q3", "")):
        if words:
            add_people(site, course("a"), 6, 0, begin=100)
        elif told:
            site.sql("DELETE FROM enrolment WHERE learner IN (SELECT id FROM learner WHERE gender = 'F' LIMIT 7);")
        site.cli("publish", "--period", period)
        told.append(women_by_place(site)[""]["numerator"])
    assert told == [20, 26, 26]
