/* Scenarios of lines: who meets whom, and what a bad line or a bad relay costs. */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "scenarios.h"
#include "stage.h"
#include "trace.h"
#include "wire/message.h"

static const char no_conflict[] = "SELECT count(*) FROM navette_conflict";

void sim_play_first_meeting(struct sim_world *world)
{
    sim_stage_keep_off(world, PANTIN);
    sim_stage_head(world, "the hub runs alone, and somebody writes there");
    sim_stage_wait(world, 1000);
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a, b) VALUES ('r0', 'Ada', 1)");
    sim_stage_wait(world, 500);
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a, b) VALUES ('r1', 'Blaise', 2)");
    sim_stage_wait(world, 500);
    sim_stage_head(world, "pantin has a row of its own, and is switched on");
    sim_stage_sql(world, PANTIN, "INSERT INTO item(id, a, b) VALUES ('r2', 'Clara', 3)");
    sim_stage_switch_on(world, PANTIN);
    sim_stage_await_one(world, 3000);
    sim_stage_wait(world, 1500);
    sim_stage_head(world, "both have all of it");
    sim_stage_expect_all(world, "SELECT a FROM item ORDER BY id", "Ada;Blaise;Clara;");
    sim_stage_show_all(world);
}

void sim_play_school_to_school(struct sim_world *world)
{
    sim_stage_meet(world);
    sim_stage_head(world, "somebody at pantin writes");
    sim_stage_sql(world, PANTIN, "INSERT INTO item(id, a, b) VALUES ('r0', 'Ada', 1)");
    sim_stage_await_one(world, 300);
    sim_stage_head(world, "it is everywhere; somebody at poissy, who sees it, writes over it");
    sim_stage_sql(world, POISSY, "UPDATE item SET a = 'Ada L.' WHERE id = 'r0'");
    sim_stage_await_one(world, 300);
    sim_stage_wait(world, 1500);
    sim_stage_head(world, "who had seen the old value covers it: there is no conflict");
    sim_stage_expect_all(world, no_conflict, "0;");
    sim_stage_expect_all(world, "SELECT a, b FROM item", "Ada L. 1;");
    sim_stage_show_all(world);
}

enum { DAY_MS = 24 * 3600 * 1000 };

void sim_play_outage(struct sim_world *world)
{
    sim_stage_meet(world);
    sim_stage_head(world, "a record that all have");
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a, b) VALUES ('r0', 'Ada', 1)");
    sim_stage_await_one(world, 1000);
    sim_stage_head(world, "the line of pantin is cut, for three days");
    sim_stage_cut(HUB, PANTIN);
    sim_stage_wait(world, DAY_MS);
    sim_stage_head(world, "the second day: people go on writing, on both sides");
    sim_stage_sql(world, PANTIN, "UPDATE item SET a = 'Ada L.' WHERE id = 'r0'");
    sim_stage_sql(world, POISSY, "UPDATE item SET b = 40 WHERE id = 'r0'");
    sim_stage_wait(world, DAY_MS);
    sim_stage_head(world, "the third day");
    sim_stage_sql(world, PANTIN, "INSERT INTO item(id, a) VALUES ('r1', 'Blaise')");
    sim_stage_sql(world, POISSY, "INSERT INTO item(id, a) VALUES ('r2', 'Clara')");
    sim_stage_wait(world, DAY_MS);
    sim_stage_head(world, "the line is back");
    sim_stage_heal(HUB, PANTIN);
    sim_stage_await_one(world, 20000);
    sim_stage_head(world, "different fields of one record: both are there, and nobody is asked");
    sim_stage_expect_all(world, no_conflict, "0;");
    sim_stage_expect_all(world, "SELECT a, b FROM item ORDER BY id", "Ada L. 40;Blaise 0;Clara 0;");
    sim_stage_expect_all(world, "SELECT count(*) FROM navette_refusal", "0;");
    sim_stage_show_all(world);
}

/* ---- a thundering herd ---- */

enum { HERD = 20, HERD_WRITES = 30, WAY_BYTES_PER_SECOND = 100000 };

/* How many schools hold all that the hub wrote. */
static size_t caught_up(const struct sim_world *world)
{
    size_t count = 0;
    for (size_t school = 1; school <= HERD; school++)
        count += sim_stage_held(world, school, HUB) == HERD_WRITES;
    return count;
}

void sim_play_herd(struct sim_world *world)
{
    sim_stage_meet(world);
    for (size_t school = 1; school <= HERD; school++)
        sim_stage_cut(HUB, school);
    for (unsigned i = 0; i < HERD_WRITES; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "REPLACE INTO item(id, a) VALUES ('r%u', randomblob(20000))", i % SIM_RECORDS);
        sim_stage_sql(world, HUB, sql);
        sim_stage_wait(world, 1000);
    }
    sim_stage_wait(world, 30000);
    sim_stage_head(world, "the lines of all twenty schools are back; each lacks the same 30 changesets");
    for (size_t school = 1; school <= HERD; school++) {
        sim_network_way(HUB, school)->bytes_per_second = WAY_BYTES_PER_SECOND;
        sim_stage_heal(HUB, school);
    }
    for (size_t seconds = 5, before = 0; before < HERD && seconds <= 120; seconds += 5) {
        sim_stage_wait(world, 5000);
        size_t now = caught_up(world);
        if (now != before)
            sim_stage_head(world, "after %zu s %zu of 20 schools have it all", seconds, now);
        before = now;
    }
    sim_stage_await_one(world, 1000);
}

/* Of twenty schools that do the same, the pulls of all and the rest of one are told. */
bool sim_herd_hides(const char *line)
{
    return strncmp(line, "-- ", 3) != 0 && strstr(line, "Pull") == NULL && strstr(line, "vitry") == NULL;
}

/* ---- bad lines ---- */

void sim_play_one_way(struct sim_world *world)
{
    sim_stage_meet(world);
    sim_stage_head(world, "nothing passes from pantin to the hub any more; the other way is open");
    sim_network_way(PANTIN, HUB)->blocked = true;
    sim_stage_sql(world, PANTIN, "INSERT INTO item(id, a) VALUES ('r0', 'Ada')");
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a) VALUES ('r1', 'Blaise')");
    sim_stage_wait(world, 60000);
    if (sim_stage_held(world, HUB, PANTIN) != 0 || sim_stage_held(world, PANTIN, HUB) != 1)
        sim_fail("scenario", "the line did not pass one way");
    sim_stage_head(world, "the way is open again");
    sim_network_way(PANTIN, HUB)->blocked = false;
    sim_stage_await_one(world, 20000);
    sim_stage_show_all(world);
}

void sim_play_half_open(struct sim_world *world)
{
    sim_stage_meet(world);
    sim_stage_head(world, "a router between them forgets the connection: the hub is told, pantin is not");
    sim_network_break(HUB, PANTIN, true, false);
    sim_stage_wait(world, 1000);
    sim_stage_sql(world, HUB, "INSERT INTO item(id, a) VALUES ('r0', 'Ada')");
    sim_stage_await_one(world, 40000);
    sim_stage_show_all(world);
}

/* ---- a hostile relay ---- */

/* The hub turns a bit in the body of whatever pantin signed, on its way to poissy. */
static bool spoil(size_t from, size_t to, struct nv_slice frame, struct nv_buffer *ret_frames, size_t ret_ends[4],
                  size_t *ret_count)
{
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_message message;
    bool is_batch = from == HUB && to == POISSY && nv_message_decode(frame, &arena, &message, NULL) == NV_OK &&
                    message.kind == NV_MESSAGE_BATCH && message.batch.changeset_count > 0;
    if (is_batch) {
        struct nv_slice *last = &message.batch.changesets[message.batch.changeset_count - 1];
        uint8_t *copy = nv_arena_alloc(&arena, last->size);
        memcpy(copy, last->data, last->size);
        copy[last->size - 1] ^= 1;
        last->data = copy;
        nv_message_encode(&message, ret_frames);
        ret_ends[0] = ret_frames->size;
        *ret_count = 1;
        sim_trace("the hub turns a bit in what it sends to poissy");
    }
    nv_arena_done(&arena);
    return is_batch;
}

void sim_play_hostile_relay(struct sim_world *world)
{
    sim_stage_cut(PANTIN, POISSY);
    sim_stage_meet(world);
    world->harm = spoil;
    world->is_hostile[HUB] = true;
    sim_stage_head(world, "pantin writes, and the hub does not pass it on as it is");
    sim_stage_sql(world, PANTIN, "INSERT INTO item(id, a) VALUES ('r0', 'Ada')");
    sim_stage_wait(world, 12000);
    sim_stage_expect(world, POISSY, "SELECT count(*) FROM item", "0;");
    if (sim_stage_held(world, POISSY, PANTIN) != 0)
        sim_fail("scenario", "poissy took what pantin did not sign");
    sim_stage_expect(world, POISSY, "SELECT DISTINCT reason FROM navette_refusal", "body;");
    sim_stage_head(world, "pantin and poissy have a line of their own: who brings a changeset does not matter");
    sim_stage_heal(PANTIN, POISSY);
    sim_stage_await_held(world, POISSY, PANTIN, 1, 20000);
    sim_stage_expect(world, POISSY, "SELECT a FROM item", "Ada;");
    sim_stage_show_all(world);
}

/* The log says again what the Refusal says. */
bool sim_refusal_hides(const char *line)
{
    return strstr(line, " refuses: ") != NULL;
}
