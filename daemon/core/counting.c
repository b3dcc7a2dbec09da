#include "core/counting.h"

#include <assert.h>
#include <stdlib.h>

#include "base/planted.h"

static const uint32_t NOWHERE = UINT32_MAX; /* no header */

struct taking {
    struct nv_site_id site;
    uint64_t position;
    size_t first, count; /* what it names, in `heads` */
};

struct log {
    nv_log_number number;
    struct nv_site_id site;
    struct nv_head end; /* seq 0: nothing counts for certain */
};

struct header {
    struct nv_head head;
    struct nv_pin previous;
    uint64_t authority_seq;
    size_t first, count; /* its context, in `heads` */
    uint32_t before;     /* the previous header; NOWHERE where that is none of these */
    uint32_t unnamed;    /* how many ops would cut it off and do not name it, nor a later one of its chain */
    size_t named_by;     /* the last op that was looked at and names it, counted from 1 */
    bool follows_end;    /* the previous header is the end of what counts for certain, or there is none */
    bool is_vouched;     /* a changeset of another log that counts names it, or a later one of its chain */
    bool counts;
    bool is_listed;
};

struct nv_counting {
    struct log *logs;
    struct taking *takings;
    struct header *headers; /* ascending by (log, seq, pin) once settled */
    struct nv_head *heads;  /* what takings and headers name */
    struct nv_head *named;  /* by what counts for certain */
    size_t log_count, taking_count, header_count, head_count, named_count;
    size_t log_room, taking_room, header_room, head_room, named_room;
    uint32_t *counted; /* those that count, in the order in which that was found */
    uint32_t *listed;  /* the same, each after all that it builds on */
    uint32_t *path;    /* scratch */
    size_t counted_count, listed_count;
};

/* ---- telling ---- */

struct nv_counting *nv_counting_new(void)
{
    return calloc(1, sizeof(struct nv_counting));
}

void nv_counting_free(struct nv_counting *counting)
{
    if (counting == NULL)
        return;
    free(counting->logs);
    free(counting->takings);
    free(counting->headers);
    free(counting->heads);
    free(counting->named);
    free(counting->counted);
    free(counting->listed);
    free(counting->path);
    free(counting);
}

/* Room for `more` items behind the `count` that stand in the array; NULL where memory ran out. */
static void *make_room(void *items, size_t size, size_t count, size_t more, size_t *room)
{
    if (count + more <= *room)
        return items;
    size_t wanted = count + more + *room;
    items = realloc(items, wanted * size);
    if (items != NULL)
        *room = wanted;
    return items;
}

static bool keep_heads(struct nv_counting *counting, const struct nv_head *heads, size_t count, size_t *ret_first)
{
    *ret_first = counting->head_count;
    if (count == 0)
        return true;
    struct nv_head *kept = make_room(counting->heads, sizeof *kept, counting->head_count, count, &counting->head_room);
    if (kept == NULL)
        return false;
    counting->heads = kept;
    memcpy(kept + counting->head_count, heads, count * sizeof *heads);
    counting->head_count += count;
    return true;
}

enum nv_status nv_counting_log(struct nv_counting *counting, nv_log_number log, struct nv_site_id site,
                               const struct nv_head *end)
{
    struct log *logs = make_room(counting->logs, sizeof *logs, counting->log_count, 1, &counting->log_room);
    if (logs == NULL)
        return NV_NO_MEMORY;
    counting->logs = logs;
    logs[counting->log_count] = (struct log){.number = log, .site = site};
    if (end != NULL)
        logs[counting->log_count].end = *end;
    counting->log_count++;
    return NV_OK;
}

enum nv_status nv_counting_taking(struct nv_counting *counting, struct nv_site_id site, uint64_t position,
                                  const struct nv_head *named, size_t count)
{
    size_t first;
    struct taking *takings =
        make_room(counting->takings, sizeof *takings, counting->taking_count, 1, &counting->taking_room);
    if (takings == NULL)
        return NV_NO_MEMORY;
    counting->takings = takings;
    if (!keep_heads(counting, named, count, &first))
        return NV_NO_MEMORY;
    takings[counting->taking_count++] =
        (struct taking){.site = site, .position = position, .first = first, .count = count};
    return NV_OK;
}

enum nv_status nv_counting_named(struct nv_counting *counting, const struct nv_head *head)
{
    struct nv_head *named = make_room(counting->named, sizeof *named, counting->named_count, 1, &counting->named_room);
    if (named == NULL)
        return NV_NO_MEMORY;
    counting->named = named;
    named[counting->named_count++] = *head;
    return NV_OK;
}

enum nv_status nv_counting_header(struct nv_counting *counting, const struct nv_counting_header *header)
{
    size_t first;
    struct header *headers =
        make_room(counting->headers, sizeof *headers, counting->header_count, 1, &counting->header_room);
    if (headers == NULL)
        return NV_NO_MEMORY;
    counting->headers = headers;
    if (!keep_heads(counting, header->context, header->context_count, &first))
        return NV_NO_MEMORY;
    headers[counting->header_count++] = (struct header){.head = {header->log, header->seq, header->pin},
                                                        .previous = header->previous,
                                                        .authority_seq = header->authority_seq,
                                                        .first = first,
                                                        .count = header->context_count,
                                                        .before = NOWHERE};
    return NV_OK;
}

/* ---- finding ---- */

static int order_heads(const struct nv_head *a, const struct nv_head *b)
{
    if (a->log != b->log)
        return a->log < b->log ? -1 : 1;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return memcmp(a->pin.bytes, b->pin.bytes, sizeof a->pin.bytes);
}

static int order_headers(const void *a, const void *b)
{
    return order_heads(&((const struct header *)a)->head, &((const struct header *)b)->head);
}

static int order_logs(const void *a, const void *b)
{
    nv_log_number left = ((const struct log *)a)->number, right = ((const struct log *)b)->number;
    return (left > right) - (left < right);
}

/* The first header that does not stand before the head. */
static size_t lower_bound(const struct nv_counting *counting, const struct nv_head *head)
{
    size_t low = 0, high = counting->header_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order_heads(&counting->headers[middle].head, head) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t find_header(const struct nv_counting *counting, const struct nv_head *head)
{
    size_t at = lower_bound(counting, head);
    bool is_there = at < counting->header_count && order_heads(&counting->headers[at].head, head) == 0;
    return is_there ? (uint32_t)at : NOWHERE;
}

static const struct log *find_log(const struct nv_counting *counting, nv_log_number number)
{
    const struct log wanted = {.number = number};
    return counting->log_count == 0 ? NULL
                                    : bsearch(&wanted, counting->logs, counting->log_count, sizeof wanted, order_logs);
}

/* ---- settling ---- */

static void link_header(struct nv_counting *counting, struct header *header)
{
    const struct log *log = find_log(counting, header->head.log);
    struct nv_head before = {header->head.log, header->head.seq - 1, header->previous};
    assert(log != NULL);
    header->before = find_header(counting, &before);
    header->follows_end = log->end.seq == 0 ? before.seq == 0 : order_heads(&log->end, &before) == 0;
    for (size_t i = 0; i < counting->taking_count; i++)
        header->unnamed += nv_site_id_compare(counting->takings[i].site, log->site) == 0 &&
                           counting->takings[i].position > header->authority_seq;
}

/* The named head, and all before it in its chain. */
static void name_chain(struct nv_counting *counting, size_t taking, const struct nv_head *named)
{
    uint64_t position = counting->takings[taking].position;
    for (size_t i = 0; NV_PLANTED(CUT_BY_SEQ) && i < counting->header_count; i++)
        if (counting->headers[i].head.log == named->log && counting->headers[i].head.seq <= named->seq)
            counting->headers[i].unnamed = 0;
    for (uint32_t at = find_header(counting, named); at != NOWHERE; at = counting->headers[at].before) {
        struct header *header = &counting->headers[at];
        if (header->named_by != taking + 1 && header->authority_seq < position && header->unnamed > 0)
            header->unnamed--;
        header->named_by = taking + 1;
    }
}

static void name_all(struct nv_counting *counting)
{
    for (size_t i = 0; i < counting->taking_count; i++)
        for (size_t j = 0; j < counting->takings[i].count; j++)
            name_chain(counting, i, &counting->heads[counting->takings[i].first + j]);
}

/* Counts it, if it does now. */
static void consider(struct nv_counting *counting, uint32_t at)
{
    struct header *header = &counting->headers[at];
    bool is_cut_off = header->unnamed > 0 && !header->is_vouched;
    bool stands = header->follows_end || (header->before != NOWHERE && counting->headers[header->before].counts);
    if (header->counts || is_cut_off || !stands)
        return;
    header->counts = true;
    counting->counted[counting->counted_count++] = at;
}

static void vouch_for(struct nv_counting *counting, const struct nv_head *head)
{
    uint32_t at = find_header(counting, head);
    for (uint32_t i = at; i != NOWHERE && !counting->headers[i].is_vouched; i = counting->headers[i].before) {
        counting->headers[i].is_vouched = true;
        consider(counting, i);
    }
}

/* Those that have it as their previous header. */
static void consider_next(struct nv_counting *counting, uint32_t at)
{
    const struct nv_head *head = &counting->headers[at].head;
    struct nv_head next = {.log = head->log, .seq = head->seq + 1};
    for (size_t i = lower_bound(counting, &next); i < counting->header_count; i++) {
        const struct header *header = &counting->headers[i];
        if (header->head.log != next.log || header->head.seq != next.seq)
            return;
        if (header->before == at)
            consider(counting, (uint32_t)i);
    }
}

static void vouch_for_all(struct nv_counting *counting, const struct header *header)
{
    for (size_t i = 0; i < header->count; i++)
        vouch_for(counting, &counting->heads[header->first + i]);
}

/* From what counts by itself to all that counts: each vouches for what it names, and what follows it may count now. */
static void count_all(struct nv_counting *counting)
{
    for (size_t i = 0; NV_PLANTED(VOUCH_UNCOUNTED) && i < counting->header_count; i++)
        vouch_for_all(counting, &counting->headers[i]);
    for (size_t i = 0; i < counting->named_count; i++)
        vouch_for(counting, &counting->named[i]);
    for (size_t i = 0; i < counting->header_count; i++)
        consider(counting, (uint32_t)i);
    for (size_t i = 0; i < counting->counted_count; i++) {
        vouch_for_all(counting, &counting->headers[counting->counted[i]]);
        consider_next(counting, counting->counted[i]);
    }
}

/* ---- what comes of it ---- */

/* The next thing that it builds on, counts, and is not listed yet. */
static uint32_t lacking(const struct nv_counting *counting, const struct header *header)
{
    if (header->before != NOWHERE && !counting->headers[header->before].is_listed)
        return header->before;
    for (size_t i = 0; i < header->count; i++) {
        uint32_t at = find_header(counting, &counting->heads[header->first + i]);
        if (at != NOWHERE && counting->headers[at].counts && !counting->headers[at].is_listed)
            return at;
    }
    return NOWHERE;
}

/* Lists it after what it builds on. Hashes make no circle, so the path never meets itself. */
static void list_after_causes(struct nv_counting *counting, uint32_t first)
{
    size_t depth = 0;
    counting->path[depth++] = first;
    while (depth > 0) {
        struct header *header = &counting->headers[counting->path[depth - 1]];
        uint32_t cause = header->is_listed ? NOWHERE : lacking(counting, header);
        if (cause != NOWHERE && depth < counting->header_count) {
            counting->path[depth++] = cause;
            continue;
        }
        if (!header->is_listed)
            counting->listed[counting->listed_count++] = counting->path[depth - 1];
        header->is_listed = true;
        depth--;
    }
}

enum nv_status nv_counting_settle(struct nv_counting *counting)
{
    size_t count = counting->header_count;
    counting->counted = calloc(count + 1, sizeof *counting->counted);
    counting->listed = calloc(count + 1, sizeof *counting->listed);
    counting->path = calloc(count + 1, sizeof *counting->path);
    if (counting->counted == NULL || counting->listed == NULL || counting->path == NULL)
        return NV_NO_MEMORY;
    if (count > 0)
        qsort(counting->headers, count, sizeof *counting->headers, order_headers);
    if (counting->log_count > 0)
        qsort(counting->logs, counting->log_count, sizeof *counting->logs, order_logs);
    for (size_t i = 0; i < count; i++)
        link_header(counting, &counting->headers[i]);
    name_all(counting);
    count_all(counting);
    for (size_t i = 0; i < counting->counted_count; i++)
        list_after_causes(counting, counting->counted[i]);
    return NV_OK;
}

bool nv_counting_counts(const struct nv_counting *counting, const struct nv_head *head)
{
    uint32_t at = find_header(counting, head);
    return at != NOWHERE && counting->headers[at].counts;
}

bool nv_counting_at(const struct nv_counting *counting, size_t place, struct nv_head *ret_head)
{
    if (place >= counting->listed_count)
        return false;
    *ret_head = counting->headers[counting->listed[place]].head;
    return true;
}

/* ---- vouching ---- */

bool nv_vouch_is_due(struct nv_site_id self, struct nv_site_id loser, bool reads, bool has_news)
{
    bool may_write = reads || NV_PLANTED(CARRIER_VOUCHES);
    return may_write && has_news && nv_site_id_compare(self, loser) != 0;
}
