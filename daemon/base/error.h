/* Errors: one enum for the whole project, and a sentence for a person.
 *
 * Results of SQLite, ZeroMQ, libsodium and protobuf become one of these at the adapter that called them. A function
 * that can fail returns the status and, where it takes a `struct nv_error *`, leaves there what happened, what it means
 * and what to do. Such a sentence never holds a record's content nor a key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum nv_status {
    NV_OK = 0,
    NV_NO_MEMORY,
    NV_IO,          /* a disk, file or system call failed */
    NV_FULL,        /* the disk is full; nothing was changed */
    NV_BUSY,        /* somebody else holds it; try again */
    NV_CORRUPT,     /* what was stored is not what was written */
    NV_REFUSED,     /* input from a peer, a file or a user is wrong */
    NV_NOT_FOUND,   /* what was asked for does not exist */
    NV_NOT_SO,      /* the thing asked for is not so: a digest differs, a conflict is open */
    NV_NOT_YET,     /* it needs something that has not arrived, or newer software */
    NV_USAGE,       /* the command line is wrong */
    NV_UNREACHABLE, /* a peer does not answer */
    NV_BUG,         /* ours */
};

struct nv_error {
    enum nv_status status;
    char text[640];
};

/* Sets the status and the sentence; returns the status. `error` may be NULL. The sentence is in the language that the
 * program chose (base/catalogue.h): the format is what the catalogue knows it by. What it prints is looked up by the
 * caller, where that is words. */
enum nv_status nv_fail(struct nv_error *error, enum nv_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* NV_NO_MEMORY, with its sentence. */
enum nv_status nv_no_memory(struct nv_error *error);

/* Puts "prefix: " before the sentence that is there; returns its status. */
enum nv_status nv_fail_in(struct nv_error *error, const char *prefix);

/* A few words for the status, never NULL. */
const char *nv_status_text(enum nv_status status);

/* The exit code that the command line promises for the status (navette(1), "Exit status"). */
int nv_exit_code(enum nv_status status);
