#include "core/vector.h"

#include <stdlib.h>

void nv_vector_done(struct nv_vector *vector)
{
    free(vector->heads);
    *vector = (struct nv_vector){0};
}

void nv_vector_clear(struct nv_vector *vector)
{
    vector->count = 0;
}

/* Where the log stands, or would be put. */
static size_t position(const struct nv_vector *vector, nv_log_number log)
{
    size_t low = 0, high = vector->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (vector->heads[middle].log < log)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum nv_status reserve(struct nv_vector *vector, size_t count)
{
    if (count <= vector->capacity)
        return NV_OK;
    size_t capacity = vector->capacity < 8 ? 8 : vector->capacity * 2;
    if (capacity < count)
        capacity = count;
    struct nv_head *heads = realloc(vector->heads, capacity * sizeof *heads);
    if (heads == NULL)
        return NV_NO_MEMORY;
    vector->heads = heads;
    vector->capacity = capacity;
    return NV_OK;
}

enum nv_status nv_vector_set(struct nv_vector *vector, struct nv_head head)
{
    size_t at = position(vector, head.log);
    if (at < vector->count && vector->heads[at].log == head.log) {
        vector->heads[at] = head;
        return NV_OK;
    }
    enum nv_status status = reserve(vector, vector->count + 1);
    if (status != NV_OK)
        return status;
    memmove(vector->heads + at + 1, vector->heads + at, (vector->count - at) * sizeof *vector->heads);
    vector->heads[at] = head;
    vector->count++;
    return NV_OK;
}

enum nv_status nv_vector_copy(struct nv_vector *vector, const struct nv_vector *other)
{
    enum nv_status status = reserve(vector, other->count);
    if (status != NV_OK)
        return status;
    if (other->count > 0)
        memcpy(vector->heads, other->heads, other->count * sizeof *other->heads);
    vector->count = other->count;
    return NV_OK;
}

const struct nv_head *nv_vector_find(const struct nv_vector *vector, nv_log_number log)
{
    size_t at = position(vector, log);
    return at < vector->count && vector->heads[at].log == log ? &vector->heads[at] : NULL;
}

uint64_t nv_vector_seq(const struct nv_vector *vector, nv_log_number log)
{
    const struct nv_head *head = nv_vector_find(vector, log);
    return head == NULL ? 0 : head->seq;
}

bool nv_vector_covers(const struct nv_vector *greater, const struct nv_vector *lesser)
{
    for (size_t i = 0; i < lesser->count; i++)
        if (nv_vector_seq(greater, lesser->heads[i].log) < lesser->heads[i].seq)
            return false;
    return true;
}

enum nv_status nv_vector_join(struct nv_vector *vector, const struct nv_vector *other)
{
    for (size_t i = 0; i < other->count; i++) {
        if (nv_vector_seq(vector, other->heads[i].log) >= other->heads[i].seq)
            continue;
        enum nv_status status = nv_vector_set(vector, other->heads[i]);
        if (status != NV_OK)
            return status;
    }
    return NV_OK;
}
