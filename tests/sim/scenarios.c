#include "scenarios.h"

#include <string.h>

#include "checks.h"
#include "report.h"
#include "stage.h"

static const char *const greeting[] = {": Has, a digest", ": Credit", NULL};

const struct sim_scenario sim_scenarios[] = {
    {.name = "first-meeting",
     .title = "A first meeting, and the first sync",
     .shows = "Two sites that share an authority log meet for the first time, and each has written something "
              "that the other lacks. After Hello each says the digest of all that it holds. The digests differ, "
              "so each answers with its whole vector and asks for the other's; then each knows what it lacks, "
              "and pulls it. What came is durable before it is acknowledged: first \"holds\", then Has and "
              "Credit. A second after the last changeset moved, the digests are said once more, and agree.",
     .machines = 2,
     .teaches = greeting,
     .play = sim_play_first_meeting},
    {.name = "school-to-school",
     .title = "A write from school to school, through the hub",
     .shows = "Schools dial the hub and not each other. A write is sealed into a changeset at once, and pushed "
              "to a peer that is in step without being asked for; the hub passes it on as soon as it is durable "
              "there. The signature is the writer's, so it does not matter who carried it. The second write "
              "comes from who had seen the first one: its header says so (\"after pantin:1\"), so that it covers "
              "the old value, and there is no conflict.",
     .machines = 3,
     .play = sim_play_school_to_school},
    {.name = "three-day-outage",
     .title = "A three-day outage of one school",
     .shows = "The line of one school is cut for three days, and people write on both sides. Nobody waits: "
              "writes are sealed into the own log as ever. Twenty seconds without a word end the sessions. When "
              "the line is back, what the school said in its last moments of the old session arrives at last, "
              "and that session is over for the hub: the school dials anew, both say what they hold, and each "
              "pulls what it lacks. What was written to different fields of one record is simply both there.",
     .machines = 3,
     .play = sim_play_outage},
    {.name = "thundering-herd",
     .title = "Twenty schools come back at once",
     .shows = "The lines of twenty schools come back in the same moment; each lacks the same 600 kB, over a "
              "line of 100 kB a second. The pauses between dials are random, up to 15 seconds, so that the "
              "schools do not all come at once; the hub serves pulls a batch at a time, in turn, so that none "
              "keeps the others waiting. Of all schools the pulls are told, of vitry everything.",
     .machines = 21,
     .hides = sim_herd_hides,
     .play = sim_play_herd},
    {.name = "one-way-line",
     .title = "A line that passes one way only",
     .shows = "What the hub sends arrives, what the school sends does not. The school takes the hub's write, "
              "but its own, and its Has, never get through: to the hub its push is not acknowledged, so after "
              "10 seconds the hub counts it as out of step, and after 20 seconds without a word it ends the "
              "session. From then on the hub is silent too, and 20 seconds later the school ends its side. When "
              "the way opens, the first thing that arrives is the push of a minute ago, from a session that has "
              "ended: it is not taken, and the school begins anew. Nothing needs to be remembered of what was "
              "sent: the vectors say what is lacking.",
     .machines = 2,
     .play = sim_play_one_way},
    {.name = "half-open-line",
     .title = "A line of which one side only knows that it is gone",
     .shows = "A router between two sites forgets their connection. The hub learns of it, the school does not: "
              "it believes the line to be open, so it does not dial, and the hub cannot. The hub's write waits. "
              "The school's next ping (after 5 seconds of silence) is answered by nobody who knows the "
              "connection; so it learns of it, and dials.",
     .machines = 2,
     .play = sim_play_half_open},
    {.name = "hostile-relay",
     .title = "A hub that alters what it passes on",
     .shows = "The hub turns one bit in the body of each changeset that it passes to poissy. The body no longer "
              "fits what the writer signed, so it is refused, and counted; the hub is asked again after a pause "
              "that doubles, and in the meantime nothing is lost but time. Once poissy has a line with pantin, "
              "it takes the very changeset from there: who brings it does not matter.",
     .machines = 3,
     .has_side_lines = true,
     .hides = sim_refusal_hides,
     .play = sim_play_hostile_relay},
    {.name = "crash-around-a-seal",
     .title = "A power cut in the commit of a seal, and one between sealing and sending",
     .shows = "A person's write is durable once their own commit is. The first power cut falls into the "
              "daemon's commit that seals it: the changeset is gone, nobody had heard of it, and the write is "
              "sealed after the start with the time at which it was captured. The second one comes when the "
              "changeset is durable and its push on its way, where it is lost: the changeset is in the log, and "
              "is pulled once the school is back. So no seq is ever given twice: what was told was durable "
              "before.",
     .machines = 2,
     .play = sim_play_crash_around_seal},
    {.name = "crash-in-an-ingest",
     .title = "A power cut while received changesets are committed",
     .shows = "What is received is appended to the log and merged in one transaction, and is acknowledged once "
              "that is durable. The power fails in its commit: after the start nothing of it is there, neither "
              "in the log nor in the rows. The hub was told nothing, so for the hub it is a peer that lacks "
              "three changesets; they are pulled again.",
     .machines = 2,
     .play = sim_play_crash_in_ingest},
    {.name = "full-disk",
     .title = "A full disk",
     .shows = "Nothing fits on the disk of pantin any more. A person's write fails with SQLite's own words, so "
              "they know; the daemon says once what is wrong, and goes on. What the hub pushes cannot be "
              "committed, is not acknowledged, and stays lacking, whatever the two say to each other; once "
              "there is room it is taken, and only then it is in a Has.",
     .machines = 2,
     .play = sim_play_full_disk},
    {.name = "wrong-clock",
     .title = "A clock that is twenty years ahead",
     .shows = "Clocks never decide what is lost. Who has seen a value and writes over it covers it, whatever "
              "the clocks say: the record of 2045 gives way to the write of today. Where two wrote without "
              "knowing of each other, both values stay. The clock only chooses which of them the row shows "
              "meanwhile (here the wrong one), both are listed at all sites, and a person's answer covers both.",
     .machines = 3,
     .play = sim_play_wrong_clock},
    {.name = "three-way-collision",
     .title = "Three people write to one field, and one of them answers",
     .shows = "Three sites write to the fields a and b of one record before any of them hears of the others: "
              "none is after another one. Every site has all three values and shows the same one: of a (rule "
              "last) that which was captured last, of b (rule max) the greatest. Somebody who sees all three "
              "answers for a: the answer is an ordinary put that is after all of them, so it covers them "
              "everywhere. The conflict of b is another one, and stays open.",
     .machines = 3,
     .play = sim_play_collision},
    {.name = "delete-beside-an-edit",
     .title = "A delete beside an edit",
     .shows = "One person deletes a record while another edits it. The delete covers what its writer had seen, "
              "and marks it; the edit was not seen, so it is not marked, and the record is shown, with the "
              "delete beside it as a conflict. Nothing that a person wrote is gone because somebody deleted "
              "what they had not seen. The answer, a delete that is after both, covers both.",
     .machines = 3,
     .play = sim_play_delete_beside_edit},
    {.name = "stale-form",
     .title = "A form that was open while the record changed",
     .shows = "A person has a form open, which shows what the row was. A remote change comes in between; the "
              "form is saved, and writes all its fields, also the one that its person never touched. A plain "
              "comparison would take that for an edit, and the remote change would be undone in silence. But "
              "the put restores exactly a value that a remote put has replaced within the last hour: so it does "
              "not cover that put, and both values are listed.",
     .machines = 3,
     .play = sim_play_stale_form},
    {.name = "rebuilt-table",
     .title = "Tools that make the table anew",
     .shows = "Many programs change a table by copying it: CREATE, INSERT … SELECT, DROP, ALTER … RENAME. The "
              "triggers are gone with the old table. The daemon sees that the schema moved, puts them back, and "
              "compares the rows with the digests of what they should be. A row that the tool changed is sealed "
              "as an edit. A row that it left out is noted as missing, and is not deleted anywhere: the tool "
              "may be in the middle of its work, and nobody said DELETE. Once it is back as it was, there is "
              "nothing to seal.",
     .machines = 2,
     .play = sim_play_rebuilt_table},
    {.name = "latecomer",
     .title = "A school that joins late",
     .shows = "After 300 writes a school is certified. That is an op of the authority log, so the others learn "
              "of it as of any other changeset, and admit its key from then on (its first dial comes a moment "
              "too early). The new site has nothing, says so, and gets the logs in the order in which the hub "
              "got them, in which everything comes after what it builds on. One batch has them all; they are "
              "taken in slices of about 60 ms of work.",
     .machines = 2,
     .play = sim_play_latecomer},
    {.name = "growing-schema",
     .title = "A column is published while a school is away",
     .shows = "The authority publishes a column. Its log is a log like the others, and is pushed like them; the "
              "header of pantin's put to the new column names the authority position at which it was written. A "
              "site that has not got so far cannot judge the put, so the authority log must come first: in the "
              "batch that poissy gets, it does. What poissy wrote meanwhile, by the old schema, is as good as "
              "ever.",
     .machines = 3,
     .play = sim_play_growing_schema},
};
const size_t sim_scenario_count = sizeof sim_scenarios / sizeof *sim_scenarios;

const struct sim_scenario *sim_scenario_named(const char *name)
{
    for (size_t i = 0; i < sim_scenario_count; i++)
        if (strcmp(sim_scenarios[i].name, name) == 0)
            return &sim_scenarios[i];
    return NULL;
}

enum { LATENCY_US = 20000, REST_US = 150000000, LONG_REST_US = 1500000000 };

void sim_scenario_play(const struct sim_scenario *scenario)
{
    static struct sim_world world;
    const struct sim_profile profile = {
        .machines = scenario->machines, .records = 2, .has_side_lines = scenario->has_side_lines, .clock_cost_us = 1};
    sim_world_make(&world, 1, &profile);
    for (size_t from = 0; from < SIM_PLACES; from++)
        for (size_t to = 0; to < SIM_PLACES; to++)
            *sim_network_way(from, to) = (struct sim_way){.latency_us = LATENCY_US};
    scenario->play(&world);
    sim_world_calm(&world);
    if (!sim_world_run(&world, world.harm == NULL ? REST_US : LONG_REST_US, sim_world_is_one))
        sim_fail("liveness", "at the end %s", sim_world_what_is_left(&world));
    sim_check_end(&world);
    sim_world_free(&world);
}
