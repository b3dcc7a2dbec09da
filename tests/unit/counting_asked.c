#include "counting_asked.h"

#include <assert.h>
#include <string.h>

#include "core/counting.h"

/* One question to core. */
struct asking {
    const struct nv_counting_model *model;
    const struct nv_model_set *held;
    unsigned known;
    struct nv_dice *dice;
    struct nv_counting *counting;
    int ends[NV_COUNTING_HEADERS]; /* of each log: the header by which it is told, or NV_COUNTING_NONE */
    struct nv_model_set before;    /* what stands up to the ends */
};

static void must(enum nv_status status)
{
    assert(status == NV_OK);
}

static struct nv_site_id id_of(unsigned site)
{
    return (struct nv_site_id){{(uint8_t)(1 + site)}};
}

static struct nv_pin pin_of(int header)
{
    struct nv_pin pin = {{0}};
    memcpy(pin.bytes, &header, sizeof header);
    return pin;
}

static struct nv_head head_of(const struct asking *asking, size_t header)
{
    const struct nv_counting_model_header *told = &asking->model->headers[header];
    return (struct nv_head){told->log + 1, told->seq, pin_of((int)header)};
}

/* The heads of a set, but for those of another one. */
static size_t list_heads(const struct asking *asking, const struct nv_model_set *set, const struct nv_model_set *but,
                         struct nv_head *heads)
{
    size_t count = 0;
    for (size_t i = 0; i < asking->model->header_count; i++)
        if (nv_model_has(set, i) && (but == NULL || !nv_model_has(but, i)))
            heads[count++] = head_of(asking, i);
    return count;
}

/* ---- what is told ---- */

/* How far a log is told by its end alone: anywhere up to where all of it counts, if it has one history. */
static int choose_end(const struct asking *asking, const struct nv_model_set *counted, unsigned log)
{
    int end = NV_COUNTING_NONE;
    unsigned in_log = 0, highest = 0;
    for (size_t i = 0; i < asking->model->header_count; i++) {
        const struct nv_counting_model_header *header = &asking->model->headers[i];
        if (header->log != log || !nv_model_has(asking->held, i))
            continue;
        in_log++;
        highest = header->seq > highest ? header->seq : highest;
        if (nv_model_has(counted, i) && nv_dice_percent(asking->dice, 60))
            end = (int)i;
    }
    return in_log == highest ? end : NV_COUNTING_NONE;
}

static void tell_logs(const struct asking *asking)
{
    bool is_told[NV_COUNTING_HEADERS] = {0};
    for (size_t i = 0; i < asking->model->header_count; i++) {
        const struct nv_counting_model_header *header = &asking->model->headers[i];
        int end = asking->ends[header->log];
        struct nv_head head = end == NV_COUNTING_NONE ? (struct nv_head){0} : head_of(asking, (size_t)end);
        if (!is_told[header->log])
            must(nv_counting_log(asking->counting, header->log + 1, id_of(header->site),
                                 end == NV_COUNTING_NONE ? NULL : &head));
        is_told[header->log] = true;
    }
}

static void tell_takings(const struct asking *asking)
{
    struct nv_head heads[NV_COUNTING_HEADERS];
    for (size_t i = 0; i < asking->model->taking_count; i++) {
        const struct nv_counting_model_taking *taking = &asking->model->takings[i];
        size_t count = list_heads(asking, &taking->named, NULL, heads);
        if (taking->position <= asking->known)
            must(nv_counting_taking(asking->counting, id_of(taking->site), taking->position, heads, count));
    }
}

static void tell_named(struct asking *asking, size_t place)
{
    struct nv_head heads[NV_COUNTING_HEADERS];
    size_t count = list_heads(asking, &asking->model->headers[place].context, NULL, heads);
    for (size_t i = 0; i < count; i++)
        must(nv_counting_named(asking->counting, &heads[i]));
    nv_model_add(&asking->before, place);
}

/* With its whole context, or with what the header before it does not name. */
static void tell_header(const struct asking *asking, size_t place)
{
    struct nv_head heads[NV_COUNTING_HEADERS];
    const struct nv_counting_model_header *header = &asking->model->headers[place];
    bool is_whole = header->previous == NV_COUNTING_NONE || nv_dice_percent(asking->dice, 50);
    const struct nv_model_set *before = is_whole ? NULL : &asking->model->headers[header->previous].context;
    struct nv_head head = head_of(asking, place);
    struct nv_counting_header told = {.log = head.log,
                                      .seq = head.seq,
                                      .pin = head.pin,
                                      .previous = pin_of(header->previous),
                                      .authority_seq = header->position,
                                      .context = heads,
                                      .context_count = list_heads(asking, &header->context, before, heads)};
    must(nv_counting_header(asking->counting, &told));
}

/* ---- what is answered ---- */

/* Each that counts is there once, and after what it builds on. */
static void check_order(const struct asking *asking, const struct nv_model_set *counted)
{
    struct nv_model_set listed = asking->before;
    struct nv_head head;
    bool is_closed = true;
    for (size_t i = 0; i < asking->model->header_count; i++)
        is_closed = is_closed && (!nv_model_has(&asking->before, i) ||
                                  nv_model_holds_all(&asking->before, &asking->model->headers[i].context));
    for (size_t i = 0; nv_counting_at(asking->counting, i, &head); i++) {
        int place;
        memcpy(&place, head.pin.bytes, sizeof place);
        const struct nv_counting_model_header *header = &asking->model->headers[place];
        assert(!nv_model_has(&listed, (size_t)place));
        assert(header->previous == NV_COUNTING_NONE || nv_model_has(&listed, (size_t)header->previous));
        assert(!is_closed || nv_model_holds_all(&listed, &header->context));
        nv_model_add(&listed, (size_t)place);
    }
    assert(memcmp(&listed, counted, sizeof listed) == 0);
}

static void ask(struct asking *asking, const struct nv_model_set *expected)
{
    size_t order[NV_COUNTING_HEADERS], count = 0;
    asking->counting = nv_counting_new();
    assert(asking->counting != NULL);
    tell_logs(asking);
    tell_takings(asking);
    for (size_t i = 0; i < asking->model->header_count; i++) {
        int end = asking->ends[asking->model->headers[i].log];
        if (nv_model_has(asking->held, i) && end != NV_COUNTING_NONE &&
            nv_counting_model_descends(asking->model, (size_t)end, i))
            tell_named(asking, i);
        else if (nv_model_has(asking->held, i))
            order[count++] = i;
    }
    nv_dice_shuffle(asking->dice, order, count);
    for (size_t i = 0; i < count; i++)
        tell_header(asking, order[i]);
    must(nv_counting_settle(asking->counting));
    for (size_t i = 0; i < count; i++) {
        struct nv_head head = head_of(asking, order[i]);
        assert(nv_counting_counts(asking->counting, &head) == nv_model_has(expected, order[i]));
    }
    check_order(asking, expected);
    nv_counting_free(asking->counting);
}

struct nv_model_set nv_counting_ask(const struct nv_counting_model *model, const struct nv_model_set *held,
                                    unsigned known, struct nv_dice *dice)
{
    struct nv_model_set counted = nv_counting_model_counts(model, held, known);
    struct asking asking = {.model = model, .held = held, .known = known, .dice = dice};
    for (unsigned log = 0; log < NV_COUNTING_HEADERS; log++)
        asking.ends[log] = NV_COUNTING_NONE;
    ask(&asking, &counted);
    for (unsigned log = 0; log < NV_COUNTING_HEADERS; log++)
        asking.ends[log] = choose_end(&asking, &counted, log);
    ask(&asking, &counted);
    return counted;
}
