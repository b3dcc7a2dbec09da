#include "founding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chance.h"
#include "clock.h"
#include "disk.h"
#include "store/authority.h"
#include "store/log.h"
#include "store/schema.h"
#include "wire/recovery.h"

enum { FEW = 8, BATCH = 128 };

/* `item` has one field a rule, as the ledger and the checks know them (records.h); of the others each gets its records'
 * scopes in another way (shapes.h). */
static const char schema[] =
    "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, a, b INTEGER NOT NULL DEFAULT 0, c TEXT, "
    "d DEFAULT 'new' CHECK (d IS NULL OR d <> 'never'));"
    "CREATE TABLE learner(id TEXT NOT NULL PRIMARY KEY, reads TEXT, a TEXT, b TEXT);"
    "CREATE TABLE lesson(id TEXT NOT NULL PRIMARY KEY, learner TEXT REFERENCES learner(id), a TEXT);"
    "CREATE TABLE memo(id TEXT NOT NULL PRIMARY KEY, a TEXT);"
    "CREATE TABLE notice(id TEXT NOT NULL PRIMARY KEY, a TEXT);"
    "CREATE TABLE visit(id TEXT NOT NULL PRIMARY KEY, reads TEXT, a TEXT);"
    "INSERT INTO navette_table(name, scope, writers) VALUES ('item', 'network', 'scope'),"
    " ('learner', 'column:reads', 'scope'), ('lesson', 'parent:learner', 'scope'), ('memo', 'site', 'scope'),"
    " ('notice', 'network', 'home'), ('visit', 'column:reads', 'home');"
    "INSERT INTO navette_column(table_name, name, rule, quiet) VALUES"
    " ('item', 'b', 'max', 0), ('item', 'c', 'home', 0), ('item', 'd', 'last', 1)";

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status == NV_OK)
        return;
    fprintf(stderr, "the network cannot be founded: %s\n", error->text);
    abort();
}

const char *sim_place_name(size_t place)
{
    static const char *const names[] = {"hub", "pantin", "poissy", "vitry", "blois", "niort", "tours", "poitiers"};
    static char others[SIM_PLACES][32];
    if (place < sizeof names / sizeof *names)
        return names[place];
    snprintf(others[place], sizeof others[place], "school%zu", place);
    return others[place];
}

void sim_place_endpoint(size_t place, char ret_endpoint[64])
{
    snprintf(ret_endpoint, 64, "tcp://127.0.0.%zu:7420", place + 1);
}

struct nv_certificate sim_certificate(const struct sim_founding *founding, size_t place)
{
    static char endpoint[64];
    static const char *endpoints[1] = {endpoint};
    sim_place_endpoint(place, endpoint);
    return (struct nv_certificate){.site = founding->sites[place],
                                   .name = sim_place_name(place),
                                   .sign_key = founding->sign[place].public_key,
                                   .curve_key = founding->curve[place].public_key,
                                   .recovery_key = founding->recovery[place].public_key,
                                   .role = place == 0 ? NV_ROLE_HUB : NV_ROLE_SITE,
                                   .endpoint_count = place == 0 ? 1 : 0,
                                   .endpoints = endpoints};
}

static void make_keys(struct sim_founding *founding, size_t places, struct nv_sign_key *ret_successor)
{
    char folder[] = "/tmp/navette-sim-XXXXXX", name[32], path[96];
    struct nv_error error;
    if (mkdtemp(folder) == NULL)
        abort();
    for (size_t place = 0; place < places; place++) {
        snprintf(name, sizeof name, "%zu.sign", place);
        must(nv_sign_key_create(folder, name, &founding->sign[place], &error), &error);
        snprintf(name, sizeof name, "%zu.curve", place);
        must(nv_curve_key_create(folder, name, &founding->curve[place], &error), &error);
        must(nv_recovery_make(&founding->recovery[place], &error), &error);
    }
    must(nv_sign_key_create(folder, "authority", &founding->authority, &error), &error);
    must(nv_sign_key_create(folder, "successor", ret_successor, &error), &error);
    for (size_t place = 0; place < places; place++) {
        snprintf(path, sizeof path, "%s/%zu.sign", folder, place);
        unlink(path);
        snprintf(path, sizeof path, "%s/%zu.curve", folder, place);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/authority", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/successor", folder);
    unlink(path);
    rmdir(folder);
}

static void adopt(const struct sim_founding *founding, struct nv_store *hub, struct nv_store *store)
{
    static struct nv_far_head heads[BATCH];
    struct nv_buffer bytes = {0};
    struct nv_slice changesets[BATCH];
    size_t ends[BATCH], count;
    int64_t cursor = 0;
    bool done;
    struct nv_error error;
    must(nv_store_read_for(hub, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH, &count, &done, &error),
         &error);
    for (size_t i = 0, start = 0; i < count; start = ends[i++])
        changesets[i] = (struct nv_slice){bytes.data + start, ends[i] - start};
    must(nv_authority_adopt(store, &founding->authority.public_key, changesets, count,
                            (struct nv_wall_ms){sim_clock_wall_ms()}, &error),
         &error);
    nv_buffer_done(&bytes);
}

static void found(struct sim_founding *founding, size_t places, struct nv_store **stores)
{
    struct nv_wall_ms now = {sim_clock_wall_ms()};
    struct nv_sign_key successor;
    struct nv_error error;
    make_keys(founding, places, &successor);
    struct nv_certificate hub = sim_certificate(founding, 0);
    must(nv_authority_found(stores[0], "simulation", &founding->authority, &successor.public_key, &hub, now, &error),
         &error);
    must(nv_schema_apply(stores[0], &founding->authority, schema, false, now, NULL, &error), &error);
    for (size_t place = 1; place < founding->certified; place++) {
        struct nv_certificate certificate = sim_certificate(founding, place);
        must(nv_authority_certify(stores[0], &founding->authority, &certificate, now, &error), &error);
    }
    for (size_t place = 1; place < founding->certified; place++)
        adopt(founding, stores[0], stores[place]);
}

static void make(struct sim_founding *founding, size_t places)
{
    struct nv_store *stores[SIM_PLACES];
    struct nv_disk *disks[SIM_PLACES];
    struct nv_error error;
    sim_clock_start();
    sim_chance_start(0);
    founding->certified = places - SIM_LATECOMERS;
    for (size_t place = 0; place < places; place++) {
        char path[64];
        snprintf(path, sizeof path, "file:%s/store.db", sim_place_name(place));
        disks[place] = nv_disk_new(sim_place_name(place), place);
        must(nv_store_create(path, sim_place_name(place), &error), &error);
        must(nv_store_open(path, &stores[place], &error), &error);
        founding->sites[place] = nv_store_identity(stores[place])->site;
    }
    found(founding, places, stores);
    for (size_t place = 0; place < places; place++) {
        nv_store_close(stores[place]);
        if (!nv_disk_get(disks[place], "store.db", &founding->files[place]))
            abort();
        nv_disk_free(disks[place]);
    }
}

static const struct sim_founding *current;

const char *sim_site_name(struct nv_site_id site)
{
    for (size_t place = 0; current != NULL && place < current->certified + SIM_LATECOMERS; place++)
        if (nv_site_id_compare(current->sites[place], site) == 0)
            return sim_place_name(place);
    return "(nobody)";
}

const struct sim_founding *sim_founding_of(size_t places)
{
    static struct sim_founding few, many;
    struct sim_founding *founding = places <= FEW ? &few : &many;
    current = founding;
    if (founding->certified == 0)
        make(founding, places <= FEW ? FEW : SIM_PLACES);
    return founding;
}
