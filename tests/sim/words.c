#include "words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "clock.h"
#include "core/heads.h"
#include "founding.h"
#include "records.h"
#include "wire/changeset.h"

enum { OPS_TOLD = 3, BYTES_TOLD = 24, PROMPT_MS = 2000, DAY_MS = 86400000 };

void sim_say(struct sim_words *words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(words->at, words->left, format, arguments);
    va_end(arguments);
    size_t said = size < 0 ? 0 : (size_t)size < words->left ? (size_t)size : words->left - 1;
    words->at += said;
    words->left -= said;
}

void sim_say_head(struct sim_words *words, const struct nv_far_head *head)
{
    const char *log = nv_scope_id_equal(head->scope, NV_SCOPE_AUTHORITY) ? "authority" : sim_site_name(head->site);
    sim_say(words, " %s:%" PRIu64, log, head->seq);
}

void sim_say_value(struct sim_words *words, const struct nv_value *value)
{
    int told = value->type < NV_TEXT ? 0 : (int)(value->bytes.size < BYTES_TOLD ? value->bytes.size : BYTES_TOLD);
    switch (value->type) {
    case NV_NULL:
        sim_say(words, "NULL");
        break;
    case NV_INTEGER:
        sim_say(words, "%" PRId64, value->integer);
        break;
    case NV_REAL:
        sim_say(words, "%g", value->real);
        break;
    case NV_TEXT:
        sim_say(words, "'%.*s'", told, (const char *)value->bytes.data);
        break;
    case NV_BLOB:
        sim_say(words, "a blob");
        break;
    }
    if (value->type >= NV_TEXT && value->bytes.size > BYTES_TOLD)
        sim_say(words, "… (%zu bytes)", value->bytes.size);
}

static bool read_head(struct nv_slice changeset, struct nv_arena *arena, struct nv_far_head *ret_head)
{
    struct nv_changeset_parts parts;
    struct nv_header header;
    if (nv_changeset_split(changeset, &parts, NULL) != NV_OK ||
        nv_header_decode(parts.header, arena, &header, NULL) != NV_OK)
        return false;
    *ret_head = (struct nv_far_head){
        .site = header.log.site, .epoch = header.log.epoch, .scope = header.log.scope, .seq = header.seq};
    return true;
}

void sim_say_heads_of(struct sim_words *words, const struct nv_slice *changesets, size_t count)
{
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_far_head head, last = {.seq = 0};
    size_t run = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_read = read_head(changesets[i], &arena, &head);
        bool goes_on = is_read && run > 0 && nv_far_head_order(&head, &last) == 0 && head.seq == last.seq + 1;
        if (!goes_on && run > 1)
            sim_say(words, "-%" PRIu64, last.seq);
        if (!is_read)
            sim_say(words, " (unreadable)");
        else if (!goes_on)
            sim_say_head(words, &head);
        run = goes_on ? run + 1 : is_read;
        last = head;
    }
    if (run > 1)
        sim_say(words, "-%" PRIu64, last.seq);
    nv_arena_done(&arena);
}

static void say_fields(struct sim_words *words, nv_fields fields)
{
    for (int field = 0; field < SIM_FIELDS; field++)
        if (fields >> field & 1)
            sim_say(words, " %s", sim_field_names[field]);
}

/* When it was written, where that is not just now. */
static void say_time(struct sim_words *words, struct nv_wall_ms time)
{
    int64_t now_ms = (sim_clock_us() - SIM_START_US) / 1000, at_ms = time.ms - SIM_EPOCH_MS;
    time_t seconds = (time_t)(time.ms / 1000);
    struct tm parts;
    char day[16];
    if (at_ms > now_ms - PROMPT_MS && at_ms < now_ms + PROMPT_MS)
        return;
    if (at_ms >= 0 && at_ms < now_ms)
        sim_say(words, ", captured at %" PRId64, at_ms);
    else if (gmtime_r(&seconds, &parts) != NULL && strftime(day, sizeof day, "%Y-%m-%d", &parts) > 0)
        sim_say(words, ", captured on %s", day);
}

static void say_put(struct sim_words *words, const struct nv_op *op)
{
    for (size_t field = 0, place = 0; field < SIM_FIELDS; field++) {
        if (!(op->fields >> field & 1))
            continue;
        sim_say(words, " %s=", sim_field_names[field]);
        sim_say_value(words, &op->values[place++]);
    }
}

static void say_record(struct sim_words *words, const struct nv_op *op, const char *what)
{
    struct nv_reader reader = nv_reader_of(op->key);
    struct nv_value key;
    if (nv_value_decode(&reader, &key) && key.type == NV_TEXT)
        sim_say(words, " %s %.*s", what, (int)key.bytes.size, (const char *)key.bytes.data);
    if (op->kind == NV_OP_PUT)
        say_put(words, op);
    for (size_t i = 0; i < op->except_count; i++) {
        const struct nv_far_dot *dot = &op->excepts[i].dot;
        sim_say(words, ", and does not cover %s:%" PRIu64 " in", sim_site_name(dot->site), dot->seq);
        say_fields(words, op->excepts[i].fields);
    }
    say_time(words, op->time);
}

static void say_op(struct sim_words *words, struct nv_slice bytes, struct nv_arena *arena)
{
    static struct nv_op op;
    if (nv_op_decode(bytes, arena, &op, NULL) != NV_OK) {
        sim_say(words, " (unreadable)");
        return;
    }
    switch (op.kind) {
    case NV_OP_PUT:
        say_record(words, &op, "put");
        break;
    case NV_OP_DELETE:
        say_record(words, &op, "delete");
        break;
    case NV_OP_REDACT:
        sim_say(words, " redact");
        break;
    case NV_OP_SEALED:
        sim_say(words, " a sealed op");
        break;
    case NV_OP_GRANT:
        sim_say(words, " a grant");
        break;
    case NV_OP_ASK:
        sim_say(words, " an ask");
        break;
    case NV_OP_GENESIS:
        sim_say(words, " genesis");
        break;
    case NV_OP_CERTIFICATE:
        sim_say(words, " a certificate");
        break;
    case NV_OP_SCHEMA:
        sim_say(words, " a schema");
        break;
    case NV_OP_GROUP:
        sim_say(words, " a group");
        break;
    case NV_OP_READER:
        sim_say(words, " a reader of a group");
        break;
    case NV_OP_REMOVAL:
        sim_say(words, " a removal from a group");
        break;
    case NV_OP_REVOCATION:
        sim_say(words, " a revocation");
        break;
    }
}

void sim_say_changeset(struct sim_words *words, struct nv_slice changeset)
{
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_body body;
    if (nv_changeset_split(changeset, &parts, NULL) != NV_OK ||
        nv_header_decode(parts.header, &arena, &header, NULL) != NV_OK ||
        nv_body_open(&parts, &header, &arena, &body, NULL) != NV_OK) {
        sim_say(words, " (unreadable)");
        nv_arena_done(&arena);
        return;
    }
    for (size_t i = 0; i < header.context_count; i++) {
        sim_say(words, i == 0 ? " after" : "");
        sim_say_head(words, &header.context[i]);
    }
    sim_say(words, ":");
    for (size_t i = 0; i < body.count && i < OPS_TOLD; i++) {
        sim_say(words, i == 0 ? "" : ";");
        say_op(words, body.entries[i].op, &arena);
    }
    if (body.count > OPS_TOLD)
        sim_say(words, "; and %zu ops more", body.count - OPS_TOLD);
    nv_arena_done(&arena);
}
