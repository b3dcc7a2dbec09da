#include "history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "history_internal.h"
#include "report.h"
#include "store/log.h"
#include "wire/changeset.h"

enum { BATCH = 256 };

void sim_history_done(struct sim_history *history)
{
    for (size_t log = 0; log < history->log_count; log++)
        free(history->logs[log].changesets);
    free(history->logs);
    free(history->ops);
    free(history->named);
    free(history->openers);
    free(history->keys);
    free(history->grants);
    nv_heads_done(&history->known);
    nv_arena_done(&history->arena);
    nv_arena_done(&history->reading);
    memset(history, 0, sizeof *history);
}

void *sim_history_grow(void **array, size_t *count, size_t size)
{
    *array = realloc(*array, (*count + 1) * size);
    assert(*array != NULL);
    return memset((char *)*array + (*count)++ * size, 0, size);
}

static void *alloc(struct sim_history *history, size_t size)
{
    history->arena.limit = SIZE_MAX;
    void *memory = nv_arena_alloc(&history->arena, size + 1);
    assert(memory != NULL);
    return memory;
}

size_t sim_history_log(const struct sim_history *history, struct nv_site_id site, uint64_t epoch,
                       struct nv_scope_id scope)
{
    for (size_t log = 0; log < history->log_count; log++)
        if (history->logs[log].epoch == epoch && nv_site_id_compare(history->logs[log].site, site) == 0 &&
            nv_scope_id_equal(history->logs[log].scope, scope))
            return log;
    return SIZE_MAX;
}

static size_t log_of(struct sim_history *history, struct nv_site_id site, uint64_t epoch, struct nv_scope_id scope)
{
    size_t log = sim_history_log(history, site, epoch, scope);
    if (log != SIZE_MAX)
        return log;
    struct sim_log *added = sim_history_grow((void **)&history->logs, &history->log_count, sizeof *added);
    *added = (struct sim_log){.site = site, .epoch = epoch, .scope = scope};
    return history->log_count - 1;
}

/* ---- reading ---- */

static size_t op_at(const struct sim_history *history, size_t log, uint64_t seq, uint32_t index)
{
    if (log >= history->log_count || seq < 1 || seq > history->logs[log].count)
        return SIZE_MAX;
    const struct sim_changeset *changeset = &history->logs[log].changesets[seq - 1];
    return index < changeset->op_count ? changeset->first_op + index : SIZE_MAX;
}

static void take_values(struct sim_history *history, const struct nv_op *op, struct sim_op *taken)
{
    taken->times[0] = op->time.ms;
    for (unsigned field = 0, place = 0; !taken->is_delete && field < SIM_FIELDS; field++) {
        if (!(op->fields >> field & 1))
            continue;
        taken->fields |= (uint8_t)(1u << field);
        taken->times[field] = op->time.ms - (int64_t)op->ages[place];
        taken->values[field] = op->values[place++];
        taken->codes[field] = sim_code_of(&taken->values[field]);
        if (taken->values[field].type < NV_TEXT || taken->values[field].bytes.size == 0)
            continue;
        uint8_t *copy = alloc(history, taken->values[field].bytes.size);
        memcpy(copy, taken->values[field].bytes.data, taken->values[field].bytes.size);
        taken->values[field].bytes.data = copy;
    }
}

static void take_excepts(struct sim_history *history, const struct nv_op *op, struct sim_op *taken)
{
    struct sim_except *excepts = alloc(history, op->except_count * sizeof *excepts);
    taken->excepts = excepts;
    for (size_t i = 0; i < op->except_count; i++) {
        const struct nv_far_dot *dot = &op->excepts[i].dot;
        size_t log = sim_history_log(history, dot->site, dot->epoch, history->logs[taken->log].scope);
        size_t other = log == SIZE_MAX ? SIZE_MAX : op_at(history, log, dot->seq, dot->index);
        if (other == SIZE_MAX)
            sim_fail("history", "an op excepts a dot that nobody signed");
        excepts[taken->except_count++] = (struct sim_except){.op = other, .fields = (uint8_t)op->excepts[i].fields};
    }
}

/* A site lets go of ops of the log that it writes in. */
static void redact(struct sim_history *history, size_t log, uint64_t seq, const struct nv_op *op)
{
    for (size_t i = 0; i < op->name_count; i++) {
        size_t named = op_at(history, log, op->names[i].seq, op->names[i].index);
        if (named == SIZE_MAX)
            sim_fail("history", "a redaction names an op that nobody signed");
        history->ops[named].redacted_seq = seq;
    }
}

static struct sim_op *add_op(struct sim_history *history)
{
    if (history->op_count == history->op_capacity) {
        history->op_capacity = history->op_capacity * 2 + 64;
        history->ops = realloc(history->ops, history->op_capacity * sizeof *history->ops);
        assert(history->ops != NULL);
    }
    return &history->ops[history->op_count++];
}

static int record_named(struct sim_history *history, const struct sim_named *named)
{
    for (size_t i = 0; i < history->named_count; i++)
        if (memcmp(&history->named[i], named, sizeof *named) == 0)
            return SIM_RECORDS + (int)i;
    struct sim_named *added = sim_history_grow((void **)&history->named, &history->named_count, sizeof *added);
    *added = *named;
    return SIM_RECORDS + (int)history->named_count - 1;
}

/* Whether an op on a record of the table says anything in that log (PROTOCOL.md, "Scopes of records"). */
static bool is_at_home(const struct sim_log *log, const struct nv_op *op)
{
    bool is_own = memcmp(log->scope.bytes, log->site.bytes, sizeof log->scope.bytes) == 0;
    if (op->table == SIM_MEMO && !is_own)
        return false;
    if ((op->table == SIM_ITEM || op->table == SIM_NOTICE) && !nv_scope_id_equal(log->scope, NV_SCOPE_NETWORK))
        return false;
    return !sim_shapes[op->table].is_home_alone || !op->has_home || nv_site_id_compare(op->home, log->site) == 0;
}

/* The record that an op is about; SIM_NO_RECORD where it says nothing. */
static int record_of(struct sim_history *history, const struct sim_log *log, const struct nv_op *op)
{
    struct nv_reader reader = nv_reader_of(op->key);
    struct nv_value key;
    struct sim_named named = {.table = (enum sim_table)op->table, .scope = log->scope};
    if (!nv_value_decode(&reader, &key) || key.type != NV_TEXT || key.bytes.size >= sizeof named.key ||
        op->table < SIM_ITEM || op->table >= SIM_TABLES)
        sim_fail("invented", "an op on a record that nobody wrote");
    if (!is_at_home(log, op))
        return SIM_NO_RECORD;
    memcpy(named.key, key.bytes.data, key.bytes.size);
    if (sim_shapes[op->table].is_home_alone)
        named.home = log->site;
    int record = op->table == SIM_ITEM ? sim_record_named(named.key, key.bytes.size) : record_named(history, &named);
    if (record < 0)
        sim_fail("invented", "an op on a record that nobody wrote");
    return record;
}

/* The column that says who reads a record is its home's alone to write. */
static nv_fields void_fields(const struct nv_op *op, struct nv_site_id writer)
{
    bool is_foreign = op->has_home && nv_site_id_compare(op->home, writer) != 0;
    return op->table == SIM_LEARNER && is_foreign ? 1u << sim_shapes[SIM_LEARNER].reads_field : 0;
}

static void take_op(struct sim_history *history, size_t log, const struct nv_header *header, uint32_t index,
                    const struct nv_entry *entry)
{
    struct nv_op *op = nv_arena_alloc(&history->reading, sizeof *op);
    struct nv_error error;
    assert(op != NULL);
    if (nv_op_decode(entry->op, &history->reading, op, &error) != NV_OK)
        sim_fail("history", "an op that does not decode: %s", error.text);
    bool is_boxed = op->kind == NV_OP_SEALED, is_scope_sealed = nv_scope_is_sealed(history->logs[log].scope) != 0;
    size_t key = is_boxed ? sim_history_open_box(history, log, header, index, entry->salt, op) : SIZE_MAX;
    bool is_of_record = op->kind == NV_OP_PUT || op->kind == NV_OP_DELETE;
    if (is_of_record && is_boxed != is_scope_sealed)
        sim_fail("sealed", "an op of a record is in the clear where it should be sealed, or sealed in the clear");
    if (op->kind == NV_OP_REDACT)
        redact(history, log, header->seq, op);
    int record = is_of_record ? record_of(history, &history->logs[log], op) : SIM_NO_RECORD;
    struct sim_op *taken = add_op(history);
    *taken = (struct sim_op){.log = log,
                             .seq = header->seq,
                             .index = index,
                             .record = record,
                             .key = key,
                             .is_delete = op->kind == NV_OP_DELETE,
                             .moment = history->moment,
                             .home = op->has_home ? op->home : history->logs[log].site};
    if (!is_of_record)
        return;
    take_values(history, op, taken);
    taken->fields &= (uint8_t)~void_fields(op, history->logs[log].site);
    take_excepts(history, op, taken);
}

static void take_context(struct sim_history *history, size_t log, const struct nv_header *header,
                         struct sim_changeset *changeset)
{
    for (size_t i = 0; i < header->context_count; i++)
        log_of(history, header->context[i].site, header->context[i].epoch, header->log.scope);
    changeset->context_count = history->log_count;
    changeset->context = alloc(history, history->log_count * sizeof(uint64_t));
    memset(changeset->context, 0, history->log_count * sizeof(uint64_t));
    if (!header->absolute && header->seq > 1) {
        const struct sim_changeset *before = &history->logs[log].changesets[header->seq - 2];
        memcpy(changeset->context, before->context, before->context_count * sizeof(uint64_t));
    }
    for (size_t i = 0; i < header->context_count; i++)
        changeset->context[log_of(history, header->context[i].site, header->context[i].epoch, header->log.scope)] =
            header->context[i].seq;
    changeset->context[log] = header->seq - 1;
}

static void take_changeset(struct sim_history *history, struct nv_slice bytes)
{
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_body body;
    struct nv_error error;
    history->reading.limit = SIZE_MAX;
    nv_arena_reset(&history->reading);
    if (nv_changeset_split(bytes, &parts, &error) != NV_OK ||
        nv_header_decode(parts.header, &history->reading, &header, &error) != NV_OK ||
        nv_body_open(&parts, &header, &history->reading, &body, &error) != NV_OK)
        sim_fail("history", "a store gives a changeset that does not open: %s", error.text);
    if (nv_scope_id_equal(header.log.scope, NV_SCOPE_AUTHORITY))
        return;
    size_t log = log_of(history, header.log.site, header.log.epoch, header.log.scope);
    if (header.seq != history->logs[log].count + 1)
        sim_fail("history", "a store gives seq %llu of a log of which it gave %zu", (unsigned long long)header.seq,
                 history->logs[log].count);
    struct sim_changeset changeset = {.hash = nv_header_hash(parts.header),
                                      .first_op = history->op_count,
                                      .op_count = body.count,
                                      .authority_seq = header.authority_seq};
    take_context(history, log, &header, &changeset);
    struct sim_log *kept = &history->logs[log];
    kept->changesets = realloc(kept->changesets, (kept->count + 1) * sizeof *kept->changesets);
    assert(kept->changesets != NULL);
    kept->changesets[kept->count++] = changeset;
    history->changesets++;
    sim_history_take_grants(history, log, &header, &body);
    for (uint32_t i = 0; i < body.count; i++)
        take_op(history, log, &header, i, &body.entries[i]);
}

static void check_pins(const struct sim_history *history, const struct nv_far_head *heads, size_t count,
                       const char *name)
{
    for (size_t i = 0; i < count; i++) {
        size_t log = sim_history_log(history, heads[i].site, heads[i].epoch, heads[i].scope);
        if (log == SIZE_MAX || heads[i].seq > history->logs[log].count)
            continue;
        if (memcmp(&history->logs[log].changesets[heads[i].seq - 1].hash, &heads[i].pin, sizeof heads[i].pin) != 0)
            sim_fail("fork", "%s holds another header at seq %llu of a log than the one that was seen there before",
                     name, (unsigned long long)heads[i].seq);
    }
}

void sim_history_take(struct sim_history *history, const struct nv_store *daemon, struct nv_store *reader,
                      const char *name, size_t moment)
{
    static struct nv_far_head heads[BATCH];
    const struct nv_far_head *has;
    size_t has_count, ends[BATCH], count;
    history->moment = moment;
    nv_store_has(daemon, &has, &has_count);
    check_pins(history, has, has_count, name);
    if (nv_heads_cover(&history->known, has, has_count))
        return;
    struct nv_buffer bytes = {0};
    int64_t cursor = 0;
    bool done = false, changed;
    struct nv_error error;
    if (nv_store_refresh(reader, &changed, &error) != NV_OK)
        sim_fail("history", "the store of %s cannot be read: %s", name, error.text);
    while (!done) {
        nv_buffer_clear(&bytes);
        if (nv_store_read_for(reader, history->known.heads, history->known.count, NULL, &cursor, SIZE_MAX, &bytes, ends,
                              heads, BATCH, &count, &done, &error) != NV_OK)
            sim_fail("history", "the log of %s cannot be read: %s", name, error.text);
        for (size_t i = 0, start = 0; i < count; start = ends[i++]) {
            take_changeset(history, (struct nv_slice){bytes.data + start, ends[i] - start});
            nv_heads_raise(&history->known, &heads[i]);
        }
    }
    nv_buffer_done(&bytes);
}

/* ---- what follows ---- */

bool sim_cut_has(const struct sim_cut *cut, size_t log, uint64_t seq)
{
    return cut == NULL || (log < cut->count && seq <= cut->seqs[log]);
}

bool sim_history_saw(const struct sim_history *history, const struct sim_op *op, const struct sim_op *other)
{
    const struct sim_changeset *changeset = &history->logs[op->log].changesets[op->seq - 1];
    return other->log < changeset->context_count && other->seq <= changeset->context[other->log];
}

bool sim_op_covers(const struct sim_history *history, const struct sim_op *op, size_t other, int field)
{
    if (!sim_history_saw(history, op, &history->ops[other]))
        return false;
    for (size_t i = 0; field >= 0 && i < op->except_count; i++)
        if (op->excepts[i].op == other && (op->excepts[i].fields >> field & 1))
            return false;
    return true;
}

/* Homes are compared by site id, so the model knows them by their rank. */
static unsigned rank_of(const struct sim_history *history, struct nv_site_id site)
{
    unsigned rank = 0;
    for (size_t log = 0; log < history->log_count; log++)
        rank += nv_site_id_compare(history->logs[log].site, site) < 0;
    return rank;
}

void sim_history_meaning(const struct sim_history *history, int record, const struct sim_cut *cut,
                         struct nv_model_state *ret_state, size_t ret_ops[SIM_MODEL_OPS], size_t *ret_count)
{
    static struct nv_model model;
    struct nv_model_set all = {{0}};
    model.count = 0;
    for (size_t i = 0; i < history->op_count; i++) {
        const struct sim_op *op = &history->ops[i];
        bool is_redacted = op->redacted_seq > 0 && sim_cut_has(cut, op->log, op->redacted_seq);
        if (op->record != record || is_redacted || !sim_cut_has(cut, op->log, op->seq))
            continue;
        assert(model.count < NV_MODEL_OPS);
        struct nv_model_op *told = &model.ops[model.count];
        *told =
            (struct nv_model_op){.is_delete = op->is_delete, .fields = op->fields, .home = rank_of(history, op->home)};
        for (size_t other = 0; other < model.count; other++)
            if (sim_history_saw(history, op, &history->ops[ret_ops[other]]))
                nv_model_add(&told->seen, other);
        for (size_t j = 0; j < op->except_count; j++)
            for (size_t other = 0; other < model.count; other++) {
                if (ret_ops[other] != op->excepts[j].op)
                    continue;
                assert(told->except_count < NV_MODEL_EXCEPTS);
                told->excepts[told->except_count].op = other;
                told->excepts[told->except_count++].fields = op->excepts[j].fields;
            }
        nv_model_add(&all, model.count);
        ret_ops[model.count++] = i;
    }
    *ret_count = model.count;
    nv_model_meaning(&model, 0, &all, ret_state);
}
