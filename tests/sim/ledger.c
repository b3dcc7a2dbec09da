#include "ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "founding.h"
#include "report.h"
#include "trace.h"

void sim_ledger_done(struct sim_ledger *ledger)
{
    free(ledger->entries);
    free(ledger->touches);
    memset(ledger, 0, sizeof *ledger);
}

/* ---- noting ---- */

static struct sim_entry *add(struct sim_ledger *ledger, const struct sim_write *write, int record, int field)
{
    if (ledger->entry_count == ledger->entry_capacity) {
        ledger->entry_capacity = ledger->entry_capacity * 2 + 64;
        ledger->entries = realloc(ledger->entries, ledger->entry_capacity * sizeof *ledger->entries);
        assert(ledger->entries != NULL);
    }
    struct sim_entry *entry = &ledger->entries[ledger->entry_count++];
    *entry = (struct sim_entry){.transaction = ledger->transactions,
                                .site = write->site,
                                .record = record,
                                .field = field,
                                .time_ms = write->time_ms,
                                .is_optional = write->is_optional || record == write->left_out,
                                .has_no_time = write->has_no_time};
    if (!entry->is_optional)
        ledger->writes++;
    return entry;
}

static void note_field(struct sim_ledger *ledger, const struct sim_write *write, int record, int field)
{
    struct sim_entry *entry = add(ledger, write, record, field);
    entry->base = write->before[record].codes[field];
    entry->value = write->after[record].codes[field];
    entry->is_stale = write->is_stale && entry->value == write->form.codes[field];
    if (record != write->answer_record)
        return;
    entry->listed_count = write->listed_count[field];
    memcpy(entry->listed, write->listed[field], sizeof entry->listed);
}

static void touch(struct sim_ledger *ledger, const struct sim_write *write, int record)
{
    if (ledger->touch_count == ledger->touch_capacity) {
        ledger->touch_capacity = ledger->touch_capacity * 2 + 64;
        ledger->touches = realloc(ledger->touches, ledger->touch_capacity * sizeof *ledger->touches);
        assert(ledger->touches != NULL);
    }
    ledger->touches[ledger->touch_count++] =
        (struct sim_touch){ledger->transactions, write->site, record, write->time_ms};
}

void sim_ledger_note(struct sim_ledger *ledger, const struct sim_write *write)
{
    ledger->transactions++;
    for (int record = 0; record < SIM_RECORDS; record++) {
        const struct sim_row *before = &write->before[record], *after = &write->after[record];
        bool is_answered = record == write->answer_record;
        if (write->touched >> record & 1)
            touch(ledger, write, record);
        if (before->is_there && !after->is_there && record != write->left_out)
            add(ledger, write, record, SIM_FIELD_RECORD);
        for (int field = 0; field < SIM_FIELDS; field++) {
            bool is_asked = is_answered && after->is_there &&
                            (write->answer_field == SIM_FIELD_RECORD || write->answer_field == field);
            if (before->codes[field] != after->codes[field] || is_asked)
                note_field(ledger, write, record, field);
        }
    }
}

/* ---- matching: which op each entry became ---- */

enum { KNOWN_MAX = 96 };

/* What an op's writer had seen of a field when it wrote it. */
struct known {
    uint64_t codes[KNOWN_MAX], stale[KNOWN_MAX];
    size_t count, stale_count;
};

struct matching {
    struct sim_ledger *ledger;
    const struct sim_history *history;
    const struct sim_ledger_judges *judges;
    struct known (*known)[SIM_FIELDS]; /* of each op */
};

static size_t site_of(const struct matching *matching, const struct sim_op *op)
{
    for (size_t site = 0; site < matching->judges->site_count; site++)
        if (nv_site_id_compare(matching->judges->sites[site], matching->history->logs[op->log].site) == 0)
            return site;
    sim_fail("invented", "a log of a site that nobody knows");
}

static void know(struct known *known, const struct sim_entry *entry)
{
    if (entry->is_stale && known->stale_count < KNOWN_MAX)
        known->stale[known->stale_count++] = entry->base;
    else if (known->count < KNOWN_MAX)
        known->codes[known->count++] = entry->base;
    for (size_t i = 0; i < entry->listed_count && known->count < KNOWN_MAX; i++)
        known->codes[known->count++] = entry->listed[i];
}

/* The next entry of a field (SIM_FIELD_RECORD: of the record's ends) from `at` on; the count where there is none. */
static size_t next_entry(const struct sim_ledger *ledger, size_t at, size_t site, int record, int field)
{
    while (at < ledger->entry_count && (ledger->entries[at].site != site || ledger->entries[at].record != record ||
                                        ledger->entries[at].field != field))
        at++;
    return at;
}

/* The time of a later statement on the same record will do, as long as the value stood there: it wrote what it found.
 * So will any time, where the statement went by no trigger. */
static bool is_time_of(const struct sim_ledger *ledger, const struct sim_entry *entry, int64_t time_ms, bool exactly)
{
    if (entry->time_ms == time_ms)
        return true;
    if (exactly)
        return false;
    size_t next = next_entry(ledger, (size_t)(entry - ledger->entries) + 1, entry->site, entry->record, entry->field);
    size_t end = next < ledger->entry_count ? ledger->entries[next].transaction : SIZE_MAX;
    for (size_t i = 0; i < ledger->touch_count; i++) {
        const struct sim_touch *touch = &ledger->touches[i];
        if (touch->site == entry->site && touch->record == entry->record && touch->time_ms == time_ms &&
            touch->transaction < end)
            return true;
    }
    return entry->has_no_time;
}

/* A late field that nobody wrote has its default, whether its row was there before it or not. */
static bool is_same(int field, uint64_t value, uint64_t other)
{
    uint64_t null = sim_code_of(&(struct nv_value){.type = NV_NULL});
    if (field == SIM_FIELD_LATE && (value == 0 || value == null))
        return other == 0 || other == null;
    return value == other;
}

/* A run of entries that became no op: each was written over by the next, at the same site, before it was sealed; or
 * the field was in the end what it had been at the beginning, and there was nothing to seal. */
static void check_unmatched(const struct matching *matching, size_t from, size_t to, size_t site, int record, int field,
                            bool is_taken_up)
{
    const struct sim_ledger *ledger = matching->ledger;
    uint64_t start = 0;
    bool in_run = false;
    if (matching->judges->was_taken[site])
        return;
    for (size_t at = next_entry(ledger, from, site, record, field), next; at < to; at = next) {
        const struct sim_entry *entry = &ledger->entries[at];
        next = next_entry(ledger, at + 1, site, record, field);
        if (!in_run)
            start = entry->base;
        in_run = true;
        bool is_overwritten = next < to + is_taken_up && ledger->entries[next].base == entry->value;
        if (is_overwritten)
            continue;
        if (!is_same(field, entry->value, start) && !entry->is_optional)
            sim_fail("lost", "%s wrote %s.%s at %lld, and no op has it", sim_place_name(site), sim_record_keys[record],
                     sim_field_names[field], (long long)entry->time_ms);
        in_run = false;
    }
}

/* A row that was made before the late field was published, and sealed after, has its default. */
static bool is_default_of_late(const struct sim_op *op, int field)
{
    return field == SIM_FIELD_LATE && op->values[field].type == NV_NULL && op->fields == (1u << SIM_FIELDS) - 1;
}

/* The entry that the op's field came from, which is no later one than the op; the count where there is none.
 * `*ret_off_ms`: how far off the last one with that value was. */
static size_t find_entry(const struct sim_ledger *ledger, const struct sim_op *op, size_t site, int field, size_t at,
                         bool exactly, int64_t *ret_off_ms)
{
    size_t found = next_entry(ledger, at, site, op->record, field);
    *ret_off_ms = INT64_MAX;
    while (found < ledger->entry_count && ledger->entries[found].transaction <= op->moment) {
        const struct sim_entry *entry = &ledger->entries[found];
        if (entry->value == op->codes[field]) {
            *ret_off_ms = op->times[field] - entry->time_ms;
            if (is_time_of(ledger, entry, op->times[field], exactly))
                return found;
        }
        found = next_entry(ledger, found + 1, site, op->record, field);
    }
    return ledger->entry_count;
}

/* All between `*at` and the entry that the op's field came from were written over. */
static void match_field(struct matching *matching, size_t number, size_t site, int field, size_t *at)
{
    struct sim_ledger *ledger = matching->ledger;
    const struct sim_op *op = &matching->history->ops[number];
    int64_t off_ms;
    size_t found = find_entry(ledger, op, site, field, *at, true, &off_ms);
    if (found == ledger->entry_count)
        found = find_entry(ledger, op, site, field, *at, false, &off_ms);
    if (found == ledger->entry_count && is_default_of_late(op, field))
        return;
    if (found == ledger->entry_count)
        sim_fail(off_ms == INT64_MAX ? "invented" : "time",
                 "%s signed %s.%s (seq %llu) as nobody wrote it: off by %lld ms", sim_place_name(site),
                 sim_record_keys[op->record], sim_field_names[field], (unsigned long long)op->seq, (long long)off_ms);
    check_unmatched(matching, *at, found, site, op->record, field, true);
    for (size_t i = *at; i <= found; i++)
        if (ledger->entries[i].site == site && ledger->entries[i].record == op->record &&
            ledger->entries[i].field == field)
            know(&matching->known[number][field], &ledger->entries[i]);
    ledger->entries[found].is_matched = true;
    *at = found + 1;
}

static size_t find_end(const struct sim_ledger *ledger, const struct sim_op *op, size_t site, size_t at, bool exactly)
{
    size_t found = next_entry(ledger, at, site, op->record, SIM_FIELD_RECORD);
    while (found < ledger->entry_count && !is_time_of(ledger, &ledger->entries[found], op->times[0], exactly))
        found = next_entry(ledger, found + 1, site, op->record, SIM_FIELD_RECORD);
    return found;
}

static void match_delete(struct matching *matching, size_t number, size_t site, size_t at[SIM_FIELDS], size_t *end_at)
{
    struct sim_ledger *ledger = matching->ledger;
    const struct sim_op *op = &matching->history->ops[number];
    size_t found = find_end(ledger, op, site, *end_at, true);
    if (found == ledger->entry_count)
        found = find_end(ledger, op, site, *end_at, false);
    if (found == ledger->entry_count)
        sim_fail("invented", "%s signed the end of %s (seq %llu), which nobody wrote", sim_place_name(site),
                 sim_record_keys[op->record], (unsigned long long)op->seq);
    ledger->entries[found].is_matched = true;
    *end_at = found + 1;
    /* The fields' last values went with it: their entries stand right behind. */
    for (int field = 0; field < SIM_FIELDS; field++) {
        size_t last = at[field];
        for (size_t i = next_entry(ledger, at[field], site, op->record, field);
             i < ledger->entry_count && ledger->entries[i].transaction <= ledger->entries[found].transaction;
             i = next_entry(ledger, i + 1, site, op->record, field)) {
            know(&matching->known[number][field], &ledger->entries[i]);
            last = i + 1;
            if (ledger->entries[i].value == 0 && i > found)
                break;
        }
        at[field] = last;
    }
}

static void match_record(struct matching *matching, size_t site, int record)
{
    const struct sim_history *history = matching->history;
    size_t at[SIM_FIELDS] = {0}, end_at = 0;
    for (size_t number = 0; number < history->op_count; number++) {
        const struct sim_op *op = &history->ops[number];
        if (op->record != record || site_of(matching, op) != site)
            continue;
        if (op->is_delete)
            match_delete(matching, number, site, at, &end_at);
        for (int field = 0; field < SIM_FIELDS && !op->is_delete; field++)
            if (op->fields >> field & 1)
                match_field(matching, number, site, field, &at[field]);
    }
    for (int field = 0; field < SIM_FIELDS; field++)
        check_unmatched(matching, at[field], matching->ledger->entry_count, site, record, field, false);
}

/* ---- what became of the ops ---- */

static bool knew(const struct matching *matching, size_t number, size_t other, int field)
{
    const struct sim_op *op = &matching->history->ops[number], *seen = &matching->history->ops[other];
    const struct known *known = &matching->known[number][field];
    if (field == SIM_FIELD_QUIET)
        return true;
    for (size_t i = 0; i < known->count; i++)
        if (known->codes[i] == seen->codes[field] || known->codes[i] == 0)
            return true;
    /* What the same site wrote itself a moment ago no form is protected from. */
    for (size_t i = 0; i < known->stale_count && op->log == seen->log; i++)
        if (known->stale[i] == seen->codes[field])
            return true;
    return false;
}

static bool is_answered_for(const struct matching *matching, size_t other, int field)
{
    const struct sim_history *history = matching->history;
    for (size_t number = 0; number < history->op_count; number++) {
        const struct sim_op *op = &history->ops[number];
        if (op->record == history->ops[other].record && !op->is_delete && (op->fields >> field & 1) &&
            sim_cut_has(matching->judges->cut, op->log, op->seq) && sim_op_covers(history, op, other, field) &&
            knew(matching, number, other, field))
            return true;
    }
    return false;
}

/* For whoever reads the trace: all ops of the field, and which of them cover the lost one. */
static void tell_story(const struct matching *matching, size_t lost, int field)
{
    const struct sim_history *history = matching->history;
    for (size_t number = 0; number < history->op_count; number++) {
        const struct sim_op *op = &history->ops[number];
        if (op->record != history->ops[lost].record || (!op->is_delete && !(op->fields >> field & 1)))
            continue;
        sim_trace("%s:%llu.%u %s %.*s at %lld%s%s", sim_place_name(site_of(matching, op)), (unsigned long long)op->seq,
                  op->index, op->is_delete ? "ends it" : "puts",
                  op->values[field].type == NV_TEXT ? (int)op->values[field].bytes.size : 0,
                  op->values[field].type == NV_TEXT ? (const char *)op->values[field].bytes.data : "",
                  (long long)op->times[op->is_delete ? 0 : field], number == lost ? ", which is lost" : "",
                  sim_op_covers(history, op, lost, field) ? ", and covers that one" : "");
    }
}

static void check_record(const struct matching *matching, int record)
{
    static struct nv_model_state state;
    size_t ops[SIM_MODEL_OPS], count;
    sim_history_meaning(matching->history, record, matching->judges->cut, &state, ops, &count);
    for (size_t i = 0; i < count; i++) {
        const struct sim_op *op = &matching->history->ops[ops[i]];
        for (int field = 0; field < SIM_FIELDS && !op->is_delete; field++) {
            if (!(op->fields >> field & 1))
                continue;
            bool is_sibling = state.siblings[i] >> field & 1, is_known = is_sibling && state.is_shown;
            for (size_t other = 0; other < count && is_sibling && !is_known; other++)
                is_known = (state.marks[other][i] >> field & 1) && knew(matching, ops[other], ops[i], field);
            if (!is_sibling)
                is_known = is_answered_for(matching, ops[i], field);
            if (!is_known)
                tell_story(matching, ops[i], field);
            if (!is_known)
                sim_fail("lost", "what %s wrote to %s.%s (seq %llu) was %s by nobody who had seen it",
                         sim_place_name(site_of(matching, op)), sim_record_keys[record], sim_field_names[field],
                         (unsigned long long)op->seq, is_sibling ? "deleted" : "covered");
        }
    }
}

void sim_ledger_check(struct sim_ledger *ledger, const struct sim_ledger_judges *judges)
{
    struct matching matching = {.ledger = ledger,
                                .history = judges->history,
                                .judges = judges,
                                .known = calloc(judges->history->op_count + 1, sizeof *matching.known)};
    assert(matching.known != NULL);
    for (size_t i = 0; i < ledger->entry_count; i++)
        ledger->entries[i].is_matched = false;
    for (size_t site = 0; site < judges->site_count; site++)
        for (int record = 0; record < SIM_RECORDS; record++)
            match_record(&matching, site, record);
    for (int record = 0; record < SIM_RECORDS; record++)
        check_record(&matching, record);
    free(matching.known);
}
