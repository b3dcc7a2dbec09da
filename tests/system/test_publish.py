"""Publishing: a site counts its own records alone, once a period, and only counts leave it."""
import datetime

from network import REPOSITORY, wait_until

SCHEMA = (REPOSITORY / "deploy" / "schools" / "schema.sql").read_text()
COURSE = ("pantin", "dev", "2025-01-06")


def add_learners(site, prefix, count, course=COURSE, women=0):
    with site.connection() as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT OR IGNORE INTO place(code, name) VALUES (?, ?)", (course[0], course[0].title()))
        connection.execute("INSERT OR IGNORE INTO programme(code, title) VALUES (?, 'Développement')", (course[1],))
        connection.execute("INSERT OR IGNORE INTO cohort(place, programme, starts_on) VALUES (?, ?, ?)", course)
        for n in range(count):
            key = "%s-%02d" % (prefix, n)
            connection.execute("INSERT INTO learner(id, family_name, gender) VALUES (?, 'Secretname', ?)",
                               (key, "F" if n < women else "M"))
            connection.execute("INSERT INTO enrolment(learner, place, programme, starts_on, entered_on) "
                               "VALUES (?, ?, ?, ?, ?)", (key, *course, course[2]))
        connection.execute("COMMIT")


def published(site, dimension="sex_situation"):
    """{(site, value): count} of what stands in the shared table."""
    return {(name, value): count for name, value, count in site.query(
        "SELECT site, value, numerator FROM outcome_count WHERE dimension = ?", dimension)}


def test_each_site_counts_the_learners_of_which_it_is_the_home(network):
    hub = network.add_hub(SCHEMA)
    pantin, poissy = network.add_schools("pantin", "poissy")
    network.add_group("nord", pantin, poissy)
    add_learners(pantin, "a", 7, women=3)
    for n in range(3):
        pantin.cli("move", "learner", "a-%02d" % n, "group/nord")
    wait_until(lambda: poissy.query("SELECT count(*) FROM learner") == [(3,)], "Poissy reads three of them")
    add_learners(poissy, "b", 5, women=1)
    # What Poissy writes of a learner of Pantin's is counted where the learner is.
    poissy.sql("INSERT INTO follow_up(learner, place, programme, starts_on, milestone, reached) "
               "VALUES ('a-00', 'pantin', 'dev', '2025-01-06', 'exit', 'reached');")
    wait_until(lambda: pantin.query("SELECT 1 FROM follow_up"), "Pantin has it")
    for site in (pantin, poissy):
        assert site.cli("publish")[0]["rows"] > 0
    wait_until(lambda: len({name for name, _ in published(hub)}) == 2, "both sites' counts are at the hub")
    assert published(hub) == {("pantin", "F:unknown"): 3, ("pantin", "M:unknown"): 4,
                              ("poissy", "F:unknown"): 1, ("poissy", "M:unknown"): 4}
    assert not hub.query("SELECT 1 FROM learner UNION ALL SELECT 1 FROM enrolment UNION ALL SELECT 1 FROM follow_up")
    assert b"Secretname" not in b"".join(path.read_bytes() for path in hub.home.rglob("*") if path.is_file())
    # The site's own report counts the same people as what it published.
    (women,) = [one for one in poissy.cli("report", "R2", "--for", "site")["figures"] if one["line"] == "women"]
    assert (women["numerator"], women["denominator"]) == (1, 5)
    network.assert_clean()


def test_a_period_is_published_once(network):
    site = network.add_hub(SCHEMA)
    add_learners(site, "a", 6)
    assert site.cli("publish", "--period", "2024-Q4")[0]["period"] == "2024-Q4"
    add_learners(site, "b", 1)
    for period in ("2024-Q4", "2024-Q3"):
        failed = site.run("publish", "--period", period, codes=(1,))
        assert "2024-Q4 already" in failed.stderr
    assert "still to come" in site.run("publish", "--period", "2999-Q1", codes=(3,)).stderr
    assert "written like" in site.run("publish", "--period", "2024", codes=(2,)).stderr
    assert published(site) == {("hub", "M:unknown"): 6}
    now = datetime.datetime.now(datetime.timezone.utc)
    assert site.cli("publish")[0]["period"] == "%d-Q%d" % (now.year, (now.month + 2) // 3)
    assert "already" in site.run("publish", codes=(1,)).stderr
    assert site.query("SELECT sum(numerator) FROM outcome_count WHERE dimension = 'funnel'") == [(6 + 7,)]


def test_a_site_that_consents_publishes_by_itself(network):
    hub = network.add_hub(SCHEMA)
    (pantin,) = network.add_schools("pantin")
    add_learners(pantin, "a", 6)
    assert not published(hub)
    pantin.stop()
    settings = (pantin.home / "navette.conf").read_text()
    (pantin.home / "navette.conf").write_text("publish = yes\n" + settings)
    pantin.start()
    wait_until(lambda: published(hub) == {("pantin", "M:unknown"): 6}, "the counts are at the hub")
    pantin.stop()
    pantin.start()
    pantin.wait_until_ready()
    wait_until(lambda: pantin.digest() == hub.digest() is not None, "all is at the hub")
    assert pantin.query("SELECT count(DISTINCT period) FROM outcome_count") == [(1,)]


def test_a_published_view_reaches_nothing_else(network):
    """A view that names a table past what stands before it, or Navette's own tables, is refused, and nothing is told."""
    site = network.add_hub("""
        CREATE TABLE person (id TEXT NOT NULL PRIMARY KEY, name TEXT);
        CREATE TABLE told (period TEXT NOT NULL, site TEXT NOT NULL, n INTEGER, PRIMARY KEY (period, site));
        CREATE VIEW counts AS SELECT count(*) AS n FROM main.person;
        CREATE VIEW publication(view_name, table_name, every) AS VALUES ('counts', 'told', 'year');
        INSERT INTO navette_table(name, scope, writers) VALUES ('person', 'site', 'scope'), ('told', 'network', 'home');
    """)
    site.sql("INSERT INTO person VALUES ('p', 'Secretname');")
    failed = site.run("publish", codes=(3,))
    assert "reads what it may not" in failed.stderr and "Secretname" not in failed.stderr
    assert not site.query("SELECT 1 FROM told")


def insert_count(site, period, name, numerator, value="M:unknown", place="pantin"):
    site.write("INSERT INTO outcome_count(place, programme, starts_on, period, measure, dimension, value, site, numerator, "
               "denominator, counted_on) VALUES (?, 'dev', '2025-01-06', ?, 'entrants', 'sex_situation', ?, ?, ?, ?, "
               "'2025-01-01')", place, period, value, name, numerator, numerator)


def test_what_a_wrong_clock_published_bars_nothing(network):
    site = network.add_hub(SCHEMA)
    add_learners(site, "a", 6)
    insert_count(site, "2999-Q1", "hub", 50)  # as if its clock had been far ahead: waiting, then sealed
    assert site.cli("publish", "--period", "2025-Q1")[0]["period"] == "2025-Q1"
    wait_until(lambda: site.pending() == 0, "all is sealed")
    assert site.cli("publish")[0]["rows"] > 0
    for words in ((), ("--period", "2999-Q4")):
        report = site.cli("report", "R2", *words)
        assert report["period"] < "2999" and {one["people"] for one in report["figures"]} == {6}


def test_a_site_speaks_for_itself_and_of_periods_that_there_are(network):
    hub = network.add_hub(SCHEMA)
    pantin, evil = network.add_schools("pantin", "evil")
    add_learners(pantin, "a", 20, women=10)
    pantin.cli("publish", "--period", "2025-Q1")
    wait_until(lambda: published(evil) and published(hub), "Pantin's counts are everywhere")
    honest = hub.cli("report", "R2")
    for period in ("9999-Q9", "2025", "2025-Q5", "2025-13", "1999-Q4", "2025-Q1 "):
        insert_count(evil, period, "pantin", 7, "M:inactive")
    insert_count(evil, "9999-Q9", "evil", 100, place="montreuil")
    insert_count(evil, "2025-Q1", "pantin", 100, "M:inactive")
    evil.sql("INSERT INTO outcome_count SELECT place, programme, starts_on, '2025-Q2', measure, dimension, value, site, "
             "numerator + 1, denominator, counted_on FROM outcome_count WHERE period = '2025-Q1' AND site = 'pantin';")
    evil.sql("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO outcome_count "
             "SELECT 'm', 'dev', '2025-01-06', printf('%04d', i), 'entrants', 'age', 'x', 'evil', 9, 9, NULL FROM n;")
    wait_until(lambda: len({site.digest() for site in (hub, pantin, evil)} | {0}) == 2 and not any(site.pending() for site in (hub, pantin, evil)),
               "all have the same")
    for site in (hub, pantin, evil):
        assert site.cli("report", "R2", "--for", "hub") == honest


def test_what_one_site_writes_leaves_reports_readable(network):
    """More values than a dimension has, a day that is none, amounts that no sum holds."""
    hub = network.add_hub(SCHEMA)
    add_learners(hub, "a", 20, women=10)
    for n in range(70):
        insert_count(hub, "2025-Q1", "hub", 1, "odd%d" % n)
    with hub.connection() as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")  # as whoever wants harm would
        connection.execute("UPDATE outcome_count SET counted_on = ?", ("\x1b[31m\u00e9\u00e9\u00e9\u00e9\u00e9",))
    for agreement in ("1", "2"):
        hub.write("INSERT INTO funding(place, programme, starts_on, funder, agreement, cents) VALUES ('pantin', 'dev', "
                  "'2025-01-06', 'Region', ?, 9223372036854775807)", agreement)
    hub.write("INSERT INTO funding(place, programme, starts_on, funder, agreement, cents) VALUES ('pantin', 'dev', "
              "'2025-01-06', 'Town', '1', 100000)")
    report = hub.cli("report")
    (women,) = [one for one in report["figures"] if one["line"] == "women" and one["report"] == "R2"]
    assert (women["people"], women["denominator"]) == (70, None)  # those of whom nothing that is known is told
    assert {one["line"]: one["numerator"] for one in report["figures"] if one["kind"] == "cents_share"} == {"Town": 100000}
    assert "\x1b" not in hub.run("report").stdout


def test_nothing_is_counted_without_a_table_as_it_was_published(network):
    """A tool that made the learners' table anew, without its key, took away whose they are, too."""
    site = network.add_hub(SCHEMA)
    add_learners(site, "a", 6)
    site.sql("PRAGMA legacy_alter_table = ON; CREATE TABLE other AS SELECT * FROM learner; DROP TABLE learner; "
             "ALTER TABLE other RENAME TO learner;")
    for words in (("publish",), ("report", "--for", "site")):
        assert "learner is not here as it was published" in site.run(*words, codes=(1,)).stderr
    assert not published(site)


def test_amounts_are_not_divided_by_amounts(network):
    """A cost that names a line of minutes is by everybody's heads."""
    cost = "VALUES\n    ('euros_per_entrant', ''"
    assert cost in SCHEMA
    site = network.add_hub(SCHEMA.replace(cost, cost.replace("''", "'attendance'")))
    add_learners(site, "a", 6)
    site.sql("INSERT INTO funding(place, programme, starts_on, funder, agreement, cents) "
             "VALUES ('pantin', 'dev', '2025-01-06', 'Region', '1', 600);")
    (euros,) = [one for one in site.cli("report", "R10", "--for", "site")["figures"] if one["line"] == "euros_per_entrant"]
    assert (euros["numerator"], euros["denominator"]) == (600, 6)


def test_the_first_line_is_of_people(network):
    begins = "bounds,\n                      label_fr, label_en) AS VALUES\n"
    assert begins in SCHEMA
    first = "    ('R3', 'm', 'attendance', 'more', 'a', 'a', '', '', '', 0, '', ''),\n"
    site = network.add_hub(SCHEMA.replace(begins, begins + first))
    add_learners(site, "a", 6)
    assert "has to be of people" in site.run("report", "--for", "site", codes=(3,)).stderr
