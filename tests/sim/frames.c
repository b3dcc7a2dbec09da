#include "frames.h"

#include <string.h>

#include "wire/body.h"
#include "wire/changeset.h"
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

/* A changeset taken to pieces; false where it is altered already. */
struct pieces {
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_body body;
};

static bool take_to_pieces(struct nv_slice changeset, struct nv_arena *arena, struct pieces *pieces)
{
    return nv_changeset_split(changeset, &pieces->parts, NULL) == NV_OK &&
           nv_header_decode(pieces->parts.header, arena, &pieces->header, NULL) == NV_OK &&
           nv_body_open(&pieces->parts, &pieces->header, arena, &pieces->body, NULL) == NV_OK;
}

static struct nv_slice join(const struct pieces *pieces, struct nv_arena *arena)
{
    struct nv_buffer bytes = {0};
    nv_changeset_join(&pieces->parts, &bytes);
    uint8_t *copy = nv_arena_alloc(arena, bytes.size + 1);
    memcpy(copy, bytes.data, bytes.size);
    struct nv_slice joined = {copy, bytes.size};
    nv_buffer_done(&bytes);
    return joined;
}

/* Another signature over the same header. */
static void forge(struct nv_dice *dice, struct nv_slice *changeset, struct nv_arena *arena)
{
    struct pieces pieces;
    if (!take_to_pieces(*changeset, arena, &pieces))
        return;
    uint8_t *signature = nv_arena_alloc(arena, pieces.parts.signature.size);
    flip(dice, pieces.parts.signature, signature);
    pieces.parts.signature.data = signature;
    *changeset = join(&pieces, arena);
}

/* One op gives way to its digest: the signature holds. */
static void strip(struct nv_dice *dice, struct nv_slice *changeset, struct nv_arena *arena)
{
    struct pieces pieces;
    struct nv_buffer body = {0};
    if (!take_to_pieces(*changeset, arena, &pieces) || pieces.body.count == 0 ||
        nv_scope_id_equal(pieces.header.log.scope, NV_SCOPE_AUTHORITY))
        return;
    bool *stripped = nv_arena_alloc(arena, pieces.body.count);
    memset(stripped, 0, pieces.body.count);
    stripped[nv_dice_below(dice, pieces.body.count)] = true;
    if (nv_body_redact(&pieces.parts, &pieces.header, stripped, arena, &body, &pieces.parts.compressed, NULL) ==
        NV_OK) {
        pieces.parts.body = nv_buffer_slice(&body);
        *changeset = join(&pieces, arena);
    }
    nv_buffer_done(&body);
}

/* The op says something else than was signed. */
static void falsify(struct nv_slice *bytes, struct nv_arena *arena)
{
    struct nv_op *op = nv_arena_alloc(arena, sizeof *op);
    struct nv_buffer buffer = {0};
    if (bytes->size == 0 || nv_op_decode(*bytes, arena, op, NULL) != NV_OK || op->kind > NV_OP_SEALED)
        return;
    op->time.ms ^= 1;
    if (op->kind == NV_OP_PUT && op->values[0].type == NV_INTEGER)
        op->values[0].integer ^= 1;
    nv_op_encode(op, &buffer);
    uint8_t *copy = nv_arena_alloc(arena, buffer.size);
    memcpy(copy, buffer.data, buffer.size);
    if (op->kind == NV_OP_SEALED)
        copy[buffer.size - 1] ^= 1;
    *bytes = (struct nv_slice){copy, buffer.size};
    nv_buffer_done(&buffer);
}

/* Another body under the same header and signature. */
static void replace_body(struct nv_slice *changeset, struct nv_arena *arena)
{
    static const uint8_t seed[NV_SEED_BYTES] = {7};
    struct pieces pieces;
    struct nv_buffer body = {0};
    if (!take_to_pieces(*changeset, arena, &pieces) || nv_scope_id_equal(pieces.header.log.scope, NV_SCOPE_AUTHORITY))
        return;
    struct nv_slice *ops = nv_arena_alloc(arena, (pieces.body.count + 1) * sizeof *ops);
    for (size_t i = 0; i < pieces.body.count; i++) {
        ops[i] = pieces.body.entries[i].op;
        if (ops[i].size == 0)
            return; /* a body that lacks ops has no seed */
        falsify(&ops[i], arena);
    }
    nv_body_encode(seed, ops, pieces.body.count, &body);
    pieces.parts.body = nv_buffer_slice(&body);
    pieces.parts.compressed = false;
    *changeset = join(&pieces, arena);
    nv_buffer_done(&body);
}

static void alter_batch(struct nv_dice *dice, struct nv_message *message, struct nv_arena *arena)
{
    struct nv_slice *changesets = message->batch.changesets;
    size_t count = message->batch.changeset_count, place = count == 0 ? 0 : nv_dice_below(dice, count);
    if (count == 0)
        return;
    switch (nv_dice_below(dice, 8)) {
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
    case 4: /* cut short */
        changesets[place].size = nv_dice_below(dice, changesets[place].size + 1);
        break;
    case 5:
        forge(dice, &changesets[place], arena);
        break;
    case 6:
        replace_body(&changesets[place], arena);
        break;
    default:
        strip(dice, &changesets[place], arena);
        break;
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
