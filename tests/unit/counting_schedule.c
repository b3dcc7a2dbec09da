#include "counting_schedule.h"

#include <assert.h>
#include <string.h>

#include "core/counting.h"
#include "counting_asked.h"

enum {
    SITES_MAX = 6,
    LOGS_MAX = 64,
    OPS_MAX = 24,
    CHANGES_MOST = 12,
    SPANS_MAX = 8,
    HEADERS_MOST = 90,
    LOGS_MOST = 40,
    AUTHORITY = 0
};

/* A time in which a site may read the scope, with one pair of keys. */
struct span {
    unsigned begins, ends; /* ends: not included; 0 while it goes on */
    unsigned keys;
};

struct site {
    bool is_reader;
    bool is_thief;  /* it is dishonest itself */
    bool is_stolen; /* thieves have the keys that it had then */
    unsigned stolen_keys;
    unsigned keys; /* the newest pair */
    struct span spans[SPANS_MAX];
    size_t span_count;
    /* What an honest one knows. */
    unsigned known; /* of the authority log */
    struct nv_model_set held, counted, merged;
    struct nv_model_set said;   /* what it had merged when it wrote last */
    struct nv_model_set relied; /* all that it merged since it has its right */
    int own_head;
    unsigned own_log;
};

/* What happened to rights at one authority position. */
struct op {
    unsigned site;
    bool takes;
};

struct world {
    struct nv_dice dice;
    struct nv_counting_model model;
    bool is_late[NV_COUNTING_HEADERS]; /* made by thieves when all honest sites knew that they have no right left */
    unsigned log_count;
    unsigned now; /* the newest authority position; op i has the position i + 2 */
    struct op ops[OPS_MAX];
    size_t site_count;
    struct site sites[SITES_MAX];
};

static struct nv_site_id id_of(size_t site)
{
    return (struct nv_site_id){{(uint8_t)(1 + site)}};
}

static bool has(const struct nv_model_set *set, int header)
{
    return header != NV_COUNTING_NONE && nv_model_has(set, (size_t)header);
}

/* ---- rights ---- */

static const struct span *span_at(const struct site *site, unsigned position)
{
    for (size_t i = 0; i < site->span_count; i++)
        if (site->spans[i].begins <= position && (site->spans[i].ends == 0 || position < site->spans[i].ends))
            return &site->spans[i];
    return NULL;
}

static bool reads(const struct site *site, unsigned position)
{
    return site->is_reader && span_at(site, position) != NULL;
}

/* Whether it takes part, and keeps to the rules: who has no right left is out of the network, but for carriers. */
static bool is_honest(const struct world *world, size_t site)
{
    return !world->sites[site].is_thief && span_at(&world->sites[site], world->now) != NULL;
}

static bool has_stolen_right(const struct world *world, const struct site *site)
{
    const struct span *span = span_at(site, world->now);
    return span != NULL && site->is_reader && (site->is_thief || (site->is_stolen && span->keys == site->stolen_keys));
}

static bool all_know_that_thieves_are_out(const struct world *world)
{
    for (size_t i = 0; i < world->site_count; i++)
        if (has_stolen_right(world, &world->sites[i]) || (is_honest(world, i) && world->sites[i].known < world->now))
            return false;
    return true;
}

/* ---- headers ---- */

static size_t make_header(struct world *world, const struct nv_counting_model_header *header, unsigned keys)
{
    size_t made = world->model.header_count++;
    const struct site *site = &world->sites[header->site];
    const struct span *span = span_at(site, header->position);
    world->model.headers[made] = *header;
    world->model.headers[made].is_valid = site->is_reader && span != NULL && span->keys == keys;
    world->is_late[made] = false;
    return made;
}

static bool has_room(const struct world *world)
{
    return world->model.header_count < HEADERS_MOST && world->log_count < LOGS_MOST;
}

/* Those of the set after which none of the set stands in the same chain; but for one log. */
static struct nv_model_set heads_of(const struct world *world, const struct nv_model_set *set, unsigned but_log)
{
    struct nv_model_set heads = {0};
    for (size_t i = 0; i < world->model.header_count; i++) {
        bool is_head = nv_model_has(set, i) && world->model.headers[i].log != but_log;
        for (size_t j = i + 1; is_head && j < world->model.header_count; j++)
            is_head = !nv_model_has(set, j) || world->model.headers[j].previous != (int)i;
        if (is_head)
            nv_model_add(&heads, i);
    }
    return heads;
}

/* What counts at a site, by the model and by core. */
static void recount(struct world *world, struct site *site)
{
    site->counted = nv_counting_ask(&world->model, &site->held, site->known, &world->dice);
    for (size_t i = 0; i < world->model.header_count; i++)
        if (nv_model_has(&site->counted, i))
            assert(nv_model_holds_all(&site->counted, &world->model.headers[i].context)); /* so it can be held */
}

/* ---- what honest sites do ---- */

/* What a site would name: who cannot merge has no more than what it holds. */
static const struct nv_model_set *seen(const struct site *site)
{
    return site->is_reader ? &site->merged : &site->counted;
}

static void write_honestly(struct world *world, size_t place)
{
    struct site *site = &world->sites[place];
    const struct span *span = span_at(site, site->known);
    assert(world->model.header_count < NV_COUNTING_HEADERS && world->log_count < LOGS_MAX);
    if (site->own_head == NV_COUNTING_NONE)
        site->own_log = world->log_count++;
    struct nv_counting_model_header header = {
        .site = (unsigned)place,
        .log = site->own_log,
        .seq = site->own_head == NV_COUNTING_NONE ? 1 : world->model.headers[site->own_head].seq + 1,
        .previous = site->own_head,
        .position = site->known,
        .context = heads_of(world, seen(site), site->own_log),
    };
    size_t made = make_header(world, &header, span == NULL ? 0 : span->keys);
    site->own_head = (int)made;
    nv_model_add(&site->held, made);
    nv_model_add(&site->merged, made);
    site->said = *seen(site);
    nv_dice_trace("site %zu writes %zu at %u", place, made, site->known);
    recount(world, site);
    assert(nv_model_has(&site->counted, made));
}

/* Merges what counts and builds on what is merged, sometimes not all. */
static void merge(struct world *world, struct site *site, unsigned percent)
{
    for (size_t i = 0; i < world->model.header_count; i++) {
        const struct nv_counting_model_header *header = &world->model.headers[i];
        bool stands = header->previous == NV_COUNTING_NONE || has(&site->merged, header->previous);
        if (reads(site, site->known) && nv_model_has(&site->counted, i) && stands &&
            nv_model_holds_all(&site->merged, &header->context) && nv_dice_percent(&world->dice, percent))
            nv_model_add(&site->merged, i);
    }
    for (size_t i = 0; i < world->model.header_count; i++)
        if (nv_model_has(&site->merged, i))
            nv_model_add(&site->relied, i);
}

/* Hands a header to a site, which keeps it where it is valid and what it builds on is held. */
static bool hand_over(struct world *world, struct site *site, size_t place)
{
    const struct nv_counting_model_header *header = &world->model.headers[place];
    bool stands = header->previous == NV_COUNTING_NONE || has(&site->held, header->previous);
    if (nv_model_has(&site->held, place) || header->position > site->known || !header->is_valid || !stands ||
        !nv_model_holds_all(&site->held, &header->context))
        return false;
    struct nv_model_set before = site->counted;
    nv_model_add(&site->held, place);
    recount(world, site);
    assert(nv_model_holds_all(&site->counted, &before)); /* more headers only make more count */
    return true;
}

static bool has_news(const struct world *world, const struct site *site)
{
    for (size_t i = 0; i < world->model.header_count; i++)
        if (nv_model_has(seen(site), i) && !nv_model_has(&site->said, i))
            return true;
    return false;
}

/* It goes on, if at all, in another log; what it no longer reads it keeps no more, nor what counts no more. */
static void lose(struct site *site)
{
    site->own_head = NV_COUNTING_NONE;
    for (size_t i = 0; i < sizeof site->merged.words / sizeof *site->merged.words; i++)
        site->merged.words[i] &= reads(site, site->known) ? site->counted.words[i] : 0;
    site->said = (struct nv_model_set){0};
    site->relied = (struct nv_model_set){0};
}

/* An honest site takes up the next op of the authority log. */
static void take_up(struct world *world, size_t place)
{
    struct site *site = &world->sites[place];
    const struct op *op = &world->ops[site->known - 1];
    if (op->takes && nv_vouch_is_due(id_of(place), id_of(op->site), reads(site, site->known), has_news(world, site)))
        write_honestly(world, place);
    site->known++;
    recount(world, site);
    if (op->takes && op->site == place)
        lose(site);
    nv_dice_trace("site %zu takes up what happened at %u", place, site->known);
    assert(nv_model_holds_all(&site->counted, &site->merged)); /* nothing is undone */
}

/* ---- what the authority does ---- */

static struct op *begin_op(struct world *world, size_t site)
{
    struct op *op = &world->ops[world->now - 1];
    *op = (struct op){.site = (unsigned)site};
    return op;
}

static void end_op(struct world *world)
{
    world->now++;
    take_up(world, AUTHORITY);
}

/* Takes the right of a site away, and gives it to the same site with new keys at once where `anew`. */
static void take_right(struct world *world, size_t loser, bool anew)
{
    struct site *authority = &world->sites[AUTHORITY], *site = &world->sites[loser];
    unsigned position = world->now + 1;
    struct op *op = begin_op(world, loser);
    struct nv_counting_model_taking *taking = &world->model.takings[world->model.taking_count];
    if (nv_vouch_is_due(id_of(AUTHORITY), id_of(loser), reads(authority, world->now), has_news(world, authority)))
        write_honestly(world, AUTHORITY);
    *taking = (struct nv_counting_model_taking){.site = (unsigned)loser, .position = position};
    for (size_t i = 0; i < world->model.header_count; i++) {
        struct nv_model_set heads = heads_of(world, &authority->counted, LOGS_MAX);
        if (nv_model_has(&heads, i) && world->model.headers[i].site == loser)
            nv_model_add(&taking->named, i);
    }
    world->model.taking_count++;
    op->takes = true;
    for (size_t i = 0; i < site->span_count; i++)
        site->spans[i].ends = site->spans[i].ends == 0 ? position : site->spans[i].ends;
    if (anew)
        site->spans[site->span_count++] = (struct span){.begins = position, .keys = ++site->keys};
    nv_dice_trace("at %u site %zu loses its right%s", position, loser, anew ? " and has it anew" : "");
    end_op(world);
}

/* Gives the right back, to a dishonest site with the keys that it has. */
static void give_right(struct world *world, size_t winner)
{
    struct site *site = &world->sites[winner];
    unsigned position = world->now + 1;
    begin_op(world, winner);
    site->keys += site->is_thief ? 0 : 1;
    site->spans[site->span_count++] = (struct span){.begins = position, .keys = site->keys};
    if (site->is_thief)
        memset(world->is_late, 0, sizeof world->is_late); /* its word counts again */
    nv_dice_trace("at %u site %zu has its right again", position, winner);
    end_op(world);
}

static void change_rights(struct world *world)
{
    size_t place = 1 + nv_dice_below(&world->dice, world->site_count - 1);
    struct site *site = &world->sites[place];
    if (world->now >= CHANGES_MOST || site->span_count == SPANS_MAX || !site->is_reader)
        return;
    if (span_at(site, world->now) == NULL)
        give_right(world, place);
    else if (site->is_thief || site->is_stolen || nv_dice_percent(&world->dice, 20))
        take_right(world, place, !site->is_thief && nv_dice_percent(&world->dice, 50));
}

/* ---- what thieves do ---- */

static bool is_controlled(const struct site *site)
{
    return site->is_thief || site->is_stolen;
}

static void steal_keys(struct world *world, size_t place)
{
    struct site *site = &world->sites[place];
    if (place == AUTHORITY || !site->is_reader || is_controlled(site))
        return;
    site->is_stolen = true;
    site->stolen_keys = site->keys;
    memset(world->is_late, 0, sizeof world->is_late); /* they have the word of one more site */
}

/* A header of the thieves' own making: after any header of that site's, or in a new log; with any position. */
static void forge(struct world *world)
{
    struct nv_dice *dice = &world->dice;
    size_t place = nv_dice_below(dice, world->site_count);
    struct site *site = &world->sites[place];
    if (!is_controlled(site) || !has_room(world))
        return;
    struct nv_counting_model_header header = {.site = (unsigned)place, .seq = 1, .previous = NV_COUNTING_NONE};
    unsigned least = 1;
    for (size_t i = 0; i < world->model.header_count; i++)
        if (world->model.headers[i].site == place && nv_dice_percent(dice, 40))
            header.previous = (int)i;
    if (header.previous == NV_COUNTING_NONE) {
        header.log = world->log_count++;
    } else {
        header.log = world->model.headers[header.previous].log;
        header.seq = world->model.headers[header.previous].seq + 1;
        least = world->model.headers[header.previous].position;
    }
    header.position = least + (unsigned)nv_dice_below(dice, world->now - least + 1);
    for (size_t i = 0; i < world->model.header_count; i++)
        if (world->model.headers[i].log != header.log && nv_dice_percent(dice, 15))
            nv_model_add(&header.context, i);
    const struct span *span = span_at(site, header.position);
    unsigned keys = site->is_thief && span != NULL ? span->keys : site->is_thief ? 1 : site->stolen_keys;
    bool is_late = all_know_that_thieves_are_out(world);
    size_t made = make_header(world, &header, keys);
    world->is_late[made] = is_late;
    nv_dice_trace("thieves make %zu of site %zu, log %u, seq %u, after %d, at %u%s", made, place, header.log,
                  header.seq, header.previous, header.position, is_late ? ", late" : "");
}

/* ---- a schedule ---- */

static bool exchange(struct world *world, size_t from, size_t to)
{
    struct nv_model_set all = world->sites[from].counted;
    bool any = false;
    for (size_t i = 0; i < world->model.header_count; i++)
        any = (nv_model_has(&all, i) && hand_over(world, &world->sites[to], i)) || any;
    return any;
}

static void step(struct world *world)
{
    struct nv_dice *dice = &world->dice;
    size_t place = nv_dice_below(dice, world->site_count), other = nv_dice_below(dice, world->site_count);
    struct site *site = &world->sites[place];
    unsigned choice = (unsigned)nv_dice_below(dice, 100);
    if (choice < 25) {
        forge(world);
    } else if (choice < 32) {
        change_rights(world);
    } else if (choice < 35) {
        steal_keys(world, place);
    } else if (site->is_thief) {
        return;
    } else if (choice < 45) {
        if (site->known < world->now)
            take_up(world, place);
    } else if (choice < 60) {
        if (has_room(world) && reads(site, site->known))
            write_honestly(world, place);
    } else if (choice < 75) {
        merge(world, site, 70);
    } else if (choice < 85 && !world->sites[other].is_thief) {
        exchange(world, other, place);
    } else if (world->model.header_count > 0) {
        hand_over(world, site, nv_dice_below(dice, world->model.header_count));
    }
}

/* All that is honest learns all that happened, and what the others count. */
static void settle(struct world *world)
{
    bool any = true;
    for (size_t i = 0; i < world->site_count; i++)
        while (is_honest(world, i) && world->sites[i].known < world->now)
            take_up(world, i);
    for (int i = 0; i < 6; i++)
        forge(world);
    while (any) {
        any = false;
        for (size_t i = 0; i < world->site_count; i++) {
            if (!is_honest(world, i))
                continue;
            for (size_t j = 0; j < world->site_count; j++)
                any = (is_honest(world, j) && exchange(world, j, i)) || any;
            for (size_t j = 0; j < world->model.header_count; j++)
                any = (nv_dice_percent(&world->dice, 20) && hand_over(world, &world->sites[i], j)) || any;
        }
    }
}

/* What the rule is for. */
static void check_end(const struct world *world)
{
    const struct nv_model_set *counted = &world->sites[AUTHORITY].counted;
    for (size_t i = 0; i < world->site_count; i++) {
        const struct site *site = &world->sites[i];
        if (!is_honest(world, i))
            continue;
        assert(memcmp(&site->counted, counted, sizeof *counted) == 0);
        assert(nv_model_holds_all(counted, &site->relied)); /* what it merged counts everywhere */
        if (site->own_head != NV_COUNTING_NONE)
            assert(nv_model_has(counted, (size_t)site->own_head)); /* nobody is blocked */
    }
    for (size_t i = 0; i < world->model.header_count; i++)
        assert(!world->is_late[i] || !nv_model_has(counted, i));
}

static void world_start(struct world *world, struct nv_dice dice)
{
    memset(world, 0, sizeof *world);
    world->dice = dice;
    world->now = 1;
    world->site_count = 3 + nv_dice_below(&world->dice, SITES_MAX - 2);
    for (size_t i = 0; i < world->site_count; i++) {
        struct site *site = &world->sites[i];
        site->is_thief = i != AUTHORITY && nv_dice_percent(&world->dice, 35);
        site->is_reader = nv_dice_percent(&world->dice, i == AUTHORITY ? 50 : 85);
        site->known = 1;
        site->keys = 1;
        site->spans[site->span_count++] = (struct span){.begins = 1, .keys = 1};
        site->own_head = NV_COUNTING_NONE;
    }
}

void nv_counting_schedule(struct nv_dice dice)
{
    static struct world world;
    world_start(&world, dice);
    size_t steps = 30 + nv_dice_below(&world.dice, 120);
    for (size_t i = 0; i < steps; i++)
        step(&world);
    for (size_t i = 1; i < world.site_count && nv_dice_percent(&world.dice, 80); i++)
        if (has_stolen_right(&world, &world.sites[i]) && world.sites[i].span_count < SPANS_MAX)
            take_right(&world, i, false);
    settle(&world);
    check_end(&world);
}
