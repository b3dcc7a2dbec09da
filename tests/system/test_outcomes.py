"""What schools write becomes the hub's figures: counted at each school, published, summed at a hub that reads no learner."""
import json
import subprocess

import pytest

from network import REPOSITORY, Site, wait_until

SCHOOLS = REPOSITORY / "deploy" / "schools"
SCHEMA = (SCHOOLS / "schema.sql").read_text()


def figures(site, *words):
    """{(line, group): figure} of the reports."""
    return {(one["line"], one["group"]): one for one in site.cli("report", *words)["figures"]}


def numbers(figure):
    return figure["numerator"], figure["denominator"]


def add_course(school, place, entrants, women):
    """A course of so many people, so many of them women, written with plain SQL."""
    with school.connection() as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO place(code) VALUES (?)", (place,))
        connection.execute("INSERT OR IGNORE INTO programme(code) VALUES ('dev')")
        connection.execute("INSERT INTO cohort(place, programme, starts_on) VALUES (?, 'dev', '2024-09-02')", (place,))
        for n in range(entrants):
            key = "%s-%02d" % (place, n)
            connection.execute("INSERT INTO learner(id, gender) VALUES (?, ?)", (key, "F" if n < women else "M"))
            connection.execute("INSERT INTO enrolment(learner, place, programme, starts_on, entered_on) "
                               "VALUES (?, ?, 'dev', '2024-09-02', '2024-09-02')", (key, place))
        connection.execute("COMMIT")


def publish_all(network):
    """Each school publishes; then its counts are awaited at the hub, which has no learner."""
    want = sum(school.cli("publish")[0]["rows"] for school in network.schools.values())
    wait_until(lambda: network.hub.query("SELECT count(*) FROM outcome_count") == [(want,)], "the counts are at the hub")
    assert not network.hub.query("SELECT 1 FROM learner UNION ALL SELECT 1 FROM enrolment UNION ALL SELECT 1 FROM follow_up")


def test_a_rate_is_a_sum_over_a_sum(network):
    """1 of 2 and 9 of 90 are 10 of 92, which is no mean of 50 % and 10 %."""
    hub = network.add_hub(SCHEMA)
    small, large = network.add_schools("small", "large")
    add_course(small, "small", 2, 1)
    add_course(large, "large", 90, 9)
    publish_all(network)
    by_place = figures(hub, "R2", "--by", "place")
    assert numbers(by_place["women", ""]) == (10, 92)
    assert by_place["women", ""]["rate"] == 10 / 92
    for place in ("small", "large"):  # the one is small, and the other would give it back
        assert numbers(by_place["women", place]) == (None, None) and by_place["women", place]["people"] is None
    assert by_place["women", "small"]["shown"] == by_place["women", "large"]["shown"] == "hidden"
    # Ten are too few for a funder.
    for_funder = figures(hub, "R2", "--for", "funder")
    assert numbers(for_funder["women", ""]) == (None, None) and for_funder["women", ""]["shown"] == "hidden"
    assert for_funder["women", ""]["people"] == 92
    # Every school says the same of the network, and its own figures whole.
    wait_until(lambda: small.query("SELECT count(*) FROM outcome_count") == hub.query("SELECT count(*) FROM outcome_count"),
               "the counts are at the small school")
    assert figures(small, "R2", "--for", "hub", "--by", "place") == by_place
    assert numbers(figures(small, "R2")["women", ""]) == (1, 2)
    assert numbers(figures(large, "R2")["women", ""]) == (9, 90)


def load(school, name, places):
    words = [word for place in places for word in ("--place", place)]
    subprocess.run([SCHOOLS / "samples" / "load", name, "--home", school.home, *words], check=True, capture_output=True)


def places_of(tmp_path, name):
    """The codes of a sample's places, as a store of its own has them."""
    whole = Site(tmp_path / "whole", "whole")
    whole.cli("init", "whole", "--hub")
    whole.cli("schema", "apply", SCHOOLS / "schema.sql")
    load(whole, name, ())
    return [code for (code,) in whole.query("SELECT code FROM place ORDER BY code")]


# {sample: how many schools share its places, and what the hub hides of its figures: what is of fewer than five people}
SAMPLES = {
    "coopaxis": (1, {"under_26"}),  # all are, and that nobody is not would say it of each
    "fabrique-blois": (1, {"entered", "women", "disability", "level_3", "level_4"}),
    "fabrique-poitiers-niort": (2, {"positive"}),  # all dynamic exits are, and that none is a job would be told
    "lepoles": (3, set()),
    "pop-school": (1, {"under_26"}),
    "r2k": (1, {"dropped_out"}),
    "grande-ecole": (3, set()),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_figures_of_a_sample_come_out_at_a_blind_hub(network, tmp_path, name):
    count, hidden = SAMPLES[name]
    hub = network.add_hub(SCHEMA)
    schools = network.add_schools(*("school%d" % n for n in range(count)))
    places = places_of(tmp_path, name)
    for n, school in enumerate(schools):
        load(school, name, places[n::count])
    publish_all(network)
    wanted = json.loads((SCHOOLS / "samples" / (name + ".json")).read_text(encoding="utf-8"))["figures"]
    seen_hidden = set()
    for figure in wanted:
        ((split, group),) = figure.get("by", {"": ""}).items()
        words = ["--by", split] if split else []
        for audience in ("hub", "funder"):
            shown = figures(hub, figure["report"], "--for", audience, *words)[figure["line"], group]
            if numbers(shown) == (figure["numerator"], figure["denominator"]):
                continue
            assert shown["numerator"] is None or shown["shown"] == "at_least", (audience, figure, shown)
            if audience == "hub":
                seen_hidden.add(figure["line"])
        # At the school that has them all, nothing is hidden.
        if count == 1:
            assert numbers(figures(schools[0], figure["report"], *words)[figure["line"], group]) == (
                figure["numerator"], figure["denominator"])
    assert seen_hidden == hidden


def test_the_two_women_of_blois_are_hidden_from_hub_and_funder(network):
    hub = network.add_hub(SCHEMA)
    blois, poitou = network.add_schools("blois", "poitou")
    load(blois, "fabrique-blois", ())
    load(poitou, "fabrique-poitiers-niort", ())
    publish_all(network)
    (truth,) = [one for one in blois.cli("report", "R2")["figures"] if one["line"] == "women"]
    assert numbers(truth) == (2, 20)
    for audience in ("hub", "funder"):
        for split in ("place", "programme", "cohort", "period", "region"):
            shown = {group: figure for (line, group), figure in
                     figures(hub, "R2", "--for", audience, "--by", split).items() if line == "women"}
            alone = [group for group in shown if "blois" in group or group in ("fabrique-41", "2024", "Centre-Val de Loire")]
            assert alone, (split, shown)
            for group in alone:
                assert shown[group]["numerator"] is None, (audience, split, group)
            # All the others together would give it back.
            others = [figure["numerator"] for group, figure in shown.items() if group not in ("", *alone)]
            assert shown[""]["numerator"] is None or None in others, (audience, split)
    for form in ("table", "csv", "html"):
        assert hub.run("report", "R14", "--for", "hub", "--format", form).stdout
    # Why it is hidden is for the hub's own log alone.
    why = {(one["line"], one["group"]): one["shown"] for one in hub.cli("report", "R14", "--by", "place", "--why")["figures"]}
    assert why["women", "blois"] == "small" and "complement" in why.values()
    for words in (["R2", "--why"], ["R14", "--for", "funder", "--why"]):
        hub.run("report", *words, codes=(2,))
    blois.run("report", "R14", "--why", codes=(2,))
    listed = {(one["line"], one["group"]) for one in hub.cli("report", "R14", "--by", "place")["figures"]}
    assert ("women", "blois") in listed
    assert hub.cli("report", "R14", "--for", "funder", "--by", "place")["figures"] == []


def add_learner(site, key, born_on, entered_on, left_on=None, told_on=None):
    with site.connection() as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")  # what a table without them took before
        connection.execute("INSERT INTO learner(id, born_on) VALUES (?, ?)", (key, born_on))
        connection.execute("INSERT INTO enrolment(learner, place, programme, starts_on, admitted_on, entered_on, left_on) "
                           "VALUES (?, 'p', 'dev', '2025-01-06', ?, ?, ?)", (key, entered_on, entered_on, left_on))
        if told_on is not None:
            connection.execute(
                "INSERT INTO follow_up(learner, place, programme, starts_on, milestone, reached, told_on, situation, "
                "contract) VALUES (?, 'p', 'dev', '2025-01-06', 'exit', 'reached', ?, 'employed', 'cdi')", (key, told_on))


def test_dates_are_counted_where_they_are_dates(network):
    """What tools leave empty was not told; a year alone is no day, and nobody is born after they entered."""
    site = network.add_hub(SCHEMA)
    add_learner(site, "young", "2000-02-29", "2026-02-28", "2025-03-01", "2025-03-29 18:00")
    add_learner(site, "older", "2000-02-29", "2026-03-01", "", None)
    add_learner(site, "year", "2000", "2026-03-01", "2025-03-01", "2025-03-30")
    add_learner(site, "unborn", "2026-05-01", "2026-03-01")
    add_learner(site, "applicant", "2000-01-01", "")
    site.write("UPDATE enrolment SET admitted_on = '2025-01-01' WHERE learner = 'year'")
    shown = figures(site, "--for", "site")
    assert numbers(shown["admitted", ""]) == (4, 5)
    assert numbers(shown["under_26", ""]) == (1, 2) and shown["under_26", ""]["unknown"] == 2
    assert numbers(shown["lasting", ""]) == (2, 2)
    assert numbers(shown["esf_exit_employed", ""]) == (1, 2)


def test_minutes_are_those_of_half_a_day(network):
    site = network.add_hub(SCHEMA)
    add_learner(site, "one", "2000-01-01", "2025-01-06")
    for half, minutes in (("morning", 9223372036854775807), ("afternoon", 9223372036854775807), ("night", 0)):
        site.write("INSERT INTO attendance(learner, place, programme, starts_on, day, half, minutes) "
                   "VALUES ('one', 'p', 'dev', '2025-01-06', '2025-01-07', ?, ?)", half, minutes)
    assert numbers(figures(site, "R3", "--for", "site")["attendance", ""]) == (2 * 720, 3 * 210)


def test_an_amount_is_divided_by_the_people_whom_it_paid_for(network):
    """The new course of two waits to be shown, and with it what it cost."""
    site = network.add_hub(SCHEMA)
    add_course(site, "large", 20, 10)
    site.write("INSERT INTO funding(place, programme, starts_on, funder, agreement, cents) "
               "SELECT 'large', 'dev', '2024-09-02', 'Region', '1', 200000 UNION ALL "
               "SELECT 'small', 'dev', '2024-09-02', 'Region', '1', 500000")
    site.cli("publish", "--period", "2025-Q1")
    add_course(site, "small", 2, 1)
    site.cli("publish", "--period", "2025-Q2")
    shown = figures(site, "R10", "--for", "hub")
    assert numbers(shown["euros_per_entrant", ""]) == (200000, 20) and shown["euros_per_entrant", ""]["part"]
    assert numbers(shown["Region", ""]) == (700000, 700000)
    assert numbers(figures(site, "R10", "--for", "site")["euros_per_entrant", ""]) == (700000, 22)
