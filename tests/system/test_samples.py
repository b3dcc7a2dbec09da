"""The sample networks: each loads with one command and gives the figures that were printed of its programme.

The figures are computed here from the rows, by SQL of this file's own, in which neither the loader's counts nor the
schema's views have a part; then the reports have to show the same.
"""
import json
import subprocess

import pytest

from network import REPOSITORY, Network, rows_of, wait_until

SCHOOLS = REPOSITORY / "deploy" / "schools"
SCHEMA = (SCHOOLS / "schema.sql").read_text()
SAMPLES = sorted(file.stem for file in (SCHOOLS / "samples").glob("*.json"))
COUNTED_ON = "2026-11-01"

# One row for each enrolment, with what was told at each milestone.
EVERYBODY = """
    SELECT e.*, l.*, x.reached AS exit_reached, x.situation AS exit_situation, x.contract AS exit_contract,
           x.days AS exit_days, x.withdrawn, m.reached AS m3_reached, m.situation AS m3_situation,
           (strftime('%Y%m%d', e.entered_on) - strftime('%Y%m%d', l.born_on)) / 10000 AS age
    FROM enrolment AS e JOIN learner AS l ON l.id = e.learner
    LEFT JOIN follow_up AS x ON (x.learner, x.place, x.programme, x.starts_on, x.milestone) =
                                (e.learner, e.place, e.programme, e.starts_on, 'exit')
    LEFT JOIN follow_up AS m ON (m.learner, m.place, m.programme, m.starts_on, m.milestone) =
                                (e.learner, e.place, e.programme, e.starts_on, 'M3')"""
ENTERED = "entered_on IS NOT NULL"
EXIT = ENTERED + " AND left_on IS NOT NULL AND withdrawn IS NULL"
POSITIVE = "exit_situation IN ('qualifying_training', 'other_siae')"
DUE = ENTERED + " AND date(left_on, '+3 months') < '" + COUNTED_ON + "'"
REACHED = DUE + " AND m3_reached = 'reached'"

# {(report, line): (who counts, among whom)}
LINES = {
    ("R1", "entered"): (ENTERED, "admitted_on IS NOT NULL"),
    ("R2", "women"): ("gender = 'F'", ENTERED + " AND gender <> 'unknown'"),
    ("R2", "under_26"): ("age < 26", ENTERED + " AND born_on IS NOT NULL"),
    ("R2", "level_3"): ("level <= 3", ENTERED + " AND level IS NOT NULL"),
    ("R2", "level_4"): ("level <= 4", ENTERED + " AND level IS NOT NULL"),
    ("R2", "neighbourhood"): ("qpv IS NOT NULL", ENTERED + " AND qpv_generation <> 'unknown'"),
    ("R2", "disability"): ("disability = 'yes'", ENTERED + " AND disability <> 'unknown'"),
    ("R4", "dropped_out"): ("state = 'dropped_out'", ENTERED),
    ("R6", "positive"): (POSITIVE, EXIT),
    ("R6", "dynamic"): (POSITIVE + " OR exit_situation IN ('employed', 'civil_service', 'own_business')", EXIT),
    ("R7", "m3_answered"): ("m3_reached = 'reached'", DUE),
    ("R8", "label_m3"): ("m3_situation IN ('employed', 'civil_service', 'qualifying_training', 'other_training', "
                         "'own_business')", REACHED),
    ("R8", "employed_m3"): ("m3_situation IN ('employed', 'civil_service')", REACHED),
    ("R8", "training_m3"): ("m3_situation IN ('qualifying_training', 'other_training')", REACHED),
    ("R8", "own_business_m3"): ("m3_situation = 'own_business'", REACHED),
}

# What a figure may be of, and what says so of an enrolment.
SPLITS = {"place": "place", "period": "substr(starts_on, 1, 4)"}

# What a row names: (its table, its columns, the table that has it).
COHORT = ["place", "programme", "starts_on"]
NAMES = [
    ("place", ["organisation"], "organisation"),
    ("phase", ["programme"], "programme"),
    ("cohort", ["place"], "place"),
    ("cohort", ["programme"], "programme"),
    ("placement", ["employer"], "employer"),
    ("follow_up", ["employer"], "employer"),
    ("project", ["structure"], "employer"),
    ("enrolment", ["learner"], "learner"),
    *((table, COHORT, "cohort") for table in ("funding", "project", "enrolment")),
    *((table, ["learner", *COHORT], "enrolment") for table in (
        "attendance", "skill_assessment", "placement", "certification", "follow_up")),
]


def description(sample):
    return json.loads((SCHOOLS / "samples" / (sample + ".json")).read_text(encoding="utf-8"))


def load(site, sample, *words, code=0):
    command = [SCHOOLS / "samples" / "load", sample, "--home", site.home, *words]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def computed(site, figure):
    """(numerator, denominator) of a figure."""
    if figure["report"] == "R10":
        return site.query("SELECT sum(cents) FILTER (WHERE funder = ?), sum(cents) FROM funding", figure["line"])[0]
    if figure["report"] == "R3":
        return site.query("SELECT sum(minutes), sum(planned) FROM attendance")[0]
    counts, among = LINES[figure["report"], figure["line"]]
    only = figure.get("by", {})
    where = " AND ".join(["(%s)" % among, *("%s = ?" % SPLITS[split] for split in only)])
    return site.query("SELECT count(*) FILTER (WHERE %s), count(*) FROM (%s) WHERE %s" % (counts, EVERYBODY, where),
                      *only.values())[0]


def luhn(digits):
    """Whether the last digit is the one by which SIREN and SIRET are checked."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def every_row(network, site):
    return {table: rows_of(site, table) for table in network.tracked_tables(site)}


def assert_what_is_named_is_there(site):
    for table, columns, target in NAMES:
        keys = columns if len(columns) > 1 else ["id" if target == "learner" else "code"]
        missing = "SELECT %s FROM %s WHERE %s IS NOT NULL EXCEPT SELECT %s FROM %s" % (
            ", ".join(columns), table, columns[0], ", ".join(keys), target)
        assert not site.query(missing), missing


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_gives_its_figures_and_loads_once(network, sample):
    hub = network.add_hub(SCHEMA)
    load(hub, sample)
    figures = description(sample)["figures"]
    assert figures
    for figure in figures:
        assert computed(hub, figure) == (figure["numerator"], figure["denominator"]), figure
    wait_until(lambda: hub.pending() == 0, "all is sealed")
    rows, digests = every_row(network, hub), hub.cli("digest")
    load(hub, sample)
    assert hub.pending() == 0 and every_row(network, hub) == rows and hub.cli("digest") == digests


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_reports_show_the_figures_of_a_sample(network, sample):
    hub = network.add_hub(SCHEMA)
    load(hub, sample)
    shown = {}
    figures = description(sample)["figures"]
    for split in {"", *(split for figure in figures for split in figure.get("by", ()))}:
        for one in hub.cli("report", "--for", "site", *(["--by", split] if split else []))["figures"]:
            shown[one["report"], one["line"], one["split"], one["group"]] = one["numerator"], one["denominator"]
    for figure in figures:
        ((split, group),) = figure.get("by", {"": ""}).items()
        assert shown[figure["report"], figure["line"], split, group] == (
            figure["numerator"], figure["denominator"]), figure


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_places_on_their_own_are_the_whole(network, tmp_path, sample):
    whole = network.add_hub(SCHEMA)
    load(whole, sample)
    parts = Network(tmp_path / "parts")
    try:
        hub = parts.add_hub(SCHEMA)
        places = [code for (code,) in whole.query("SELECT code FROM place ORDER BY code")]
        # The national sample's places are too many to be loaded one by one.
        together = 1 if len(places) < 10 else 40
        for codes in (places[first:first + together] for first in range(0, len(places), together)):
            before = {code for (code,) in hub.query("SELECT code FROM place")}
            load(hub, sample, *(word for code in codes for word in ("--place", code)))
            assert {code for (code,) in hub.query("SELECT code FROM place")} == before | set(codes)
            assert_what_is_named_is_there(hub)
        assert every_row(parts, hub) == every_row(network, whole)
    finally:
        parts.close()


def test_what_is_in_lists_is_listed_and_what_is_named_is_there(network):
    hub = network.add_hub(SCHEMA)
    for sample in SAMPLES:
        load(hub, sample)
    for (field,) in hub.query("SELECT DISTINCT field FROM choice WHERE field NOT LIKE 'right_request.%'"):
        table, column = field.split(".")
        assert not hub.query("SELECT DISTINCT %s FROM %s EXCEPT SELECT code FROM choice WHERE field = ?" % (column, table),
                             field), field
    assert_what_is_named_is_there(hub)
    for (siret,) in hub.query("SELECT code FROM employer"):
        assert luhn(siret[:9]) and luhn(siret) and len(siret) == 14, siret
    # Nobody can be reached: these numbers and this domain are given to no one.
    assert not hub.query("SELECT 1 FROM learner WHERE phone NOT GLOB '01 99 00 [0-9][0-9] [0-9][0-9]' OR "
                         "email NOT LIKE '%@example.org'")


def test_blois(network):
    hub = network.add_hub(SCHEMA)
    load(hub, "fabrique-blois")
    assert hub.query("SELECT minutes, kind, rhythm IS NOT NULL FROM phase ORDER BY rank") == [
        (210 * 60, "training", 0), (630 * 60, "training", 0), (None, "work_study", 1), (None, "project", 0)]
    assert hub.query("SELECT min(age), max(age) FROM (%s) WHERE %s" % (EVERYBODY, ENTERED)) == [(16, 34)]
    assert hub.query("SELECT level, count(*) FROM (%s) WHERE %s GROUP BY level" % (EVERYBODY, ENTERED)) == [
        (None, 1), (3, 7), (4, 7), (5, 3), (6, 2)]
    assert {kind for (kind,) in hub.query("SELECT kind FROM organisation")} == {
        "local_authority", "chamber", "greta", "company"}
    assert hub.query("SELECT name FROM organisation EXCEPT SELECT funder FROM funding") == []
    assert hub.query("SELECT cents >= 65000000 FROM funding WHERE kind = 'region'") == [(1,)]
    assert hub.query("SELECT count(*) FROM placement WHERE kind = 'professionalisation'")[0][0] > 0


def test_poitiers_and_niort(network):
    hub = network.add_hub(SCHEMA)
    load(hub, "fabrique-poitiers-niort")
    assert hub.query("SELECT code, commune FROM place ORDER BY code") == [("niort", "79191"), ("poitiers", "86194")]
    assert hub.query("SELECT job_family FROM programme ORDER BY 1") == [("content",), ("networks",), ("web",)]
    assert hub.query("SELECT DISTINCT weeks, kind FROM phase WHERE rank = '1'") == [(6, "project")]
    # Eight months, the last two of them with an employer.
    assert hub.query("SELECT DISTINCT date(starts_on, '+8 months') >= ends_on AND date(starts_on, '+7 months') < ends_on "
                     "FROM cohort") == [(1,)]
    assert hub.query("SELECT DISTINCT p.kind, p.ends_on = c.ends_on, date(p.begins_on, '+2 months') BETWEEN "
                     "date(p.ends_on, '-3 days') AND date(p.ends_on, '+3 days') "
                     "FROM placement AS p JOIN cohort AS c USING (place, programme, starts_on)") == [("internship", 1, 1)]
    assert hub.query("SELECT count(*) FROM project JOIN employer ON employer.code = structure "
                     "WHERE staff_bracket IN ('0', '1-9', '10-19')") == hub.query("SELECT count(*) FROM project")
    assert hub.query("SELECT count(*) FROM project")[0][0] > 0


def test_coopaxis_r2k_and_pop_school(network):
    hub = network.add_hub(SCHEMA)
    for sample in ("coopaxis", "r2k", "pop-school"):
        load(hub, sample)
    assert hub.query("SELECT programme, weeks, kind FROM phase ORDER BY programme") == [
        ("brigade-numerique", 8, "project"), ("chantier-connecte", None, "production"), ("pop-school", 26, "training")]
    young = "SELECT min(age) >= 18 AND max(age) <= 25 FROM (%s) WHERE programme = ? AND %s" % (EVERYBODY, ENTERED)
    for programme in ("brigade-numerique", "pop-school"):
        assert hub.query(young, programme) == [(1,)]
    assert hub.query("SELECT situation, count(*) FROM follow_up WHERE programme = 'brigade-numerique' AND milestone = 'exit' "
                     "AND situation IN ('other_training', 'civic_service') GROUP BY 1") == [
        ("civic_service", 1), ("other_training", 8)]
    assert hub.query("SELECT DISTINCT l.situation FROM learner AS l JOIN enrolment ON learner = id "
                     "WHERE programme = 'brigade-numerique' AND l.situation <> 'unknown' ORDER BY 1") == [
        ("inactive",), ("jobseeker",)]
    assert hub.query("SELECT job_family, substr(starts_on, 1, 4) FROM cohort JOIN programme ON code = programme "
                     "WHERE place = 'r2k'") == [("building", "2018")]
    assert hub.query("SELECT kind, cents FROM funding WHERE place = 'valenciennes' ORDER BY kind") == [
        ("epci", 8175820), ("esf", 92100000)]


def test_lepoles(network):
    hub = network.add_hub(SCHEMA)
    load(hub, "lepoles")
    assert hub.query("SELECT kind FROM phase ORDER BY rank") == [
        ("training",), ("training",), ("production",), ("internship",), ("job_search",)]
    assert hub.query("SELECT count(*), count(commune), count(epci) FROM place") == [(6, 5, 1)]
    assert hub.query("SELECT code FROM place WHERE opened_on < '2018' ORDER BY 1") == [
        ("pantin",), ("pierrefitte-sur-seine",), ("villeneuve-la-garenne",)]
    assert hub.query("SELECT code FROM place WHERE opened_on BETWEEN '2018-01-01' AND '2018-03-31' ORDER BY 1") == [
        ("poissy",), ("vitry-sur-seine",)]
    assert hub.query("SELECT DISTINCT seats, date(starts_on, '+10 months', '+7 days') >= ends_on FROM cohort") == [(12, 1)]
    assert hub.query("SELECT label FROM programme") == [("Grande École du Numérique",)]
    assert hub.query("SELECT sum(cents) FROM funding WHERE kind = 'region'") == [(20000000,)]
    left = {situation for (situation,) in hub.query("SELECT situation FROM follow_up WHERE milestone = 'exit'")}
    assert {"employed", "qualifying_training"} <= left


def test_the_national_one(network):
    hub = network.add_hub(SCHEMA)
    load(hub, "grande-ecole")
    assert hub.query("SELECT count(*), count(DISTINCT organisation), count(DISTINCT region) FROM place") == [(130, 130, 13)]
    assert hub.query("SELECT count(*) FROM organisation") == [(130,)]
    kinds = {kind for (kind,) in hub.query("SELECT kind FROM organisation")}
    assert kinds == {"association", "cfa", "chamber", "company", "greta", "school", "training_body", "university"}
    assert hub.query("SELECT name FROM organisation WHERE name IN ('Simplon.co', 'Human Booster') ORDER BY 1") == [
        ("Human Booster",), ("Simplon.co",)]
    assert hub.query("SELECT count(*) FROM cohort WHERE starts_on LIKE '2017-%'") == [(410,)]
    assert hub.query("SELECT count(DISTINCT place || programme || starts_on) FROM enrolment") == [(301,)]
    assert hub.query("SELECT count(*) FROM learner") == [(10000,)]
    assert hub.query("SELECT max(date(left_on, '+6 months')) < '2019-01-01' FROM enrolment") == [(1,)]
    one_or_two = hub.query("SELECT count(*) FROM (SELECT count(DISTINCT programme) AS programmes FROM cohort "
                           "GROUP BY place) WHERE programmes <= 2")[0][0]
    assert one_or_two > 110


def test_one_place_brings_nothing_of_the_others(network):
    hub = network.add_hub(SCHEMA)
    load(hub, "grande-ecole", "--place", "ge-rennes-1")
    assert hub.query("SELECT commune FROM place") == [("35238",)]
    assert hub.query("SELECT commune FROM organisation") == [("35238",)]
    assert hub.query("SELECT code FROM programme EXCEPT SELECT programme FROM cohort") == []
    assert hub.query("SELECT code FROM employer EXCEPT SELECT employer FROM placement EXCEPT SELECT employer FROM follow_up "
                     "WHERE employer IS NOT NULL") == []
    assert hub.query("SELECT count(*) > 0 FROM learner") == [(1,)]


def test_what_people_changed_since_stays(network):
    hub = network.add_hub(SCHEMA)
    load(hub, "r2k")
    hub.sql("UPDATE place SET name = 'Atelier' WHERE code = 'r2k'; UPDATE learner SET phone = '01 99 00 00 00';")
    rows = every_row(network, hub)
    load(hub, "r2k")
    assert every_row(network, hub) == rows


def test_at_a_larger_scale_the_shares_are_the_same(network):
    hub = network.add_hub(SCHEMA)
    load(hub, "fabrique-blois", "--scale", "3")
    for figure in description("fabrique-blois")["figures"]:
        times = 1 if figure["report"] == "R10" else 3
        assert computed(hub, figure) == (times * figure["numerator"], times * figure["denominator"]), figure


def test_schools_that_load_their_own_places_apart_agree(network):
    network.add_hub(SCHEMA)
    pantin, poissy = network.add_schools("pantin", "poissy")
    pantin.line.cut()
    load(pantin, "lepoles", "--place", "pantin")
    load(poissy, "lepoles", "--place", "poissy")
    pantin.line.heal()

    def in_step():
        digests = {site.digest() for site in network.sites}
        return None not in digests and len(digests) == 1 and not any(site.pending() for site in network.sites)
    wait_until(in_step, "what is for all is everywhere")
    for site in network.sites:
        assert site.conflicts() == {} and site.quarantine() == {}, site.name
        assert site.query("SELECT count(*) FROM place") == [(2,)]
    assert network.hub.query("SELECT count(*) FROM learner") == [(0,)]
    network.assert_clean()


def test_what_cannot_be_loaded_is_said(network):
    hub = network.add_hub()
    assert "navette --home %s schema apply" % hub.home in load(hub, "r2k", code=3)
    network.apply_schema(SCHEMA)
    assert "its places are niort, poitiers." in load(hub, "fabrique-poitiers-niort", "--place", "tours", code=3)
    assert not hub.query("SELECT 1 FROM place")
    hub.home = network.folder / "nowhere"
    assert "navette --home %s init" % hub.home in load(hub, "r2k", code=3)
    assert not hub.home.exists()
