/* What people do with the `navette` command: answers to conflicts, joining, publishing. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "authority.h"
#include "base/clock.h"
#include "clock.h"
#include "people.h"
#include "report.h"
#include "store/authority.h"
#include "store/care.h"
#include "store/db.h"
#include "store/ingest.h"
#include "store/log.h"
#include "trace.h"
#include "wire/changeset.h"

enum { BATCH = 512, LONG_MS = 60000 };

/* A command may find the store busy, the disk full, or a row gone for the moment; all else is wrong. */
static void must_be_usual(const struct sim_world *world, size_t place, const struct nv_error *error)
{
    if (error->status != NV_BUSY && error->status != NV_FULL && error->status != NV_NOT_SO)
        sim_fail("daemon", "a command at %s fails: %s", world->machines[place].name, error->text);
}

struct nv_store *sim_people_client(struct sim_world *world, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    struct nv_store *store = NULL;
    struct nv_error error;
    if (machine->disk == NULL || world->is_held[place] || world->is_in_doubt[place])
        return NULL;
    sim_machine_turn_to(machine);
    if (sim_machine_client(machine, &store, &error) == NV_OK)
        return store;
    must_be_usual(world, place, &error);
    return NULL;
}

/* ---- answers ---- */

struct open_conflict {
    int record, field; /* SIM_FIELD_RECORD: a delete stands beside the record */
};

static bool pick(sqlite3 *db, struct nv_dice *dice, struct open_conflict *ret_open)
{
    struct nv_error error;
    size_t seen = 0;
    sqlite3_stmt *rows = nv_db_prepare(
        db, "SELECT DISTINCT key_text, field FROM navette_conflict WHERE table_name = 'item' ORDER BY 1, 2", &error);
    while (rows != NULL && sqlite3_step(rows) == SQLITE_ROW) {
        if (nv_dice_below(dice, ++seen) != 0)
            continue;
        const char *field = (const char *)sqlite3_column_text(rows, 1);
        ret_open->record =
            sim_record_named((const char *)sqlite3_column_text(rows, 0), (size_t)sqlite3_column_bytes(rows, 0));
        ret_open->field = field == NULL ? SIM_FIELD_RECORD : sim_field_named(field);
    }
    sqlite3_finalize(rows);
    return seen > 0;
}

/* What the conflict lists is before the eyes of whoever answers. Returns how many values of the field there are. */
static size_t list_values(sqlite3 *db, const struct open_conflict *open, struct sim_write *write)
{
    struct nv_error error;
    size_t of_field = 0;
    sqlite3_stmt *rows =
        nv_db_prepare(db, "SELECT field, value FROM navette_conflict WHERE key_text = ?1 AND kind = 'values'", &error);
    sqlite3_bind_text(rows, 1, sim_record_keys[open->record], -1, SQLITE_STATIC);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        int field = sim_field_named((const char *)sqlite3_column_text(rows, 0));
        struct nv_value value = nv_db_value(rows, 1);
        if (open->field != SIM_FIELD_RECORD && open->field != field)
            continue;
        of_field += field == open->field;
        if (write->listed_count[field] < SIM_LISTED)
            write->listed[field][write->listed_count[field]++] = sim_code_of(&value);
    }
    sqlite3_finalize(rows);
    return of_field;
}

static enum nv_status resolve(struct sim_world *world, struct nv_dice *dice, struct nv_store *store,
                              const struct open_conflict *open, size_t values, struct nv_wall_ms now,
                              struct nv_error *error)
{
    struct nv_buffer key = {0};
    char value[32];
    int choice =
        open->field == SIM_FIELD_RECORD ? 1 + (int)nv_dice_below(dice, 2) : (int)nv_dice_below(dice, values + 1);
    snprintf(value, sizeof value, "%u", ++world->tokens);
    const char *field = open->field == SIM_FIELD_RECORD ? NULL : sim_field_names[open->field];
    enum nv_status status = nv_key_from_text(nv_store_table(store, "item"), sim_record_keys[open->record], &key, error);
    if (status == NV_OK)
        status = nv_conflict_resolve(store, "item", nv_buffer_slice(&key), field, choice, choice == 0 ? value : NULL,
                                     now, error);
    sim_trace("somebody answers %s.%s with %d: %s", sim_record_keys[open->record], field == NULL ? "(deleted)" : field,
              choice, nv_status_text(status));
    nv_buffer_done(&key);
    return status;
}

void sim_people_answer(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    struct nv_store *store = world->machines[place].is_member ? sim_people_client(world, place) : NULL;
    struct open_conflict open = {0};
    struct nv_error error = {0};
    if (store == NULL)
        return;
    sqlite3 *db = nv_store_db(store);
    sim_clock_advance_to(sim_clock_us()); /* SQLite's clock too */
    struct sim_write write = {.site = place, .time_ms = sim_clock_wall_ms(), .left_out = -1};
    if (pick(db, dice, &open) && !world->is_left_out[place][open.record] &&
        sim_rows_read(db, write.before) == SQLITE_OK) {
        size_t values = list_values(db, &open, &write);
        write.touched = 1u << open.record;
        write.answer_record = open.record;
        write.answer_field = open.field;
        if (resolve(world, dice, store, &open, values, (struct nv_wall_ms){write.time_ms}, &error) == NV_OK) {
            if (sim_rows_read(db, write.after) != SQLITE_OK)
                sim_fail("lost", "the store of %s cannot be read", sim_place_name(place));
            sim_ledger_note(&world->ledger, &write);
            world->may_revive[place] = false;
            world->written_at[place][open.record] = sim_clock_us();
        } else if (error.status != NV_NOT_FOUND) {
            must_be_usual(world, place, &error);
        }
    }
    nv_store_close(store);
    sim_world_settle(world, place);
}

/* ---- at the hub ---- */

/* The changesets of the hub's authority log; they point into `bytes`. */
static enum nv_status read_authority(struct nv_store *hub, struct nv_buffer *bytes, struct nv_slice changesets[BATCH],
                                     size_t *ret_count, struct nv_error *error)
{
    static struct nv_far_head heads[BATCH];
    size_t ends[BATCH], count;
    int64_t cursor = 0;
    bool done;
    const struct nv_scope_set authority_and_network = {0};
    enum nv_status status = nv_store_read_for(hub, NULL, 0, &authority_and_network, &cursor, SIZE_MAX, bytes, ends,
                                              heads, BATCH, &count, &done, error);
    *ret_count = 0;
    for (size_t i = 0, start = 0; status == NV_OK && i < count; start = ends[i++])
        if (nv_scope_id_equal(heads[i].scope, NV_SCOPE_AUTHORITY))
            changesets[(*ret_count)++] = (struct nv_slice){bytes->data + start, ends[i] - start};
    return status;
}

static enum nv_status adopt(struct sim_world *world, struct nv_store *hub, struct nv_store *store,
                            struct nv_error *error)
{
    struct nv_slice changesets[BATCH];
    struct nv_buffer bytes = {0};
    size_t count;
    enum nv_status status = read_authority(hub, &bytes, changesets, &count, error);
    if (status == NV_OK)
        status =
            nv_authority_adopt(store, &world->founding->authority.public_key, changesets, count, nv_wall_now(), error);
    nv_buffer_done(&bytes);
    return status;
}

enum nv_status sim_people_hear_authority(struct nv_store *hub, struct nv_store *store, struct nv_error *error)
{
    static struct nv_incoming incoming[BATCH];
    struct nv_slice changesets[BATCH];
    struct nv_buffer bytes = {0};
    size_t count;
    enum nv_status status = read_authority(hub, &bytes, changesets, &count, error);
    for (size_t i = 0; i < count; i++)
        incoming[i] = (struct nv_incoming){.bytes = changesets[i]};
    if (status == NV_OK)
        status = nv_store_ingest(store, incoming, count, nv_wall_now(), LONG_MS, error);
    nv_buffer_done(&bytes);
    return status;
}

void sim_people_join(struct sim_world *world, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    struct nv_error error = {0};
    if (machine->is_member || machine->disk == NULL)
        return;
    struct nv_store *hub = sim_people_client(world, 0), *store = NULL;
    if (hub == NULL)
        return;
    struct nv_certificate certificate = sim_certificate(world->founding, place);
    enum nv_status status = nv_authority_certify(hub, &world->founding->authority, &certificate, nv_wall_now(), &error);
    if (status == NV_OK)
        sim_authority_note_member(world, hub, place);
    if (status == NV_OK)
        status = (store = sim_people_client(world, place)) == NULL ? NV_BUSY : adopt(world, hub, store, &error);
    sim_trace("%s joins: %s", machine->name, nv_status_text(status));
    nv_store_close(store);
    nv_store_close(hub);
    if (status == NV_OK) {
        machine->is_member = true;
        machine->start_at = sim_clock_us();
    } else {
        must_be_usual(world, 0, &error);
    }
    sim_world_settle(world, 0);
}

/* A site moves: the member that has no machine here gets another endpoint each time, and the authority log grows. */
void sim_people_certify(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)place;
    struct nv_error error = {0};
    struct nv_store *hub = sim_people_client(world, 0);
    if (hub == NULL)
        return;
    char endpoint[64];
    const char *endpoints[1] = {endpoint};
    struct nv_certificate certificate = sim_certificate(world->founding, world->founding->certified - 1);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.1.%zu:7420", 1 + nv_dice_below(dice, 200));
    certificate.endpoint_count = 1;
    certificate.endpoints = endpoints;
    enum nv_status status = nv_authority_certify(hub, &world->founding->authority, &certificate, nv_wall_now(), &error);
    sim_trace("the hub certifies %s again: %s", certificate.name, nv_status_text(status));
    nv_store_close(hub);
    if (status != NV_OK)
        must_be_usual(world, 0, &error);
    sim_world_settle(world, 0);
}

void sim_people_publish(struct sim_world *world)
{
    struct nv_error error = {0};
    struct nv_store *hub = world->is_late_published || world->is_away[0] ? NULL : sim_people_client(world, 0);
    if (hub == NULL)
        return;
    enum nv_status status =
        nv_schema_apply(hub, &world->founding->authority, sim_late_schema, false, nv_wall_now(), NULL, &error);
    sim_trace("the hub publishes a column: %s", nv_status_text(status));
    nv_store_close(hub);
    world->is_late_published = status == NV_OK;
    if (status != NV_OK)
        must_be_usual(world, 0, &error);
    sim_world_settle(world, 0);
}
