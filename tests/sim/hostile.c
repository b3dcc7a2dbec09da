#include "hostile.h"

#include <string.h>

#include "wire/changeset.h"
#include "wire/message.h"

void sim_hostile_done(struct sim_hostile *hostile)
{
    for (size_t i = 0; i < SIM_KEPT; i++)
        nv_buffer_done(&hostile->kept[i]);
}

void sim_hostile_keep(struct sim_hostile *hostile, struct nv_slice frame)
{
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_message message;
    if (nv_message_decode(frame, &arena, &message, NULL) == NV_OK && message.kind == NV_MESSAGE_BATCH)
        for (size_t i = 0; i < message.batch.changeset_count; i++) {
            struct nv_buffer *kept = &hostile->kept[hostile->next++ % SIM_KEPT];
            nv_buffer_clear(kept);
            nv_buffer_append(kept, message.batch.changesets[i].data, message.batch.changesets[i].size);
        }
    nv_arena_done(&arena);
}

/* The body of one under the header and the signature of the other one. */
static bool transplant(struct nv_slice header_of, struct nv_slice body_of, struct nv_buffer *ret_changeset)
{
    struct nv_changeset_parts parts, other;
    if (nv_changeset_split(header_of, &parts, NULL) != NV_OK || nv_changeset_split(body_of, &other, NULL) != NV_OK)
        return false;
    parts.body = other.body;
    parts.compressed = other.compressed;
    nv_changeset_join(&parts, ret_changeset);
    return true;
}

bool sim_hostile_bring(const struct sim_hostile *hostile, struct nv_dice *dice, struct nv_slice frame,
                       struct nv_buffer *ret_frame)
{
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_message message;
    struct nv_buffer made = {0};
    const struct nv_slice kept = nv_buffer_slice(&hostile->kept[nv_dice_below(dice, SIM_KEPT)]);
    bool can = kept.size > 0 && nv_message_decode(frame, &arena, &message, NULL) == NV_OK &&
               message.kind == NV_MESSAGE_BATCH && message.batch.changeset_count > 0;
    if (can) {
        struct nv_slice *place = &message.batch.changesets[nv_dice_below(dice, message.batch.changeset_count)];
        *place = nv_dice_percent(dice, 50) && transplant(*place, kept, &made) ? nv_buffer_slice(&made) : kept;
        nv_message_encode(&message, ret_frame);
    }
    nv_buffer_done(&made);
    nv_arena_done(&arena);
    return can;
}
