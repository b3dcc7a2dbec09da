"""The schools' schema: what is of everybody, what is of a school alone, and what follows a learner."""
from network import REPOSITORY, wait_until

SCHEMA = (REPOSITORY / "deploy" / "schools" / "schema.sql").read_text()


def test_learners_stay_at_their_school_and_what_hangs_on_them_follows(network):
    hub = network.add_hub(SCHEMA)
    pantin, poissy = network.add_schools("pantin", "poissy")
    hub.cli("group", "nord")
    hub.cli("group", "nord", "--add", "pantin", "--add", "poissy")
    for school in (pantin, poissy):
        wait_until(lambda: any(member["own"] and "group/nord" in member["reads"] for member in school.cli("members")),
                   "%s knows its group" % school.name)
    pantin.sql("""
        INSERT INTO place(code, name) VALUES ('pantin', 'Pantin');
        INSERT INTO programme(code, title, level) VALUES ('dev', 'Développement web', 5);
        INSERT INTO phase(programme, rank, title, minutes) VALUES ('dev', '1', 'Remise à niveau', 12600);
        INSERT INTO cohort(place, programme, starts_on, seats) VALUES ('pantin', 'dev', '2026-09-07', 12);
        INSERT INTO learner(id, family_name, given_name, gender) VALUES ('l1', 'Exemple', 'Ada', 'F');
        INSERT INTO enrolment(learner, place, programme, starts_on, state) VALUES ('l1', 'pantin', 'dev', '2026-09-07', 'active');
        INSERT INTO attendance(learner, place, programme, starts_on, day, half, minutes)
        VALUES ('l1', 'pantin', 'dev', '2026-09-07', '2026-09-07', 'morning', 210);
        INSERT INTO employer(code, name) VALUES ('12345678900011', 'Boulangerie Exemple');
    """)
    wait_until(lambda: poissy.query("SELECT seats FROM cohort") == [(12,)] and poissy.query("SELECT 1 FROM employer"),
               "what is for all is at Poissy")
    assert not poissy.query("SELECT 1 FROM learner") and not hub.query("SELECT 1 FROM enrolment")
    pantin.cli("move", "learner", "l1", "group/nord")
    wait_until(lambda: poissy.query("SELECT e.state, a.minutes FROM learner AS l JOIN enrolment AS e ON e.learner = l.id "
                                    "JOIN attendance AS a ON a.learner = l.id") == [("active", 210)],
               "the learner and all that is theirs are at Poissy")
    assert not hub.query("SELECT 1 FROM learner UNION ALL SELECT 1 FROM enrolment UNION ALL SELECT 1 FROM attendance")
    pantin.cli("move", "learner", "l1", "site/pantin")
    wait_until(lambda: not poissy.query("SELECT 1 FROM learner UNION ALL SELECT 1 FROM enrolment UNION ALL "
                                        "SELECT 1 FROM attendance"), "they have left Poissy")
    assert pantin.query("SELECT count(*) FROM attendance") == [(1,)]
    network.assert_clean()


def test_two_schools_that_enter_one_employer_apart_have_one_record(network):
    hub = network.add_hub(SCHEMA)
    pantin, poissy = network.add_schools("pantin", "poissy")
    pantin.line.cut()
    pantin.sql("INSERT INTO employer(code, name, commune) VALUES ('12345678900011', 'Boulangerie Exemple', '93055');")
    poissy.sql("INSERT INTO employer(code, name, naf) VALUES ('12345678900011', 'Boulangerie Exemple', '10.71');")
    pantin.line.heal()
    network.converge()
    assert hub.query("SELECT name, naf, commune FROM employer")[0][0] == "Boulangerie Exemple"
    assert len(hub.query("SELECT 1 FROM employer")) == 1


def test_an_employer_entered_apart_without_its_siret_is_listed_as_a_duplicate(network):
    hub = network.add_hub(SCHEMA)
    pantin, poissy = network.add_schools("pantin", "poissy")
    pantin.line.cut()
    pantin.sql("INSERT INTO employer(code, name, commune) VALUES ('12345678900011', 'Boulangerie Exemple', '93055');")
    poissy.sql("INSERT INTO employer(code, name) VALUES ('by-hand', 'BOULANGERIE-EXEMPLE');"
               "INSERT INTO employer(code, name, commune) VALUES ('12345678900029', 'Boulangerie Exemple', '78498');"
               "INSERT INTO employer(code, name) VALUES ('other', 'Menuiserie Exemple');")
    pantin.line.heal()
    network.converge()
    listed = [{"table": "employer", "key": siret, "other": "by-hand"} for siret in ("12345678900011", "12345678900029")]
    for site in network.sites:
        assert site.cli("duplicates", "employer") == listed
        assert site.cli("duplicates", "organisation") == []
    pantin.sql("DELETE FROM employer WHERE code = 'by-hand';")
    assert pantin.cli("duplicates") == []
    assert "No records" in pantin.run("duplicates").stdout
