/* The service's state. Only the files of daemon/ itself include this. */
#pragma once

#include "base/clock.h"
#include "core/intake.h"
#include "core/sync.h"
#include "net/net.h"
#include "service.h"
#include "store/ingest.h"
#include "watch.h"

enum {
    NV_SLICE_MS = 60,           /* of work on the store between two looks at the sockets */
    NV_RETRY_US = 2000,         /* after NV_BUSY */
    NV_RETRY_FULL_US = 1000000, /* after NV_FULL */
    NV_EVENTS_MOST = 256,       /* of the network between two looks at the store */
    NV_INGEST_MOST = 512,       /* changesets in one go */
    NV_INGEST_BYTES = 4 << 20,
    NV_SERVED_MOST = 1024, /* changesets in one batch that we send */
    NV_NOTES_MOST = 20,    /* refusals written to the store or the log in one second */
};

struct nv_saved_peer; /* peers.c */

struct nv_service {
    struct nv_service_settings settings;
    struct nv_store *store;
    struct nv_net *net;
    struct nv_sync *sync;
    struct nv_intake *intake;
    struct nv_watch watch;
    int timer;
    struct nv_mono_us now;

    struct nv_actions actions;
    bool executing;

    /* The vector that the machine was told last, and the authority's place in it. */
    struct nv_heads told;
    bool was_told;
    uint64_t authority_seq;

    bool owes; /* as the machine was told last */
    int64_t owed_cursor;
    uint64_t kept; /* nv_store_kept, at the last look */

    /* The frame that is being stepped: its message and the heads of its changesets. */
    struct nv_arena arena;      /* of the message */
    struct nv_arena peek_arena; /* of one header */
    const struct nv_message *message;
    struct nv_far_head *message_heads;
    size_t message_head_capacity;
    struct nv_site_id message_from;

    /* Room for what is read and sent. */
    struct nv_buffer out, read;
    size_t ends[NV_SERVED_MOST];
    struct nv_slice slices[NV_SERVED_MOST];
    struct nv_far_head heads[NV_SERVED_MOST];
    struct nv_offered offered[NV_INGEST_MOST];
    struct nv_incoming incoming[NV_INGEST_MOST];

    /* When what is due; INT64_MAX: it is not. */
    int64_t seal_at, ingest_at, enrol_at, second_at, members_at;
    int64_t seal_not_before;    /* after a slice of many rows */
    int64_t publish_at;         /* when to look whether a period has begun */
    struct nv_buffer enrolment; /* the request that waits for the store */

    struct nv_carrier *carriers; /* by the authority log, as the machine was told last */
    size_t carrier_count;

    struct nv_saved_peer *saved;
    size_t saved_count, saved_next;
    struct nv_heads counted; /* what we held when those who are away since we started were last seen to */
    unsigned notes;          /* refusals noted in this second, ours and those of peers */
    bool said_full;
    bool said_outside; /* that this site is no member any more */
};

/* ---- exchange.c: the machine, between the network and the store ---- */
/* Steps the machine and executes what it wants. */
enum nv_status nv_service_step(struct nv_service *service, struct nv_event *event, struct nv_error *error);
/* Tells the machine where our log grew, if it did. */
enum nv_status nv_service_tell_growth(struct nv_service *service, struct nv_error *error);
/* Tells it of the next changeset with bodies that we owe, or that there is none any more. */
enum nv_status nv_service_tell_owed(struct nv_service *service, struct nv_error *error);
enum nv_status nv_service_take_event(struct nv_service *service, const struct nv_net_event *event,
                                     struct nv_error *error);
void nv_service_note_refusal(struct nv_service *service, enum nv_reason reason, const struct nv_site_id *site,
                             const char *text);

/* What the peer's clock says: it is told where that is far from ours. */
void nv_service_note_clock(struct nv_service *service, struct nv_site_id site, struct nv_wall_ms its);

/* ---- work.c: the store's slices ---- */
void nv_service_ask_seal(struct nv_service *service); /* as soon as it may be */
enum nv_status nv_service_look(struct nv_service *service, struct nv_error *error);
enum nv_status nv_service_seal(struct nv_service *service, struct nv_error *error);
enum nv_status nv_service_end_moves(struct nv_service *service, struct nv_error *error); /* those that others have */
void nv_service_publish(struct nv_service *service); /* publishing.c: counts, where the settings say so */
enum nv_status nv_service_ingest(struct nv_service *service, struct nv_error *error);
enum nv_status nv_service_enrol(struct nv_service *service, struct nv_error *error);

/* ---- peers.c: members, and what `status` shows ---- */
enum nv_status nv_service_set_members(struct nv_service *service, struct nv_error *error);
enum nv_status nv_service_save_peers(struct nv_service *service, struct nv_error *error);
void nv_service_peers_away(struct nv_service *service);
/* How many changesets we hold. */
uint64_t nv_service_held(const struct nv_service *service);

/* ---- carriers.c: who carries what ---- */
/* For NV_EVENT_GREW; valid until the next call. */
enum nv_status nv_service_list_carriers(struct nv_service *service, const struct nv_carrier **ret_carriers,
                                        size_t *ret_count, struct nv_error *error);
void nv_service_forget_carriers(struct nv_service *service);
/* How many changesets came since nv_service_count_held that the site carries too. */
uint64_t nv_service_came_for(const struct nv_service *service, struct nv_site_id site);
enum nv_status nv_service_count_held(struct nv_service *service, struct nv_error *error);
