#include "wire_opinion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- what an op says, by protobuf-c ---- */

static bool same_bytes(ProtobufCBinaryData a, const void *b, size_t size)
{
    return a.len == size && (size == 0 || memcmp(a.data, b, size) == 0);
}

static bool same_dot(const Navette__Dot *a, const struct nv_far_dot *b)
{
    return same_bytes(a->site, b->site.bytes, 16) && a->epoch == b->epoch && a->seq == b->seq && a->index == b->index;
}

static bool same_values(const Navette__Op *a, const struct nv_op *b)
{
    struct nv_buffer values = {0};
    for (size_t i = 0; i < b->value_count; i++)
        nv_value_encode(&values, &b->values[i]);
    bool is_same = same_bytes(a->values, values.data, values.size);
    nv_buffer_done(&values);
    for (size_t i = 0; i < b->value_count; i++)
        is_same = is_same && b->ages[i] == (a->n_ages_ms == 0 ? 0 : a->ages_ms[i]);
    return is_same && (a->n_ages_ms == 0 || a->n_ages_ms == b->value_count);
}

bool opinion_same_op(const Navette__Op *a, const struct nv_op *b)
{
    bool is_same = a->kind == (uint32_t)b->kind && a->table == b->table && a->time_ms == b->time.ms &&
                   same_bytes(a->key, b->key.data, b->key.size) && a->fields == b->fields &&
                   same_bytes(a->home, b->home.bytes, b->has_home ? 16 : 0) && a->n_excepts == b->except_count &&
                   a->n_names == b->name_count && a->key_number == b->key_number &&
                   same_bytes(a->box, b->box.data, b->box.size) && same_values(a, b);
    for (size_t i = 0; is_same && i < b->except_count; i++)
        is_same = same_dot(a->excepts[i]->dot, &b->excepts[i].dot) && a->excepts[i]->fields == b->excepts[i].fields;
    for (size_t i = 0; is_same && i < b->name_count; i++)
        is_same = same_dot(a->names[i], &b->names[i]);
    return is_same;
}

/* ---- a second opinion on what is good: protobuf-c and the rules of PROTOCOL.md, "Ops" ---- */

static size_t values_in(ProtobufCBinaryData bytes, bool may_be_null)
{
    struct nv_reader reader = nv_reader_of((struct nv_slice){bytes.data, bytes.len});
    size_t count = 0;
    while (nv_reader_left(&reader) > 0) {
        struct nv_value value;
        if (!nv_value_decode(&reader, &value) || (value.type == NV_NULL && !may_be_null))
            return SIZE_MAX;
        count++;
    }
    return count;
}

static bool good_dot(const Navette__Dot *dot)
{
    return dot != NULL && dot->site.len == 16 && dot->seq > 0 && dot->index < NV_LIMIT_CHANGESET_OPS;
}

static bool good_put(const Navette__Op *op)
{
    size_t count = (size_t)__builtin_popcountll(op->fields);
    if (values_in(op->values, true) != count || (op->n_ages_ms != 0 && op->n_ages_ms != count))
        return false;
    for (size_t i = 0; i < op->n_ages_ms; i++)
        if (op->ages_ms[i] > (uint64_t)(op->time_ms + NV_LIMIT_TIME_MS))
            return false;
    return op->home.len == 0 || op->home.len == 16;
}

/* The sizes that PROTOCOL.md lists, one after the other. */
static bool good_box(size_t size)
{
    for (size_t from = 64; from < 16u << 20; from *= 2)
        for (size_t quarter = 0; quarter < 4; quarter++)
            if (size == from + quarter * from / 4 + 16)
                return size <= (14u << 20) + 16;
    return false;
}

static bool good_grant(const Navette__Grant *grant)
{
    if (grant == NULL || grant->key_id.len != 32 || grant->n_boxes == 0 || grant->n_boxes > NV_LIMIT_BOXES)
        return false;
    bool has_log = grant->site.len == 16;
    if (has_log ? grant->number == 0 : grant->site.len > 0 || grant->epoch != 0)
        return false;
    for (size_t i = 0; i < grant->n_boxes; i++) {
        const Navette__Box *box = grant->boxes[i], *before = i == 0 ? NULL : grant->boxes[i - 1];
        if (box->site.len != 16 || box->sealed.len != 80)
            return false;
        int order = before == NULL ? -1 : memcmp(before->site.data, box->site.data, 16);
        if (order > 0 || (order == 0 && (before->recovery || !box->recovery)))
            return false;
    }
    return true;
}

static bool good_ask(const Navette__Ask *ask)
{
    if (ask == NULL || ask->of.len != 16 || ask->n_keys == 0 || ask->n_keys > NV_LIMIT_ASKED_KEYS)
        return false;
    for (size_t i = 0; i < ask->n_keys; i++) {
        const Navette__KeyName *key = ask->keys[i], *before = i == 0 ? NULL : ask->keys[i - 1];
        if (key->site.len != 16 || key->number == 0)
            return false;
        int order = before == NULL ? -1 : memcmp(before->site.data, key->site.data, 16);
        if (order > 0 || (order == 0 && (before->epoch > key->epoch ||
                                         (before->epoch == key->epoch && before->number >= key->number))))
            return false;
    }
    return true;
}

/* Those that have nothing of a record. */
static bool good_key_op(const Navette__Op *op)
{
    bool has_box = op->key_number != 0 || op->box.len > 0;
    if (op->time_ms != 0 || op->n_names > 0)
        return false;
    if (op->kind == NV_OP_SEALED)
        return good_box(op->box.len) && op->grant == NULL && op->ask == NULL;
    return !has_box && (op->kind == NV_OP_GRANT ? good_grant(op->grant) && op->ask == NULL
                                                : good_ask(op->ask) && op->grant == NULL);
}

static bool good_op(const Navette__Op *op)
{
    bool has_record = op->table != 0 || op->key.len > 0 || op->n_excepts > 0;
    bool has_values = op->fields != 0 || op->values.len > 0 || op->n_ages_ms > 0 || op->home.len > 0;
    if (op->genesis != NULL || op->certificate != NULL || op->schema != NULL || op->group != NULL ||
        op->reader != NULL || op->removal != NULL || op->revocation != NULL)
        return false;
    for (size_t i = 0; i < op->n_excepts; i++)
        if (!good_dot(op->excepts[i]->dot) || op->excepts[i]->fields == 0)
            return false;
    for (size_t i = 0; i < op->n_names; i++)
        if (!good_dot(op->names[i]))
            return false;
    if (op->time_ms > NV_LIMIT_TIME_MS || op->time_ms < -NV_LIMIT_TIME_MS)
        return false;
    if (op->kind >= NV_OP_SEALED && op->kind <= NV_OP_ASK)
        return !has_record && !has_values && good_key_op(op);
    if (op->key_number != 0 || op->box.len > 0 || op->grant != NULL || op->ask != NULL)
        return false;
    if (op->kind == NV_OP_REDACT)
        return !has_record && !has_values && op->n_names > 0;
    size_t columns = values_in(op->key, false);
    if (op->table == 0 || op->table > NV_LIMIT_TABLES || op->n_names > 0 || columns == 0 ||
        columns > NV_LIMIT_KEY_COLUMNS || op->key.len > NV_LIMIT_KEY_BYTES)
        return false;
    return op->kind == NV_OP_PUT ? good_put(op) : op->kind == NV_OP_DELETE && !has_values;
}

static bool has_unknown(const Navette__Op *op)
{
    bool any = op->base.n_unknown_fields > 0;
    for (size_t i = 0; i < op->n_excepts; i++)
        any = any || op->excepts[i]->base.n_unknown_fields > 0 ||
              (op->excepts[i]->dot != NULL && op->excepts[i]->dot->base.n_unknown_fields > 0);
    for (size_t i = 0; i < op->n_names; i++)
        any = any || op->names[i]->base.n_unknown_fields > 0;
    any = any || (op->grant != NULL && op->grant->base.n_unknown_fields > 0);
    for (size_t i = 0; op->grant != NULL && i < op->grant->n_boxes; i++)
        any = any || op->grant->boxes[i]->base.n_unknown_fields > 0;
    any = any || (op->ask != NULL && op->ask->base.n_unknown_fields > 0);
    for (size_t i = 0; op->ask != NULL && i < op->ask->n_keys; i++)
        any = any || op->ask->keys[i]->base.n_unknown_fields > 0;
    return any;
}

static bool is_canonical(const Navette__Op *op, struct nv_slice bytes)
{
    if (navette__op__get_packed_size(op) != bytes.size)
        return false;
    uint8_t *again = malloc(bytes.size + 1);
    navette__op__pack(op, again);
    bool is_same = memcmp(again, bytes.data, bytes.size) == 0;
    free(again);
    return is_same;
}

static bool is_known(uint32_t kind)
{
    return (kind >= NV_OP_PUT && kind <= NV_OP_ASK) || (kind >= NV_OP_GENESIS && kind <= NV_OP_REVOCATION);
}

enum nv_status opinion_judge(struct nv_slice bytes, struct nv_arena *arena, struct nv_op *op)
{
    nv_arena_reset(arena);
    enum nv_status ours = nv_op_decode(bytes, arena, op, NULL);
    Navette__Op *theirs = navette__op__unpack(NULL, bytes.size, bytes.data);
    bool is_newer = theirs != NULL && (has_unknown(theirs) || (theirs->kind != 0 && !is_known(theirs->kind)));
    bool is_good = theirs != NULL && !is_newer && is_canonical(theirs, bytes) && good_op(theirs);
    assert_int_equal(ours == NV_OK, is_good);
    /* Ours stops at the first part that is not known here; protobuf-c also reads what stands in the others. */
    assert_true(ours != NV_NOT_YET || is_newer || theirs == NULL);
    assert_true(ours != NV_OK || opinion_same_op(theirs, op));
    if (theirs != NULL)
        navette__op__free_unpacked(theirs, NULL);
    return ours;
}
