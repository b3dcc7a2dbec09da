/* A simulated network in the place of net/: it implements net/net.h for up to SIM_PLACES machines in this process.
 *
 * A connection is what TCP with CURVE gives: dialled and accepted, each frame whole and in order, until it breaks. Each
 * ordered pair of machines has a way of its own, which can be slow, blocked, or worse than any TCP: frames on it may be
 * lost, doubled, or overtake each other. A blocked way keeps what is sent until it is open again, and nobody learns of
 * it but by silence. A machine that loses its power tells nobody; one whose daemon ends does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { SIM_PLACES = 54 };

struct sim_way {
    int64_t latency_us, jitter_us;
    int64_t bytes_per_second; /* 0: no bound */
    bool blocked;
    unsigned lost_permille, doubled_permille, overtaking_permille;
};

/* What is sent is shown here first, in the order of sending; `alter` may change it: then it appends to `ret_frames`
 * what is sent in its place, frame by frame, and their ends, and returns true. Both may be NULL. */
struct sim_network_watcher {
    void *context;
    void (*sent)(void *context, size_t from, size_t to, struct nv_slice frame);
    bool (*alter)(void *context, size_t from, size_t to, struct nv_slice frame, struct nv_buffer *ret_frames,
                  size_t ret_ends[4], size_t *ret_count);
    void (*came)(void *context, size_t from, size_t to, struct nv_slice frame);
    void (*line)(void *context, size_t from, size_t to, const char *what);
};

void sim_network_start(uint64_t seed, const struct sim_network_watcher *watcher);
void sim_network_set_chance(uint64_t seed); /* what is drawn from now on */
void sim_network_end(void);

struct sim_way *sim_network_way(size_t from, size_t to);

/* The machine whose daemon has its turn. */
void sim_network_set_place(size_t place);
size_t sim_network_place(void);

/* From now on, whoever closes its network at this place is said to have done so, or not. */
void sim_network_set_silent(size_t place, bool silent);

/* Breaks what connects the two; who is not told finds out by silence. */
void sim_network_break(size_t a, size_t b, bool tell_a, bool tell_b);

/* The most bytes that were on their way from one machine to another at once. */
size_t sim_network_most_on_its_way(void);

uint64_t sim_network_frames(void); /* delivered so far */
