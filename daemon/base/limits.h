/* A limit for everything that a peer, a file or a person controls.
 *
 * Those marked "protocol" are constants of PROTOCOL.md: all sites refuse alike. The others bound this site's own memory
 * and time; they delay, and never refuse.
 */
#pragma once

#define NV_LIMIT_FIELDS 64                      /* protocol: fields of a table beside its key */
#define NV_LIMIT_KEY_COLUMNS 8                  /* protocol: columns of a key */
#define NV_LIMIT_NAME 64                        /* protocol: bytes of a table's, column's, site's or group's name */
#define NV_LIMIT_TABLES 1024                    /* protocol */
#define NV_LIMIT_ANCESTORS 16                   /* protocol: tables that one follows, over its parents */
#define NV_LIMIT_KEY_BYTES 4096                 /* protocol: an encoded key */
#define NV_LIMIT_OP_BYTES (16u << 20)           /* protocol: one op, encoded */
#define NV_LIMIT_BOXED_OP_BYTES 14680063u       /* protocol: one op in a box, encoded: 14 MiB less the padding's byte */
#define NV_LIMIT_BODY_BYTES (20u << 20)         /* protocol: the ops of one changeset, decompressed */
#define NV_LIMIT_CHANGESET_OPS 4096             /* protocol */
#define NV_LIMIT_HEADER_BYTES (128u << 10)      /* protocol */
#define NV_LIMIT_CONTEXT_HEADS 2048             /* protocol: heads in one context, and so logs of a scope */
#define NV_LIMIT_EXCEPTS 4096                   /* protocol: excepts of one op */
#define NV_LIMIT_MESSAGE_BYTES (24u << 20)      /* protocol: one message between nodes */
#define NV_LIMIT_SQL_BYTES (1u << 20)           /* protocol: the SQL text of one schema op */
#define NV_LIMIT_ABSOLUTE_CONTEXT_EVERY 256     /* protocol: at the least every so many headers */
#define NV_LIMIT_LOGS 8192                      /* protocol: logs that a network may have at once */
#define NV_LIMIT_NAMES 4096                     /* protocol: dots that one redact names */
#define NV_LIMIT_BOXES 4096                     /* protocol: boxes of one grant */
#define NV_LIMIT_ASKED_KEYS 256                 /* protocol: content keys that one ask names */
#define NV_LIMIT_RECOVERED_KEYS 65536           /* protocol: content keys in the answer to who recovers a site */
#define NV_LIMIT_TIME_MS 253402300799999        /* protocol: no time lies further from 1970 (the end of year 9999) */
#define NV_LIMIT_STATEMENTS 4096                /* protocol: SQL statements of one schema op */
#define NV_LIMIT_LABEL_BYTES 256                /* protocol: a column's label */
#define NV_LIMIT_DECLARATION_BYTES 79           /* protocol: a table's scope as declared */
#define NV_LIMIT_ENDPOINTS 8                    /* protocol: endpoints of one site */
#define NV_LIMIT_ENDPOINT_BYTES 255             /* protocol */
#define NV_LIMIT_SHORT_MESSAGE_BYTES (1u << 20) /* protocol: a message that carries no changesets */
#define NV_LIMIT_BATCH_CHANGESETS 16384         /* protocol: changesets of one message */
#define NV_LIMIT_CUTS 2048                      /* protocol: heads that an op names which takes a right away */
#define NV_LIMIT_GROUPS 1024                    /* protocol: groups of a network */
#define NV_LIMIT_SCOPES 2048                    /* protocol: scopes that one message names */
#define NV_LIMIT_LOGS_OF_SITE 64                /* logs of one site in a scope: further ones wait */
#define NV_LIMIT_HUB_READERS 16                 /* hubs that a site lets read */
#define NV_LIMIT_SESSIONS 1024                  /* open sessions of one daemon */
#define NV_LIMIT_OUTBOX_BYTES (16u << 20)       /* sent to one site, and not yet gone over its lines */
#define NV_LIMIT_WAITING_CHANGESETS 512         /* changesets that wait for what they depend on */
#define NV_LIMIT_WAITING_BYTES (16u << 20)      /* and their bytes */
/* What is held beyond the logs, valid and not counted. An ex-member's last work, before somebody vouches for it, is
 * some hundred changesets; a thief can sign as many as they like. What a member's changeset names, or an op that takes
 * the right, is kept above these bounds: the word of a member costs no more than that member's own log could. */
#define NV_LIMIT_BEYOND_OF_LOG 1024       /* changesets of one log */
#define NV_LIMIT_BEYOND_CHANGESETS 8192   /* of all of them: each time what counts is found, they are looked at */
#define NV_LIMIT_BEYOND_BYTES (64u << 20) /* and their bytes */
#define NV_LIMIT_BEYOND_BRANCHES 4        /* at one place of a log: further ones wait for a person */
