/* The world's state. Only sync_world*.c include this. */
#pragma once

#include "sync_world.h"

/* Scopes by number, ascending by id: that of the authority log, `network`, one of each node, the groups. */
enum { AUTHORITY, NETWORK, OWN, GROUP = OWN + WORLD_NODES, SCOPES = GROUP + WORLD_GROUPS };
enum { POSITIONS = 400, EVERY_SCOPE = (1 << SCOPES) - 1 };

/* A changeset as it travels here: who wrote it where, how far in the authority log, and how much of each log of its
 * scope its writer had. */
struct leaf {
    uint32_t writer, scope;
    uint32_t size;
    bool is_gone; /* it was here, and its scope is no longer read, or it counts no more */
    uint64_t seq, position;
    uint64_t context[WORLD_NODES];
};

struct letter {
    struct letter *next;
    int64_t at;
    bool hangs_up; /* the other side closed */
    uint32_t connection;
    struct nv_message message;
    uint8_t *bytes; /* of a batch's changesets */
};

struct line {
    size_t ends[2]; /* ends[0] dials */
    uint32_t connection;
    bool open[2];
    bool down;
    int64_t redial_at;
    struct letter *letters[2], **last[2]; /* towards ends[0], ends[1] */
    int64_t last_at[2];
    unsigned heard[2]; /* the scopes that ends[0], ends[1] heard of from the other in this connection, a bit each */
};

struct node {
    size_t place;
    struct nv_site_id site;
    struct nv_sync *sync;
    struct nv_intake *intake;
    struct nv_actions actions;
    bool executing;
    struct leaf *arrivals;
    size_t arrival_count, arrival_capacity;
    uint64_t durable[SCOPES][WORLD_NODES]; /* seq by writer */
    uint64_t written[SCOPES];              /* by itself, also of what it no longer holds */
    uint64_t told_position;                /* the authority position that the machine knows */
    bool was_told;
    struct leaf *beyond; /* of a writer whose right is taken, in `network`: what nobody who counts has named yet */
    size_t beyond_count;
    bool knows[WORLD_NODES]; /* that the writer's right is taken */
    bool has_left;
    int64_t ingest_at, drop_at;
    const struct nv_message *current; /* the message that is being stepped */
    const struct nv_far_head *current_heads;
};

struct world {
    struct world_settings settings;
    uint64_t random;
    int64_t now;
    bool calm;
    unsigned readers[POSITIONS][WORLD_GROUPS]; /* of each group from each authority position on, a bit a node */
    struct node nodes[WORLD_NODES];
    struct line lines[WORLD_LINES];
    size_t line_count;
    uint32_t connections;
    struct world_counts counts;
    uint64_t counts_up_to[WORLD_NODES]; /* of a writer whose right is taken: whoever names it or not */
};

/* ---- sync_world.c: lines and time ---- */
bool world_happens(struct world *world, unsigned ppm);
struct line *world_line_of(struct world *world, uint32_t session, size_t *ret_end);
void world_post(struct world *world, struct node *node, uint32_t session, const struct nv_message *message);
void world_hang_up(struct world *world, struct line *line, size_t end);

/* ---- sync_world_node.c: what nodes do ---- */
void node_step(struct world *world, struct node *node, struct nv_event *event);
void node_deliver(struct world *world, struct node *node, uint32_t session, const struct nv_message *message);
void node_ingest(struct world *world, struct node *node);
void node_drop(struct world *world, struct node *node);
void node_tell(struct world *world, struct node *node); /* its machine what it holds and who carries what */
void node_arrive(struct world *world, struct node *node, const struct leaf *leaf);

/* ---- sync_world_taking.c: a right is taken ---- */
/* How far a writer's log is held, also beyond what counts. */
uint64_t node_held(const struct node *node, size_t scope, size_t writer);
/* Takes a changeset into the logs, with what it vouches for; or holds it beyond them. */
void node_take(struct world *world, struct node *node, const struct leaf *leaf);

/* ---- sync_world_scopes.c: who carries what, and the checks that follow ---- */
struct nv_scope_id scope_id(size_t scope);
uint64_t node_position(const struct node *node); /* how far it has read in the authority log */
/* What a node carries at a position, a bit a scope. */
unsigned world_carries(const struct world *world, size_t node, uint64_t position);
struct nv_scope_set world_set_of(unsigned scopes, struct nv_scope_id room[SCOPES]);
unsigned world_bits_of(const struct nv_scope_set *set);
size_t world_heads(const struct node *node, unsigned scopes, struct nv_far_head heads[SCOPES * WORLD_NODES]);
/* Nothing is said that is not durable, or that is of a scope that not both carry; and the digest is of what both said
 * that they carry. */
void world_check_said(const struct world *world, const struct line *line, size_t end, const struct nv_message *message);
