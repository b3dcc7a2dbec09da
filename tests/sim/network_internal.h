/* The network's state. Only network.c and net.c include this. */
#pragma once

#include "base/limits.h"
#include "net/net.h"
#include "network.h"
#include "tests/unit/dice.h"

enum sim_item_kind { SIM_ITEM_OPENED, SIM_ITEM_FRAME, SIM_ITEM_CLOSED };

struct sim_item {
    struct sim_item *next;
    enum sim_item_kind kind;
    int64_t at;
    size_t size;
    uint8_t bytes[];
};

/* ends[0] dialled. */
struct sim_end {
    struct nv_net *net; /* NULL: this end is gone */
    size_t place;
    struct nv_site_id site;   /* of the machine at the other end, as this end knows it */
    struct nv_public_key key; /* that one's, by which it was let in or dialled */
    uint32_t session;         /* 0: hung up, or not opened yet */
    bool shuns;
    struct sim_item *items; /* coming to this end, by time */
    int64_t last_at;
    size_t bytes;
};

struct sim_connection {
    struct sim_connection *next;
    struct sim_end ends[2];
    bool is_cut; /* nothing passes any more */
};

struct sim_dial {
    struct nv_net_member member;
    char endpoint[256];
    struct sim_connection *connection;
    int64_t at, since;
    unsigned failures;
};

/* One end of a connection, as the network of that end keeps it. */
struct sim_held {
    struct sim_connection *connection;
    unsigned end;
};

struct nv_net {
    size_t place;
    struct sim_held *held; /* in the order in which they were opened */
    size_t held_count;
    const struct nv_curve_key *own;
    char listens[256];
    struct sim_dial *dials;
    size_t dial_count;
    uint32_t last_number;
    unsigned strangers;
    struct nv_site_id denied[SIM_PLACES];
    size_t denied_count;
    struct {
        uint32_t session;
        struct nv_site_id site;
    } closed[256];
    size_t closed_count;
    struct sim_item *current; /* the frame that was given last */
};

struct sim_network {
    struct nv_dice dice;
    struct sim_network_watcher watcher;
    struct sim_way ways[SIM_PLACES][SIM_PLACES];
    struct nv_net *nets[SIM_PLACES];
    bool silent[SIM_PLACES];
    size_t place;
    struct sim_connection *connections;
    size_t most_on_its_way;
    uint64_t frames;
};
extern struct sim_network sim_network;

void sim_connection_open(struct nv_net *dialler, struct nv_net *listener, struct sim_dial *dial,
                         struct nv_site_id from);
void sim_item_put(struct sim_connection *connection, unsigned end, enum sim_item_kind kind, struct nv_slice bytes);
/* This end is no more; the connection goes once both are. */
void sim_end_leave(struct sim_connection *connection, unsigned end, bool tell);
