#include "foreign.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "clock.h"
#include "people.h"
#include "report.h"
#include "store/ingest.h"
#include "store/log.h"
#include "trace.h"
#include "wire/changeset.h"

enum { EPOCH = 77, OPS = 2, OP_BYTES = 512 };

/* Certified, and no machine of this network. */
static size_t foreign_place(const struct sim_world *world)
{
    return world->founding->certified - 1;
}

/* ---- what it says ---- */

struct draft {
    struct nv_header header;
    uint8_t bytes[OPS][OP_BYTES];
    struct nv_slice ops[OPS];
    size_t count;
    struct nv_buffer signed_bytes;
    struct nv_hash hash;
};

static void add(struct draft *draft, const struct nv_op *op)
{
    struct nv_buffer bytes = {0};
    nv_op_encode(op, &bytes);
    assert(draft->count < OPS && bytes.size <= OP_BYTES);
    memcpy(draft->bytes[draft->count], bytes.data, bytes.size);
    draft->ops[draft->count] = (struct nv_slice){draft->bytes[draft->count], bytes.size};
    draft->count++;
    nv_buffer_done(&bytes);
}

static void add_put(struct draft *draft, int record, int64_t value, int64_t time_ms)
{
    static struct nv_op op;
    struct nv_buffer key = {0};
    struct nv_slice name = {(const uint8_t *)sim_record_keys[record], strlen(sim_record_keys[record])};
    nv_value_encode(&key, &(struct nv_value){.type = NV_TEXT, .bytes = name});
    memset(&op, 0, sizeof op);
    op.kind = NV_OP_PUT;
    op.table = 1;
    op.key = nv_buffer_slice(&key);
    op.time.ms = time_ms;
    op.fields = 1;
    op.value_count = 1;
    op.values[0] = (struct nv_value){.type = NV_INTEGER, .integer = value};
    add(draft, &op);
    nv_buffer_done(&key);
}

/* Lets go of one op of what it wrote; false where it wrote nothing that it did not let go of before. */
static bool add_redact(struct sim_world *world, struct nv_dice *dice, struct draft *draft, int64_t time_ms)
{
    static struct nv_op op;
    struct sim_foreign *foreign = &world->foreign;
    if (foreign->put_count == 0)
        return false;
    uint64_t *seq = &foreign->puts[nv_dice_below(dice, foreign->put_count)];
    struct nv_far_dot name = {world->founding->sites[foreign_place(world)], EPOCH, *seq,
                              (uint32_t)nv_dice_below(dice, OPS)};
    memset(&op, 0, sizeof op);
    op.kind = NV_OP_REDACT;
    op.time.ms = time_ms;
    op.name_count = 1;
    op.names = &name;
    add(draft, &op);
    *seq = foreign->puts[--foreign->put_count];
    return true;
}

/* The ledger's part: it wrote over what was not there for it. */
static void note(struct sim_world *world, int record, int64_t value, int64_t time_ms)
{
    struct sim_write write = {.site = foreign_place(world), .time_ms = time_ms, .left_out = -1, .answer_record = -1};
    write.after[record].is_there = true;
    write.after[record].codes[0] = sim_code_of(&(struct nv_value){.type = NV_INTEGER, .integer = value});
    sim_ledger_note(&world->ledger, &write);
}

/* ---- bringing it in ---- */

/* Makes the header the next one of its log, as the store stands; false where that lacks what it says already. */
static bool begin(const struct sim_world *world, struct nv_store *store, struct draft *draft)
{
    const struct sim_foreign *foreign = &world->foreign;
    const struct nv_far_head *has;
    size_t count;
    uint64_t held = 0;
    draft->header = (struct nv_header){
        .format = NV_FORMAT,
        .log = {world->founding->sites[foreign_place(world)], EPOCH, NV_SCOPE_NETWORK},
        .seq = foreign->seq + 1,
        .previous = foreign->previous,
        .absolute = true,
    };
    nv_store_has(store, &has, &count);
    for (size_t i = 0; i < count; i++) {
        if (nv_scope_id_equal(has[i].scope, NV_SCOPE_AUTHORITY)) {
            draft->header.authority_seq = has[i].seq;
            draft->header.authority_pin = has[i].pin;
        } else if (nv_site_id_compare(has[i].site, draft->header.log.site) == 0) {
            held = has[i].seq;
        }
    }
    return held == foreign->seq && draft->header.authority_seq >= foreign->authority_seq;
}

static bool hand_in(struct sim_world *world, struct nv_store *store, struct draft *draft)
{
    struct nv_buffer scratch = {0};
    struct nv_changeset_parts parts;
    struct nv_error error;
    if (nv_changeset_seal(&draft->header, draft->ops, draft->count, &world->founding->sign[foreign_place(world)],
                          &nv_store_identity(store)->network, &scratch, &parts, &draft->hash, &error) != NV_OK)
        sim_fail("daemon", "a changeset by hand is not sealed: %s", error.text);
    nv_changeset_join(&parts, &draft->signed_bytes);
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&draft->signed_bytes)};
    enum nv_status status = nv_store_ingest(store, &incoming, 1, nv_wall_now(), 60, &error);
    nv_buffer_done(&scratch);
    return status == NV_OK && incoming.verdict == NV_VERDICT_TAKEN;
}

static void keep(struct sim_foreign *foreign, const struct draft *draft, bool are_puts)
{
    foreign->seq = draft->header.seq;
    foreign->previous = draft->hash;
    foreign->authority_seq = draft->header.authority_seq;
    if (are_puts && foreign->put_count < sizeof foreign->puts / sizeof *foreign->puts)
        foreign->puts[foreign->put_count++] = foreign->seq;
}

void sim_foreign_seal(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    struct nv_store *store = sim_people_client(world, place);
    struct draft draft = {0};
    int record = (int)nv_dice_below(dice, world->profile.records);
    int64_t time_ms = sim_clock_wall_ms(), values[OPS] = {++world->tokens, ++world->tokens};
    if (store == NULL)
        return;
    bool can = begin(world, store, &draft), redacts = can && nv_dice_percent(dice, 35);
    redacts = redacts && add_redact(world, dice, &draft, time_ms);
    for (size_t i = 0; i < OPS && !redacts; i++)
        add_put(&draft, record, values[i], time_ms);
    if (can && hand_in(world, store, &draft)) {
        sim_trace("%s: another software's %s comes in", machine->name, redacts ? "redaction" : "changeset");
        keep(&world->foreign, &draft, !redacts);
        for (size_t i = 0; i < OPS && !redacts; i++)
            note(world, record, values[i], time_ms);
        if (sim_machine_examiner(machine) != NULL)
            sim_history_take(&world->history, store, sim_machine_examiner(machine), machine->name,
                             world->ledger.transactions);
    }
    nv_buffer_done(&draft.signed_bytes);
    nv_store_close(store);
    sim_world_settle(world, place);
}
