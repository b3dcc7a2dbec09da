#include "logged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/rule.h"
#include "store/db.h"
#include "wire/changeset.h"

enum { BATCH = 512, NO_OP = NV_MODEL_OPS };

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

/* ---- reading ---- */

struct reading {
    struct nv_logged *logged;
    struct nv_stores *stores;
    struct nv_arena arena;
    uint64_t contexts[NV_STORES_ALL][NV_STORES_ALL]; /* of each log's newest header */
};

static size_t site_named(const struct nv_stores *stores, struct nv_site_id id)
{
    for (size_t site = 0; site < NV_STORES_ALL; site++)
        if (stores->sites[site].store != NULL && nv_site_id_compare(stores->sites[site].id, id) == 0)
            return site;
    fail_msg("a log of an unknown site");
    return 0;
}

/* Homes are compared by site id, so the model knows them by their rank. */
static unsigned rank_of(const struct nv_stores *stores, struct nv_site_id id)
{
    unsigned rank = 0;
    for (size_t site = 0; site < NV_STORES_ALL; site++)
        rank += stores->sites[site].store != NULL && nv_site_id_compare(stores->sites[site].id, id) < 0;
    return rank;
}

static size_t op_named(const struct nv_logged *logged, size_t site, uint64_t seq, uint32_t index)
{
    for (size_t op = 0; op < logged->model.count; op++)
        if (logged->ops[op].site == site && logged->ops[op].seq == seq && logged->ops[op].index == index)
            return op;
    return NO_OP;
}

static size_t record_of(struct nv_slice key)
{
    struct nv_reader reader = nv_reader_of(key);
    struct nv_value value;
    assert_true(nv_value_decode(&reader, &value) && nv_reader_left(&reader) == 0 && value.type == NV_TEXT);
    for (size_t record = 0; record < NV_STORES_RECORDS; record++)
        if (value.bytes.size == 2 && memcmp(value.bytes.data, nv_stores_keys[record], 2) == 0)
            return record;
    fail_msg("an op on a record that nobody wrote");
    return 0;
}

static void take_op(struct reading *reading, const struct nv_header *header, const struct nv_hash *hash, uint32_t index,
                    const struct nv_op *op)
{
    struct nv_logged *logged = reading->logged;
    assert_true(logged->model.count < NV_MODEL_OPS);
    struct nv_model_op *told = &logged->model.ops[logged->model.count];
    struct nv_logged_op *kept = &logged->ops[logged->model.count];
    assert_true(op->kind == NV_OP_PUT || op->kind == NV_OP_DELETE);
    *told = (struct nv_model_op){.record = record_of(op->key), .is_delete = op->kind == NV_OP_DELETE};
    *kept = (struct nv_logged_op){.site = site_named(reading->stores, header->log.site),
                                  .seq = header->seq,
                                  .index = index,
                                  .named.epoch = header->log.epoch};
    memcpy(kept->named.header_hash, hash->bytes, sizeof kept->named.header_hash);
    told->home = rank_of(reading->stores, op->has_home ? op->home : header->log.site);
    for (unsigned field = 0, place = 0; !told->is_delete && field < NV_STORES_FIELDS; field++) {
        if (!(op->fields >> field & 1))
            continue;
        told->fields |= (uint8_t)(1u << field);
        kept->named.times[field] = op->time.ms - (int64_t)op->ages[place];
        kept->codes[field] = nv_code_of(&op->values[place++]);
    }
    for (size_t other = 0; other < logged->model.count; other++) {
        const struct nv_logged_op *before = &logged->ops[other];
        uint64_t seen = before->site == kept->site ? kept->seq - 1 : reading->contexts[kept->site][before->site];
        if (before->seq <= seen)
            nv_model_add(&told->seen, other);
    }
    for (size_t i = 0; i < op->except_count; i++) {
        const struct nv_far_dot *dot = &op->excepts[i].dot;
        size_t except = op_named(logged, site_named(reading->stores, dot->site), dot->seq, dot->index);
        assert_true(except != NO_OP && told->except_count < NV_MODEL_EXCEPTS);
        told->excepts[told->except_count].op = except;
        told->excepts[told->except_count++].fields = (uint8_t)op->excepts[i].fields;
        nv_dice_trace("  op %zu spares fields %x of op %zu", logged->model.count, told->excepts[i].fields, except);
    }
    nv_dice_trace("op %zu: site %zu seq %llu, %s fields %x at %lld", logged->model.count, kept->site,
                  (unsigned long long)kept->seq, nv_stores_keys[told->record], told->fields, (long long)op->time.ms);
    nv_model_add(&logged->all, logged->model.count++);
}

static void take_changeset(struct reading *reading, struct nv_slice bytes)
{
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_body body;
    struct nv_error error;
    must(nv_changeset_split(bytes, &parts, &error), &error);
    must(nv_header_decode(parts.header, &reading->arena, &header, &error), &error);
    if (!nv_scope_id_equal(header.log.scope, NV_SCOPE_NETWORK))
        return;
    size_t site = site_named(reading->stores, header.log.site);
    if (header.absolute)
        memset(reading->contexts[site], 0, sizeof reading->contexts[site]);
    for (size_t i = 0; i < header.context_count; i++)
        reading->contexts[site][site_named(reading->stores, header.context[i].site)] = header.context[i].seq;
    must(nv_body_open(&parts, &header, &reading->arena, &body, &error), &error);
    struct nv_hash hash = nv_header_hash(parts.header);
    struct nv_op *op = nv_arena_alloc(&reading->arena, sizeof *op);
    for (uint32_t i = 0; i < body.count; i++) {
        must(nv_op_decode(body.entries[i].op, &reading->arena, op, &error), &error);
        take_op(reading, &header, &hash, i, op);
    }
}

void nv_logged_read(struct nv_logged *logged, struct nv_stores *stores, size_t site)
{
    struct reading reading = {.logged = logged, .stores = stores, .arena = {.limit = 64 << 20}};
    struct nv_buffer bytes = {0};
    struct nv_far_head heads[BATCH];
    size_t ends[BATCH], count, start = 0;
    int64_t cursor = 0;
    bool done = false;
    struct nv_error error;
    logged->model.count = 0;
    logged->all = (struct nv_model_set){{0}};
    while (!done) {
        nv_buffer_clear(&bytes);
        must(nv_store_read_for(stores->sites[site].store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH,
                               &count, &done, &error),
             &error);
        start = 0;
        for (size_t i = 0; i < count; start = ends[i++])
            take_changeset(&reading, (struct nv_slice){bytes.data + start, ends[i] - start});
    }
    nv_buffer_done(&bytes);
    nv_arena_done(&reading.arena);
}

/* ---- what a site must show ---- */

static const enum nv_rule rules[NV_STORES_FIELDS] = {NV_RULE_LAST, NV_RULE_MAX, NV_RULE_HOME, NV_RULE_LAST};

struct siblings {
    struct nv_candidate candidates[NV_MODEL_OPS];
    size_t count;
    int shown;
};

/* The field's siblings; what the row shows of them. */
static void gather(const struct nv_logged *logged, struct nv_stores *stores, const struct nv_model_state *state,
                   int field, struct siblings *ret_siblings)
{
    ret_siblings->count = 0;
    for (size_t op = 0; op < logged->model.count; op++) {
        if (!(state->siblings[op] >> field & 1))
            continue;
        const struct nv_logged_op *kept = &logged->ops[op];
        struct nv_candidate *candidate = &ret_siblings->candidates[ret_siblings->count++];
        *candidate = (struct nv_candidate){.value = nv_code_value(kept->codes[field]),
                                           .time = {kept->named.times[field]},
                                           .site = stores->sites[kept->site].id,
                                           .epoch = kept->named.epoch,
                                           .seq = kept->seq,
                                           .index = kept->index};
        memcpy(candidate->header.bytes, kept->named.header_hash, sizeof candidate->header.bytes);
    }
    assert_true(ret_siblings->count > 0); /* whoever creates a record gives it all its fields, and none goes away */
    struct nv_site_id home = {{0}};
    for (size_t site = 0; site < NV_STORES_ALL; site++)
        if (stores->sites[site].store != NULL && rank_of(stores, stores->sites[site].id) == state->home)
            home = stores->sites[site].id;
    size_t shown = nv_rule_choose(rules[field], ret_siblings->candidates, ret_siblings->count, home);
    ret_siblings->shown = nv_code_of(&ret_siblings->candidates[shown].value);
}

static int order_values(const void *a, const void *b)
{
    return nv_value_compare(&((const struct nv_candidate *)a)->value, &((const struct nv_candidate *)b)->value);
}

/* One row a distinct value, in SQLite's order; none where there is but one. */
static void check_conflict(struct siblings *siblings, sqlite3_stmt *rows, size_t record, int field)
{
    qsort(siblings->candidates, siblings->count, sizeof *siblings->candidates, order_values);
    bool is_open = nv_rule_distinct(siblings->candidates, siblings->count) > 1 && field != NV_STORES_QUIET;
    sqlite3_bind_text(rows, 1, nv_stores_keys[record], -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 2, nv_stores_fields[field], -1, SQLITE_STATIC);
    for (size_t i = 0; is_open && i < siblings->count; i++) {
        if (i > 0 && order_values(&siblings->candidates[i - 1], &siblings->candidates[i]) == 0)
            continue;
        assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
        struct nv_value value = nv_db_value(rows, 0);
        assert_true(nv_value_equal(&value, &siblings->candidates[i].value));
        assert_int_equal(sqlite3_column_int(rows, 1), nv_code_of(&value) == siblings->shown);
    }
    assert_int_equal(sqlite3_step(rows), SQLITE_DONE);
    sqlite3_reset(rows);
}

static void check_deleted(const struct nv_logged *logged, const struct nv_model_state *state, sqlite3_stmt *rows,
                          size_t record)
{
    bool any_live = false;
    for (size_t op = 0; op < logged->model.count; op++)
        any_live = any_live || state->live[op];
    sqlite3_bind_text(rows, 1, nv_stores_keys[record], -1, SQLITE_STATIC);
    sqlite3_bind_null(rows, 2);
    assert_int_equal(sqlite3_step(rows), any_live && state->is_shown ? SQLITE_ROW : SQLITE_DONE);
    sqlite3_reset(rows);
}

static void check_record(const struct nv_logged *logged, struct nv_stores *stores, const struct nv_stores_row *row,
                         sqlite3_stmt *conflicts, size_t record)
{
    static struct nv_model_state state;
    static struct siblings siblings;
    nv_model_meaning(&logged->model, record, &logged->all, &state);
    assert_int_equal(row->there, state.is_shown);
    check_deleted(logged, &state, conflicts, record);
    for (int field = 0; field < NV_STORES_FIELDS && state.is_shown; field++) {
        gather(logged, stores, &state, field, &siblings);
        assert_int_equal(row->codes[field], siblings.shown);
        check_conflict(&siblings, conflicts, record, field);
    }
}

void nv_logged_check_site(const struct nv_logged *logged, struct nv_stores *stores, size_t site)
{
    struct nv_stores_row rows[NV_STORES_RECORDS];
    struct nv_error error;
    sqlite3_stmt *conflicts = nv_db_prepare(nv_store_db(stores->sites[site].store),
                                            "SELECT value, shown FROM navette_conflict WHERE table_name = 'item' AND "
                                            "key_text = ?1 AND field IS ?2 ORDER BY choice",
                                            &error);
    assert_non_null(conflicts);
    nv_stores_rows(stores, site, rows);
    for (size_t record = 0; record < NV_STORES_RECORDS; record++)
        check_record(logged, stores, &rows[record], conflicts, record);
    sqlite3_finalize(conflicts);
}

/* ---- what became of every write ---- */

/* The op that a write was sealed into. */
static size_t op_of(const struct nv_logged *logged, const struct nv_write *write)
{
    for (size_t op = 0; op < logged->model.count; op++) {
        const struct nv_logged_op *kept = &logged->ops[op];
        const struct nv_model_op *told = &logged->model.ops[op];
        if (kept->site != write->site || kept->seq != write->seq || told->record != write->record)
            continue;
        if (write->field == NV_WRITE_OF_RECORD
                ? told->is_delete
                : (told->fields >> write->field & 1) && kept->codes[write->field] == write->code)
            return op;
    }
    return NO_OP;
}

static bool still_there(const struct nv_logged *logged, const struct nv_write *write, size_t op)
{
    static struct nv_model_state state;
    nv_model_meaning(&logged->model, write->record, &logged->all, &state);
    return write->field == NV_WRITE_OF_RECORD ? state.live[op] : state.siblings[op] >> write->field & 1;
}

void nv_logged_check_writes(const struct nv_logged *logged, const struct nv_writes *writes)
{
    for (size_t i = 0; i < writes->count; i++) {
        const struct nv_write *write = &writes->items[i];
        const char *field = write->field < 0 ? "(delete)" : nv_stores_fields[write->field];
        const char *key = nv_stores_keys[write->record];
        if (write->is_overwritten)
            continue;
        size_t op = op_of(logged, write);
        if (op == NO_OP)
            fail_msg("write %zu, at site %zu to %s.%s, is not in the log", i, write->site, key, field);
        if (!write->is_covered && !still_there(logged, write, op))
            fail_msg("write %zu, at site %zu (seq %llu) to %s.%s, was covered by nobody who saw it", i, write->site,
                     (unsigned long long)write->seq, key, field);
    }
}
