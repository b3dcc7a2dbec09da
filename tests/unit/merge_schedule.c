#include "merge_schedule.h"

#include <assert.h>
#include <string.h>

#include "core/meaning.h"
#include "model.h"

enum { SITES_MAX = 5, RECORDS = 2, FIELDS = 3, CHANGESETS_MAX = 32, OPS_IN_ONE = 3 };

struct written { /* an op, as all sites agree on it */
    struct nv_op op;
    nv_fields accepted;
    size_t writer;
    uint64_t seq;
    uint32_t index;
    int64_t times[FIELDS];
};

struct changeset {
    size_t writer, first, count;
    uint64_t seq;
    uint64_t context[SITES_MAX]; /* how far each site's log was applied */
};

struct site {
    nv_log_number number_of[SITES_MAX]; /* its own numbers for the logs */
    struct nv_vector applied;
    struct nv_record records[RECORDS];
    struct nv_model_set ops;
};

struct world {
    struct nv_dice dice;
    struct nv_model model;
    struct written written[NV_MODEL_OPS];
    struct changeset changesets[CHANGESETS_MAX];
    size_t changeset_count, site_count;
    struct site sites[SITES_MAX];
};

static void must(enum nv_status status)
{
    assert(status == NV_OK);
}

static struct nv_site_id id_of(size_t site)
{
    return (struct nv_site_id){{(uint8_t)(1 + site)}};
}

/* ---- what core is given ---- */

struct covering {
    struct nv_cover cover;
    struct nv_vector vector;
    struct nv_local_except excepts[NV_MODEL_EXCEPTS];
};

static struct nv_dot dot_at(const struct world *world, const struct site *site, size_t op)
{
    const struct written *written = &world->written[op];
    return (struct nv_dot){.log = site->number_of[written->writer], .index = written->index, .seq = written->seq};
}

static const struct changeset *changeset_of(const struct world *world, size_t op)
{
    size_t i = 0;
    while (op >= world->changesets[i].first + world->changesets[i].count)
        i++;
    return &world->changesets[i];
}

/* The context of a changeset in the site's own numbers; the writer's own log is never in it. */
static void context_at(const struct site *site, const struct changeset *changeset, size_t sites,
                       struct nv_vector *vector)
{
    for (size_t i = 0; i < sites; i++)
        if (i != changeset->writer && changeset->context[i] > 0) {
            struct nv_head head = {.log = site->number_of[i], .seq = changeset->context[i]};
            must(nv_vector_set(vector, head));
        }
}

static void covering_start(const struct world *world, const struct site *site, size_t op, struct covering *covering)
{
    const struct nv_model_op *told = &world->model.ops[op];
    *covering = (struct covering){0};
    context_at(site, changeset_of(world, op), world->site_count, &covering->vector);
    for (size_t i = 0; i < told->except_count; i++)
        covering->excepts[i] =
            (struct nv_local_except){dot_at(world, site, told->excepts[i].op), told->excepts[i].fields};
    covering->cover = (struct nv_cover){.dot = dot_at(world, site, op),
                                        .vector = &covering->vector,
                                        .except_count = told->except_count,
                                        .excepts = covering->excepts};
}

/* ---- comparing ---- */

static size_t op_named(const struct world *world, const struct site *site, struct nv_dot dot)
{
    size_t op = 0;
    while (op < world->model.count && nv_dot_compare(dot_at(world, site, op), dot) != 0)
        op++;
    assert(op < world->model.count);
    return op;
}

static void check_siblings(const struct world *world, const struct site *site, const struct nv_record *record,
                           const struct nv_model_state *state)
{
    uint8_t found[NV_MODEL_OPS] = {0};
    for (size_t i = 0; i < record->sibling_count; i++) {
        const struct nv_sibling *sibling = &record->siblings[i];
        size_t op = op_named(world, site, sibling->dot);
        assert(sibling->fields != 0 && (found[op] & sibling->fields) == 0);
        found[op] |= (uint8_t)sibling->fields;
        for (unsigned field = 0; field < FIELDS; field++)
            if (sibling->fields >> field & 1)
                assert(sibling->time.ms == world->written[op].times[field]);
    }
    assert(memcmp(found, state->siblings, sizeof found) == 0);
}

static void check_deletes(const struct world *world, const struct site *site, const struct nv_record *record,
                          const struct nv_model_state *state)
{
    static uint8_t found[NV_MODEL_OPS][NV_MODEL_OPS];
    bool live[NV_MODEL_OPS] = {0};
    size_t count = world->model.count;
    for (size_t i = 0; i < count; i++)
        memset(found[i], 0, sizeof found[i]);
    for (size_t i = 0; i < record->delete_count; i++)
        live[op_named(world, site, record->deletes[i].dot)] = true;
    for (size_t i = 0; i < record->mark_count; i++) {
        const struct nv_mark *mark = &record->marks[i];
        uint8_t *fields = &found[op_named(world, site, mark->by)][op_named(world, site, mark->dot)];
        assert(*fields == 0 && mark->fields != 0);
        *fields = (uint8_t)mark->fields;
    }
    assert(memcmp(live, state->live, sizeof live) == 0);
    for (size_t i = 0; i < count; i++)
        assert(memcmp(found[i], state->marks[i], sizeof found[i]) == 0);
}

static void check_record(const struct world *world, const struct site *site, const struct nv_record *record,
                         const struct nv_model_state *state)
{
    check_siblings(world, site, record, state);
    check_deletes(world, site, record, state);
    assert(nv_record_shown(record) == state->is_shown);
    assert(record->has_home == state->has_home);
    struct nv_site_id home = id_of(state->home);
    if (state->has_home)
        assert(nv_site_id_compare(record->home, home) == 0);
    for (unsigned field = 0; field < FIELDS; field++) {
        size_t siblings = 0;
        for (size_t op = 0; op < world->model.count; op++)
            siblings += state->siblings[op] >> field & 1;
        assert((nv_record_fields(record) >> field & 1) == (siblings >= 1));
        assert((nv_record_contested(record) >> field & 1) == (siblings >= 2));
    }
}

/* The meaning of the record's ops that are in `set`, handed over in any order. */
static void derive(struct world *world, const struct site *site, size_t record, const struct nv_model_set *set,
                   struct nv_record *ret_record)
{
    static struct covering coverings[NV_MODEL_OPS];
    struct nv_retained_op ops[NV_MODEL_OPS];
    size_t order[NV_MODEL_OPS], count = 0;
    for (size_t op = 0; op < world->model.count; op++)
        if (nv_model_has(set, op) && world->model.ops[op].record == record)
            order[count++] = op;
    nv_dice_shuffle(&world->dice, order, count);
    for (size_t i = 0; i < count; i++) {
        const struct written *written = &world->written[order[i]];
        covering_start(world, site, order[i], &coverings[i]);
        ops[i] = (struct nv_retained_op){&written->op, written->accepted, coverings[i].cover, id_of(written->writer)};
    }
    must(nv_meaning(ops, count, ret_record));
    for (size_t i = 0; i < count; i++)
        nv_vector_done(&coverings[i].vector);
}

static void check_site(struct world *world, struct site *site, size_t record)
{
    static struct nv_model_state state;
    struct nv_record derived = {0};
    nv_model_meaning(&world->model, record, &site->ops, &state);
    check_record(world, site, &site->records[record], &state);
    derive(world, site, record, &site->ops, &derived);
    assert(nv_record_equal(&derived, &site->records[record]));
    nv_record_done(&derived);
}

/* ---- what happens ---- */

static void apply_op(struct world *world, struct site *site, size_t op)
{
    const struct written *written = &world->written[op];
    struct nv_record *record = &site->records[world->model.ops[op].record];
    struct covering covering;
    covering_start(world, site, op, &covering);
    enum nv_status status;
    if (written->op.kind == NV_OP_PUT)
        status = nv_record_put(record, &covering.cover, &written->op, written->accepted, id_of(written->writer));
    else
        status = nv_record_delete(record, &covering.cover, &written->op);
    must(status);
    nv_model_add(&site->ops, op);
    nv_vector_done(&covering.vector);
}

/* Gives a changeset to a site. What it has already, and what builds on something that it lacks, it leaves. */
static bool deliver(struct world *world, struct site *site, const struct changeset *changeset)
{
    nv_log_number log = site->number_of[changeset->writer];
    if (nv_vector_seq(&site->applied, log) + 1 != changeset->seq)
        return false;
    struct nv_vector context = {0};
    context_at(site, changeset, world->site_count, &context);
    bool is_ready = nv_vector_covers(&site->applied, &context);
    nv_vector_done(&context);
    if (!is_ready)
        return false;
    for (size_t i = 0; i < changeset->count; i++)
        apply_op(world, site, changeset->first + i);
    must(nv_vector_set(&site->applied, (struct nv_head){.log = log, .seq = changeset->seq}));
    for (size_t record = 0; record < RECORDS; record++)
        check_site(world, site, record);
    return true;
}

/* Some siblings that the writer is said not to have seen, and sometimes things that were covered long ago. */
static void some_excepts(struct world *world, const struct site *site, struct nv_model_op *told)
{
    struct nv_dice *dice = &world->dice;
    static struct nv_model_state state;
    nv_model_meaning(&world->model, told->record, &site->ops, &state);
    for (size_t op = 0; op < world->model.count && told->except_count < NV_MODEL_EXCEPTS; op++) {
        if (!nv_model_has(&site->ops, op) || world->model.ops[op].record != told->record)
            continue;
        uint8_t fields = nv_dice_percent(dice, 90) ? state.siblings[op] : UINT8_MAX;
        fields &= (uint8_t)nv_dice_below(dice, 1 << FIELDS);
        if (fields == 0 || nv_dice_percent(dice, 60))
            continue;
        told->excepts[told->except_count].op = op;
        told->excepts[told->except_count++].fields = fields;
    }
}

static void some_put(struct world *world, const struct site *site, struct nv_model_op *told, struct written *written)
{
    struct nv_dice *dice = &world->dice;
    struct nv_op *op = &written->op;
    op->kind = NV_OP_PUT;
    op->fields =
        nv_record_shown(&site->records[told->record]) ? 1 + nv_dice_below(dice, (1 << FIELDS) - 1) : (1 << FIELDS) - 1;
    written->accepted = op->fields;
    if (nv_dice_percent(dice, 10))
        written->accepted &= nv_dice_below(dice, 1 << FIELDS);
    told->fields = (uint8_t)written->accepted;
    told->home = (unsigned)written->writer;
    if (nv_dice_percent(dice, 50)) {
        op->has_home = true;
        told->home = (unsigned)nv_dice_below(dice, world->site_count);
        op->home = id_of(told->home);
    }
    for (unsigned field = 0, place = 0; field < FIELDS; field++) {
        if (!(op->fields >> field & 1))
            continue;
        op->ages[place] = nv_dice_percent(dice, 70) ? 0 : nv_dice_below(dice, 3);
        written->times[field] = op->time.ms - (int64_t)op->ages[place++];
    }
}

static void some_op(struct world *world, size_t writer, uint64_t seq, uint32_t index)
{
    struct nv_dice *dice = &world->dice;
    struct site *site = &world->sites[writer];
    struct nv_model_op *told = &world->model.ops[world->model.count];
    struct written *written = &world->written[world->model.count];
    *told = (struct nv_model_op){.record = nv_dice_percent(dice, 70) ? 0 : 1};
    written->writer = writer;
    written->seq = seq;
    written->index = index;
    written->op.kind = NV_OP_DELETE;
    written->op.time.ms = (int64_t)nv_dice_below(dice, 5);
    written->op.has_home = false;
    written->accepted = 0;
    told->is_delete = nv_dice_percent(dice, 25);
    if (!told->is_delete)
        some_put(world, site, told, written);
    if (nv_dice_percent(dice, 40))
        some_excepts(world, site, told);
    told->seen = site->ops;
    world->model.count++;
}

static void write_changeset(struct world *world, size_t writer)
{
    if (world->changeset_count == CHANGESETS_MAX || world->model.count + OPS_IN_ONE > NV_MODEL_OPS)
        return;
    struct site *site = &world->sites[writer];
    struct changeset *changeset = &world->changesets[world->changeset_count];
    size_t count = 1 + nv_dice_below(&world->dice, nv_dice_percent(&world->dice, 70) ? 1 : OPS_IN_ONE);
    *changeset = (struct changeset){.writer = writer, .first = world->model.count, .count = count};
    for (size_t i = 0; i < world->site_count; i++)
        changeset->context[i] = nv_vector_seq(&site->applied, site->number_of[i]);
    changeset->seq = changeset->context[writer] + 1;
    for (uint32_t index = 0; index < count; index++)
        some_op(world, writer, changeset->seq, index);
    world->changeset_count++;
    bool is_taken = deliver(world, site, changeset);
    assert(is_taken);
}

/* Everything to everybody, in any order that the sites take. */
static void drain(struct world *world)
{
    for (size_t i = 0; i < world->site_count; i++) {
        bool any = true;
        while (any) {
            size_t order[CHANGESETS_MAX];
            for (size_t j = 0; j < world->changeset_count; j++)
                order[j] = j;
            nv_dice_shuffle(&world->dice, order, world->changeset_count);
            any = false;
            for (size_t j = 0; j < world->changeset_count; j++)
                any = deliver(world, &world->sites[i], &world->changesets[order[j]]) || any;
        }
    }
}

/* The state that is left where some bodies are gone: only the meaning tells it. */
static void check_redacted(struct world *world)
{
    static struct nv_model_state state;
    struct nv_model_set kept = world->sites[0].ops;
    for (size_t op = 0; op < world->model.count; op++)
        if (nv_dice_percent(&world->dice, 30))
            nv_model_remove(&kept, op);
    for (size_t record = 0; record < RECORDS; record++) {
        struct nv_record derived = {0};
        nv_model_meaning(&world->model, record, &kept, &state);
        derive(world, &world->sites[0], record, &kept, &derived);
        check_record(world, &world->sites[0], &derived, &state);
        nv_record_done(&derived);
    }
}

static void world_start(struct world *world, struct nv_dice dice)
{
    world->dice = dice;
    world->model.count = world->changeset_count = 0;
    world->site_count = 2 + nv_dice_below(&world->dice, SITES_MAX - 1);
    for (size_t i = 0; i < world->site_count; i++) {
        size_t numbers[SITES_MAX] = {1, 2, 3, 4, 5};
        nv_dice_shuffle(&world->dice, numbers, SITES_MAX);
        world->sites[i] = (struct site){0};
        for (size_t j = 0; j < SITES_MAX; j++)
            world->sites[i].number_of[j] = (nv_log_number)numbers[j];
    }
}

static void world_done(struct world *world)
{
    for (size_t i = 0; i < world->site_count; i++) {
        nv_vector_done(&world->sites[i].applied);
        for (size_t record = 0; record < RECORDS; record++)
            nv_record_done(&world->sites[i].records[record]);
    }
}

void nv_merge_schedule(struct nv_dice dice)
{
    static struct world world;
    world_start(&world, dice);
    size_t steps = 6 + nv_dice_below(&world.dice, 24);
    for (size_t step = 0; step < steps; step++) {
        size_t site = nv_dice_below(&world.dice, world.site_count);
        if (world.changeset_count == 0 || nv_dice_percent(&world.dice, 45))
            write_changeset(&world, site);
        else
            deliver(&world, &world.sites[site], &world.changesets[nv_dice_below(&world.dice, world.changeset_count)]);
    }
    drain(&world);
    for (size_t i = 0; i < world.site_count; i++)
        assert(memcmp(&world.sites[i].ops, &world.sites[0].ops, sizeof world.sites[i].ops) == 0);
    check_redacted(&world);
    world_done(&world);
}
