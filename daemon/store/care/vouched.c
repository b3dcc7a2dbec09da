/* What counts beyond what the ops name that took a right away, and by whose word: store/care.h. */
#include <stdlib.h>

#include "store/care.h"
#include "store/log/beyond.h"
#include "store/trust/rights.h"

/* The first changeset of a log whose authority position is not below that one; one after the last where there is none.
 */
static enum nv_status first_from(struct nv_store *store, const struct nv_log *log, uint64_t position, uint64_t *ret_seq,
                                 struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_BEYOND_ARENA};
    uint64_t low = 1, high = log->has_seq + 1;
    enum nv_status status = NV_OK;
    while (status == NV_OK && low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct nv_header header;
        struct nv_hash hash;
        nv_arena_reset(&arena);
        status = nv_header_at(store, log->number, middle, &arena, &header, &hash, error);
        if (status == NV_OK && header.authority_seq < position)
            low = middle + 1;
        else
            high = middle;
    }
    nv_arena_done(&arena);
    *ret_seq = low;
    return status;
}

/* Up to where an op names the log. */
static enum nv_status named_up_to(struct nv_store *store, const struct nv_taking *taking, const struct nv_log *log,
                                  uint64_t *ret_seq, struct nv_error *error)
{
    const struct nv_far_head *head = nv_taking_head(taking, &log->id);
    bool is_here = false;
    enum nv_status status = NV_OK;
    if (head != NULL && head->seq <= log->has_seq)
        status = nv_changeset_is(store, log, head->seq, &head->pin, &is_here, error);
    *ret_seq = is_here ? head->seq : 0;
    return status;
}

static void add_voucher(struct nv_vouched *vouched, struct nv_site_id site)
{
    for (size_t i = 0; i < vouched->by_count; i++)
        if (nv_site_id_compare(vouched->by[i], site) == 0)
            return;
    if (vouched->by_count < NV_VOUCHERS_SHOWN)
        vouched->by[vouched->by_count++] = site;
}

/* Those whose contexts name the log beyond a seq. */
static void list_vouchers(const struct nv_store *store, const struct nv_log *log, uint64_t seq,
                          struct nv_vouched *vouched)
{
    for (size_t i = 1; i <= nv_log_count(store); i++) {
        const struct nv_log *by = nv_log_by_number(store, (nv_log_number)i);
        if (nv_vector_seq(&by->context, log->number) > seq)
            add_voucher(vouched, by->id.site);
    }
}

static enum nv_status look_at_log(struct nv_store *store, const struct nv_log *log, struct nv_vouched *vouched,
                                  struct nv_error *error)
{
    const struct nv_taking *taking = NULL;
    uint64_t least = UINT64_MAX, last = 0;
    enum nv_status status = NV_OK;
    while (status == NV_OK && (taking = nv_taking_next(store, log->id.site, log->id.scope, taking)) != NULL) {
        uint64_t named, first;
        status = named_up_to(store, taking, log, &named, error);
        if (status == NV_OK)
            status = first_from(store, log, taking->position, &first, error);
        if (status != NV_OK || named + 1 >= first)
            continue;
        least = named < least ? named : least;
        last = first - 1 > last ? first - 1 : last;
    }
    vouched->held += log->beyond.count;
    if (status != NV_OK || least == UINT64_MAX)
        return status;
    vouched->changesets += last - least;
    list_vouchers(store, log, least, vouched);
    return NV_OK;
}

/* The entry of a site and scope, new where there was none. */
static struct nv_vouched *entry_of(struct nv_vouched *list, size_t *count, const struct nv_log_id *id)
{
    for (size_t i = 0; i < *count; i++)
        if (nv_site_id_compare(list[i].site, id->site) == 0 && nv_scope_id_equal(list[i].scope, id->scope))
            return &list[i];
    list[*count] = (struct nv_vouched){.site = id->site, .scope = id->scope};
    return &list[(*count)++];
}

enum nv_status nv_store_vouched(struct nv_store *store, struct nv_vouched **ret_list, size_t *ret_count,
                                struct nv_error *error)
{
    struct nv_vouched *list = NULL;
    size_t count = 0, kept = 0;
    enum nv_status status = nv_begin_reading(store, error);
    if (status != NV_OK)
        return status;
    list = calloc(nv_log_count(store) + 1, sizeof *list);
    if (list == NULL)
        status = nv_no_memory(error);
    for (size_t i = 1; status == NV_OK && i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        if (log->beyond.count > 0 || nv_taking_next(store, log->id.site, log->id.scope, NULL) != NULL)
            status = look_at_log(store, log, entry_of(list, &count, &log->id), error);
    }
    nv_end_reading(store);
    if (status != NV_OK) {
        free(list);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        if (list[i].changesets + list[i].held > 0)
            list[kept++] = list[i];
    *ret_list = list;
    *ret_count = kept;
    return NV_OK;
}
