#include "scoped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/rule.h"
#include "store/internal.h"
#include "store/log/opened.h"
#include "store/trust/unbox.h"

enum { BATCH = 512, NO_OP = NV_MODEL_OPS };

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

/* ---- reading ---- */

struct reading {
    struct nv_scoped *scoped;
    struct nv_stores *stores;
    struct nv_store *store; /* whose logs are read, with its keys */
    struct nv_arena arena;
    uint64_t contexts[NV_SCOPED_LOGS][NV_SCOPED_LOGS]; /* of each log's newest header */
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

static size_t log_named(struct nv_scoped *scoped, struct nv_site_id site, uint64_t epoch)
{
    struct nv_log_id id = {site, epoch, scoped->scope};
    size_t log = 0;
    while (log < scoped->log_count && nv_log_id_compare(&scoped->logs[log], &id) != 0)
        log++;
    assert_true(log < NV_SCOPED_LOGS);
    if (log == scoped->log_count)
        scoped->logs[scoped->log_count++] = id;
    return log;
}

static size_t op_named(const struct nv_scoped *scoped, size_t log, uint64_t seq, uint32_t index)
{
    for (size_t op = 0; op < scoped->model.count; op++)
        if (scoped->ops[op].log == log && scoped->ops[op].seq == seq && scoped->ops[op].index == index)
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
    struct nv_scoped *scoped = reading->scoped;
    size_t site = site_named(reading->stores, header->log.site);
    if (op->table != scoped->table || (scoped->home != NV_STORES_ALL && scoped->home != site))
        return;
    assert_true(scoped->model.count < NV_MODEL_OPS && (op->kind == NV_OP_PUT || op->kind == NV_OP_DELETE));
    struct nv_model_op *told = &scoped->model.ops[scoped->model.count];
    struct nv_scoped_op *kept = &scoped->ops[scoped->model.count];
    *told = (struct nv_model_op){.record = record_of(op->key), .is_delete = op->kind == NV_OP_DELETE};
    size_t log = log_named(scoped, header->log.site, header->log.epoch);
    *kept = (struct nv_scoped_op){
        .log = log, .site = site, .seq = header->seq, .index = index, .header = *hash, .epoch = header->log.epoch};
    told->home = rank_of(reading->stores, op->has_home ? op->home : header->log.site);
    for (unsigned field = 0, place = 0; !told->is_delete && field < NV_SCOPED_FIELDS; field++) {
        if (!(op->fields >> field & 1))
            continue;
        if (!(scoped->asked >> field & 1) || told->home == rank_of(reading->stores, header->log.site))
            told->fields |= (uint8_t)(1u << field);
        kept->times[field] = op->time.ms - (int64_t)op->ages[place];
        kept->codes[field] = nv_code_of(&op->values[place++]);
    }
    for (size_t other = 0; other < scoped->model.count; other++) {
        const struct nv_scoped_op *before = &scoped->ops[other];
        uint64_t seen = before->log == log ? header->seq - 1 : reading->contexts[log][before->log];
        if (before->seq <= seen)
            nv_model_add(&told->seen, other);
    }
    for (size_t i = 0; i < op->except_count; i++) {
        const struct nv_far_dot *dot = &op->excepts[i].dot;
        size_t except = op_named(scoped, log_named(scoped, dot->site, dot->epoch), dot->seq, dot->index);
        if (except == NO_OP)
            fail_msg("an op of one scope names what stands in none of its logs");
        assert_true(told->except_count < NV_MODEL_EXCEPTS);
        told->excepts[told->except_count].op = except;
        told->excepts[told->except_count++].fields = (uint8_t)op->excepts[i].fields;
    }
    nv_model_add(&scoped->all, scoped->model.count++);
}

static void take_changeset(struct reading *reading, struct nv_slice bytes)
{
    struct nv_changeset_parts parts;
    struct nv_opened opened = {.arena = {.limit = 64 << 20}};
    struct nv_error error;
    must(nv_changeset_split(bytes, &parts, &error), &error);
    must(nv_header_decode(parts.header, &opened.arena, &opened.header, &error), &error);
    const struct nv_header header = opened.header;
    if (!nv_scope_id_equal(header.log.scope, reading->scoped->scope)) {
        nv_arena_done(&opened.arena);
        return;
    }
    size_t log = log_named(reading->scoped, header.log.site, header.log.epoch);
    if (header.absolute)
        memset(reading->contexts[log], 0, sizeof reading->contexts[log]);
    for (size_t i = 0; i < header.context_count; i++) {
        const struct nv_far_head *head = &header.context[i];
        reading->contexts[log][log_named(reading->scoped, head->site, head->epoch)] = head->seq;
    }
    must(nv_body_open(&parts, &header, &opened.arena, &opened.body, &error), &error);
    opened.log = nv_log_find(reading->store, &header.log)->number;
    must(nv_unbox(reading->store, &opened, &error), &error);
    struct nv_hash hash = nv_header_hash(parts.header);
    struct nv_op *op = nv_arena_alloc(&reading->arena, sizeof *op);
    for (uint32_t i = 0; i < opened.body.count; i++) {
        must(nv_op_decode(opened.body.entries[i].op, &reading->arena, op, &error), &error);
        if (op->kind != NV_OP_GRANT && op->kind != NV_OP_ASK)
            take_op(reading, &header, &hash, i, op);
    }
    nv_arena_done(&opened.arena);
}

void nv_scoped_read(struct nv_scoped *scoped, struct nv_stores *stores, size_t site)
{
    struct reading reading = {
        .scoped = scoped, .stores = stores, .store = stores->sites[site].store, .arena = {.limit = 64 << 20}};
    struct nv_buffer bytes = {0};
    struct nv_far_head heads[BATCH];
    size_t ends[BATCH], count;
    int64_t cursor = 0;
    bool done = false;
    struct nv_error error;
    scoped->model.count = scoped->log_count = 0;
    scoped->all = (struct nv_model_set){{0}};
    while (!done) {
        nv_buffer_clear(&bytes);
        must(nv_store_read_for(stores->sites[site].store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH,
                               &count, &done, &error),
             &error);
        for (size_t i = 0, start = 0; i < count; start = ends[i++])
            take_changeset(&reading, (struct nv_slice){bytes.data + start, ends[i] - start});
    }
    nv_buffer_done(&bytes);
    nv_arena_done(&reading.arena);
}

/* ---- what it means ---- */

void nv_scoped_state(const struct nv_scoped *scoped, size_t record, struct nv_model_state *ret_state)
{
    nv_model_meaning(&scoped->model, record, &scoped->all, ret_state);
}

static size_t op_at(struct nv_scoped *scoped, struct nv_stores *stores, size_t site, struct nv_dot dot)
{
    const struct nv_log *log = nv_log_by_number(stores->sites[site].store, dot.log);
    assert_non_null(log);
    assert_true(nv_scope_id_equal(log->id.scope, scoped->scope));
    size_t op = op_named(scoped, log_named(scoped, log->id.site, log->id.epoch), dot.seq, dot.index);
    assert_int_not_equal(op, NO_OP);
    return op;
}

static void check_record(struct nv_scoped *scoped, struct nv_stores *stores, size_t site,
                         const struct nv_record *record, const struct nv_model_state *state)
{
    static uint8_t marks[NV_MODEL_OPS][NV_MODEL_OPS];
    uint8_t siblings[NV_MODEL_OPS] = {0};
    bool live[NV_MODEL_OPS] = {0};
    memset(marks, 0, sizeof marks);
    for (size_t i = 0; i < record->sibling_count; i++)
        siblings[op_at(scoped, stores, site, record->siblings[i].dot)] |= (uint8_t)record->siblings[i].fields;
    for (size_t i = 0; i < record->delete_count; i++)
        live[op_at(scoped, stores, site, record->deletes[i].dot)] = true;
    for (size_t i = 0; i < record->mark_count; i++)
        marks[op_at(scoped, stores, site, record->marks[i].by)][op_at(scoped, stores, site, record->marks[i].dot)] |=
            (uint8_t)record->marks[i].fields;
    assert_memory_equal(siblings, state->siblings, sizeof siblings);
    assert_memory_equal(live, state->live, sizeof live);
    assert_memory_equal(marks, state->marks, sizeof marks);
    assert_int_equal(record->has_home, state->has_home);
    if (state->has_home)
        assert_int_equal(rank_of(stores, record->home), state->home);
    assert_int_equal(nv_record_shown(record), state->is_shown);
}

void nv_scoped_check_version(struct nv_scoped *scoped, struct nv_stores *stores, size_t site, size_t record,
                             const struct nv_model_state *state)
{
    struct nv_store *store = stores->sites[site].store;
    const struct nv_site_id *home = scoped->home == NV_STORES_ALL ? NULL : &stores->sites[scoped->home].id;
    struct nv_version version = {0};
    struct nv_buffer key = {0};
    struct nv_error error;
    bool found = false;
    nv_value_encode(&key, &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)nv_stores_keys[record], 2}});
    nv_scope_number number = nv_scope_number_find(store, scoped->scope, home);
    if (number != 0)
        must(nv_version_read(store, (struct nv_record_name){scoped->table, nv_buffer_slice(&key), number}, &version,
                             &found, &error),
             &error);
    check_record(scoped, stores, site, &version.record, state);
    nv_version_done(&version);
    nv_buffer_done(&key);
}

int nv_scoped_shown(const struct nv_scoped *scoped, struct nv_stores *stores, const struct nv_model_state *state,
                    int field)
{
    static struct nv_candidate candidates[NV_MODEL_OPS];
    struct nv_site_id nobody = {{0}};
    size_t count = 0;
    for (size_t op = 0; op < scoped->model.count; op++) {
        const struct nv_scoped_op *kept = &scoped->ops[op];
        if (state->siblings[op] >> field & 1)
            candidates[count++] = (struct nv_candidate){.value = nv_code_value(kept->codes[field]),
                                                        .time = {kept->times[field]},
                                                        .site = stores->sites[kept->site].id,
                                                        .epoch = kept->epoch,
                                                        .seq = kept->seq,
                                                        .header = kept->header,
                                                        .index = kept->index};
    }
    assert_true(count > 0); /* whoever creates a record gives it all its fields */
    return nv_code_of(&candidates[nv_rule_choose(NV_RULE_LAST, candidates, count, nobody)].value);
}
