#include "core/heads.h"

#include <stdlib.h>

void nv_heads_done(struct nv_heads *vector)
{
    free(vector->heads);
    *vector = (struct nv_heads){0};
}

void nv_heads_clear(struct nv_heads *vector)
{
    vector->count = 0;
}

int nv_far_head_order(const struct nv_far_head *a, const struct nv_far_head *b)
{
    int order = memcmp(a->scope.bytes, b->scope.bytes, sizeof a->scope.bytes);
    if (order == 0)
        order = nv_site_id_compare(a->site, b->site);
    if (order == 0)
        order = (a->epoch > b->epoch) - (a->epoch < b->epoch);
    return order;
}

bool nv_heads_ascend(const struct nv_far_head *heads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (heads[i].seq == 0)
            return false;
        if (i > 0 && nv_far_head_order(&heads[i - 1], &heads[i]) >= 0)
            return false;
    }
    return true;
}

/* The place of the first head that does not stand before `log`. */
static size_t lower_bound(const struct nv_heads *vector, const struct nv_far_head *log)
{
    size_t low = 0, high = vector->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (nv_far_head_order(&vector->heads[middle], log) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct nv_far_head *nv_heads_find(const struct nv_heads *vector, const struct nv_far_head *log)
{
    size_t place = lower_bound(vector, log);
    if (place == vector->count || nv_far_head_order(&vector->heads[place], log) != 0)
        return NULL;
    return &vector->heads[place];
}

uint64_t nv_heads_seq(const struct nv_heads *vector, const struct nv_far_head *log)
{
    const struct nv_far_head *head = nv_heads_find(vector, log);
    return head == NULL ? 0 : head->seq;
}

static enum nv_status reserve(struct nv_heads *vector, size_t count)
{
    if (count <= vector->capacity)
        return NV_OK;
    size_t capacity = count + count / 2 + 8;
    struct nv_far_head *heads = realloc(vector->heads, capacity * sizeof *heads);
    if (heads == NULL)
        return NV_NO_MEMORY;
    vector->heads = heads;
    vector->capacity = capacity;
    return NV_OK;
}

enum nv_status nv_heads_assign(struct nv_heads *vector, const struct nv_far_head *heads, size_t count)
{
    if (reserve(vector, count) != NV_OK)
        return NV_NO_MEMORY;
    if (count > 0)
        memmove(vector->heads, heads, count * sizeof *heads);
    vector->count = count;
    return NV_OK;
}

enum nv_status nv_heads_raise(struct nv_heads *vector, const struct nv_far_head *head)
{
    size_t place = lower_bound(vector, head);
    if (place < vector->count && nv_far_head_order(&vector->heads[place], head) == 0) {
        if (vector->heads[place].seq < head->seq)
            vector->heads[place] = *head;
        return NV_OK;
    }
    if (reserve(vector, vector->count + 1) != NV_OK)
        return NV_NO_MEMORY;
    memmove(&vector->heads[place + 1], &vector->heads[place], (vector->count - place) * sizeof *vector->heads);
    vector->heads[place] = *head;
    vector->count++;
    return NV_OK;
}

enum nv_status nv_heads_join(struct nv_heads *vector, const struct nv_far_head *heads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (nv_heads_raise(vector, &heads[i]) != NV_OK)
            return NV_NO_MEMORY;
    return NV_OK;
}

bool nv_heads_cover(const struct nv_heads *vector, const struct nv_far_head *heads, size_t count)
{
    size_t place = 0;
    for (size_t i = 0; i < count; i++) {
        while (place < vector->count && nv_far_head_order(&vector->heads[place], &heads[i]) < 0)
            place++;
        if (place == vector->count || nv_far_head_order(&vector->heads[place], &heads[i]) != 0)
            return false;
        if (vector->heads[place].seq < heads[i].seq)
            return false;
    }
    return true;
}

uint64_t nv_heads_lacking(const struct nv_heads *lesser, const struct nv_heads *greater)
{
    uint64_t lacking = 0;
    size_t place = 0;
    for (size_t i = 0; i < greater->count; i++) {
        const struct nv_far_head *head = &greater->heads[i];
        while (place < lesser->count && nv_far_head_order(&lesser->heads[place], head) < 0)
            place++;
        bool same = place < lesser->count && nv_far_head_order(&lesser->heads[place], head) == 0;
        uint64_t seq = same ? lesser->heads[place].seq : 0;
        uint64_t more = head->seq > seq ? head->seq - seq : 0;
        lacking = more < UINT64_MAX - lacking ? lacking + more : UINT64_MAX;
    }
    return lacking;
}
