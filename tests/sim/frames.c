#include "frames.h"

#include <string.h>

#include "wire/message.h"
#include "words.h"

/* ---- as text ---- */

static void say_heads(struct sim_words *words, const struct nv_far_head *heads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sim_say_head(words, &heads[i]);
}

void sim_frame_text(struct nv_slice frame, char *ret_text, size_t capacity)
{
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct sim_words words = {ret_text, capacity};
    struct nv_message message;
    ret_text[0] = '\0';
    if (nv_message_decode(frame, &arena, &message, NULL) != NV_OK) {
        sim_say(&words, "(no message)");
        nv_arena_done(&arena);
        return;
    }
    switch (message.kind) {
    case NV_MESSAGE_HELLO:
        sim_say(&words, "Hello");
        break;
    case NV_MESSAGE_HAS:
        sim_say(&words, "Has%s%s%s", message.has.whole ? ", whole" : "", message.has.please ? ", please yours" : "",
                message.has.head_count == 0 ? ", a digest" : ":");
        say_heads(&words, message.has.heads, message.has.head_count);
        break;
    case NV_MESSAGE_PULL:
        sim_say(&words, "Pull, has:");
        say_heads(&words, message.pull.has, message.pull.has_count);
        break;
    case NV_MESSAGE_BATCH:
        sim_say(&words, "%s%s:", message.batch.pull == 0 ? "Push" : "Batch", message.batch.last ? ", the last" : "");
        sim_say_heads_of(&words, message.batch.changesets, message.batch.changeset_count);
        break;
    case NV_MESSAGE_CREDIT:
        sim_say(&words, "Credit");
        break;
    case NV_MESSAGE_PING:
        sim_say(&words, message.ping.reply ? "Ping, a reply" : "Ping");
        break;
    case NV_MESSAGE_REFUSAL:
        sim_say(&words, "Refusal: %.200s", message.refusal.text);
        break;
    }
    nv_arena_done(&arena);
}

/* ---- with harm in mind ---- */

static void end_frame(struct nv_buffer *frames, size_t ends[4], size_t *count)
{
    ends[(*count)++] = frames->size;
}

static void flip(struct nv_dice *dice, struct nv_slice bytes, uint8_t *ret_copy)
{
    memcpy(ret_copy, bytes.data, bytes.size);
    for (size_t flips = 1 + nv_dice_below(dice, 3); flips > 0 && bytes.size > 0; flips--)
        ret_copy[nv_dice_below(dice, bytes.size)] ^= (uint8_t)(1u << nv_dice_below(dice, 8));
}

static void alter_batch(struct nv_dice *dice, struct nv_message *message, struct nv_arena *arena)
{
    struct nv_slice *changesets = message->batch.changesets;
    size_t count = message->batch.changeset_count, place = count == 0 ? 0 : nv_dice_below(dice, count);
    if (count == 0)
        return;
    switch (nv_dice_below(dice, 5)) {
    case 0: { /* other bytes */
        uint8_t *copy = nv_arena_alloc(arena, changesets[place].size + 1);
        flip(dice, changesets[place], copy);
        changesets[place].data = copy;
        break;
    }
    case 1: /* one is withheld */
        memmove(&changesets[place], &changesets[place + 1], (count - place - 1) * sizeof *changesets);
        message->batch.changeset_count--;
        break;
    case 2: { /* in another order */
        struct nv_slice kept = changesets[place];
        changesets[place] = changesets[0];
        changesets[0] = kept;
        break;
    }
    case 3: /* only the last of them */
        changesets[0] = changesets[count - 1];
        message->batch.changeset_count = 1;
        break;
    default: { /* cut short */
        changesets[place].size = nv_dice_below(dice, changesets[place].size + 1);
        break;
    }
    }
}

static bool alter_message(struct nv_dice *dice, struct nv_message *message, struct nv_arena *arena)
{
    if (message->kind == NV_MESSAGE_BATCH) {
        alter_batch(dice, message, arena);
        return true;
    }
    if (message->kind == NV_MESSAGE_HAS && message->has.head_count > 0) {
        message->has.heads[nv_dice_below(dice, message->has.head_count)].seq += 1 + nv_dice_below(dice, 5);
        return true;
    }
    return false;
}

bool sim_frame_alter(struct nv_dice *dice, struct nv_slice frame, struct nv_buffer *ret_frames, size_t ret_ends[4],
                     size_t *ret_count)
{
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_message message;
    size_t choice = nv_dice_below(dice, 100);
    bool is_altered = true;
    *ret_count = 0;
    if (choice < 40 && nv_message_decode(frame, &arena, &message, NULL) == NV_OK &&
        alter_message(dice, &message, &arena)) {
        nv_message_encode(&message, ret_frames);
        end_frame(ret_frames, ret_ends, ret_count);
    } else if (choice < 45) {
        ; /* nothing at all */
    } else if (choice < 50) {
        nv_buffer_append(ret_frames, frame.data, frame.size);
        end_frame(ret_frames, ret_ends, ret_count);
        nv_buffer_append(ret_frames, frame.data, frame.size);
        end_frame(ret_frames, ret_ends, ret_count);
    } else if (choice < 52) {
        flip(dice, frame, nv_buffer_extend(ret_frames, frame.size));
        end_frame(ret_frames, ret_ends, ret_count);
    } else {
        is_altered = false;
    }
    nv_arena_done(&arena);
    return is_altered;
}
