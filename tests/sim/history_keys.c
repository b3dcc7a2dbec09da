/* Content keys, from whatever grants there are, and what is sealed with them. */
#include <assert.h>
#include <string.h>

#include "boxes.h"
#include "history_internal.h"
#include "report.h"
#include "wire/grant.h"

void sim_history_add_opener(struct sim_history *history, const struct nv_curve_key *key)
{
    struct nv_curve_key *added = sim_history_grow((void **)&history->openers, &history->opener_count, sizeof *added);
    *added = *key;
}

static size_t key_of(const struct sim_history *history, size_t log, uint64_t number)
{
    for (size_t key = 0; key < history->key_count; key++)
        if (history->keys[key].log == log && history->keys[key].number == number)
            return key;
    return SIZE_MAX;
}

/* Takes the key from the first box that anybody's key opens. */
static bool open_grant(const struct sim_history *history, const struct nv_grant *grant, struct nv_content_key *ret_key)
{
    for (size_t box = 0; box < grant->box_count; box++)
        for (size_t opener = 0; opener < history->opener_count; opener++)
            if (nv_content_key_open(grant->boxes[box].sealed, &history->openers[opener], ret_key))
                return true;
    return false;
}

static void take_grant(struct sim_history *history, size_t log, const struct nv_header *header, struct nv_slice control)
{
    struct nv_grant grant;
    struct nv_error error;
    if (nv_grant_decode(control, &history->reading, &grant, &error) != NV_OK)
        sim_fail("history", "a grant that does not decode: %s", error.text);
    size_t of =
        grant.is_elsewhere ? sim_history_log(history, grant.key.site, grant.key.epoch, history->logs[log].scope) : log;
    uint64_t number = grant.key.number == 0 ? header->seq : grant.key.number;
    size_t key = of == SIZE_MAX ? SIZE_MAX : key_of(history, of, number);
    if (key == SIZE_MAX) {
        struct sim_content_key made = {.log = of, .number = number};
        if (grant.key.number != 0)
            sim_fail("sealed", "a grant gives a key that nobody introduced");
        if (!open_grant(history, &grant, &made.key))
            sim_fail("sealed", "a grant gives a key that nobody can open");
        *(struct sim_content_key *)sim_history_grow((void **)&history->keys, &history->key_count, sizeof made) = made;
        key = history->key_count - 1;
    }
    for (size_t box = 0; box < grant.box_count; box++) {
        struct sim_grant *added = sim_history_grow((void **)&history->grants, &history->grant_count, sizeof *added);
        *added = (struct sim_grant){
            .key = key, .to = grant.boxes[box].site, .by_log = log, .position = header->authority_seq};
    }
}

void sim_history_take_grants(struct sim_history *history, size_t log, const struct nv_header *header,
                             const struct nv_body *body)
{
    for (size_t i = 0; i < body->count; i++) {
        struct nv_op *op = nv_arena_alloc(&history->reading, sizeof *op);
        assert(op != NULL);
        if (nv_op_kind_of(body->entries[i].op) == NV_OP_GRANT &&
            nv_op_decode(body->entries[i].op, &history->reading, op, NULL) == NV_OK)
            take_grant(history, log, header, op->control);
    }
}

size_t sim_history_open_box(struct sim_history *history, size_t log, const struct nv_header *header, uint32_t index,
                            const struct nv_salt *salt, struct nv_op *op)
{
    size_t key = key_of(history, log, op->key_number == 0 ? header->seq : op->key_number);
    if (key == SIZE_MAX)
        sim_fail("sealed", "an op is sealed with a key that nobody introduced");
    struct sim_content_key *content = &history->keys[key];
    const struct nv_log_id id = {history->logs[log].site, history->logs[log].epoch, history->logs[log].scope};
    uint8_t *room = nv_arena_alloc(&history->reading, op->box.size);
    struct nv_slice opened;
    struct nv_error error;
    if (!sim_box_open(&content->key, &id, header->seq, index, salt, op->box, room, &opened))
        sim_fail("sealed", "an op does not open with the key that it names");
    if (nv_op_decode(opened, &history->reading, op, &error) != NV_OK)
        sim_fail("sealed", "a sealed op that does not decode: %s", error.text);
    if (header->authority_seq > content->last_use)
        content->last_use = header->authority_seq;
    return key;
}
