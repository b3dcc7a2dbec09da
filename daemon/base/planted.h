/* Bugs on purpose, by which the simulation is tested: it must catch each of them (`make test-planted`).
 *
 * A build with PLANTED=1 holds them all, asleep until one is chosen by its name. In every other build NV_PLANTED is
 * false to the compiler, and nothing of them is left, which `make check-source` looks after. A further bug is one line
 * here and one where it bites: a defect that a tired person could make, which a demonstration would not show.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The name, and what the bug does. */
#define NV_PLANTED_BUGS(BUG)                                                                                           \
    /* what is durable */                                                                                              \
    BUG(SKIP_FSYNC, "no commit waits for the disk")                                                                    \
    BUG(SEND_EARLY, "what was sealed is sent before the disk has it")                                                  \
    BUG(ACKNOWLEDGE_EARLY, "Has names what was received and is not committed yet")                                     \
    BUG(REUSE_SEQ, "the heads of logs are saved after the commit, and a seq may be given twice")                       \
    BUG(ROLLBACK_KEEPS_HEADS, "after a failed commit the heads in memory are ahead of the file")                       \
    /* what people write */                                                                                            \
    BUG(APPLY_OVER_UNSEALED, "a remote change is merged into a row whose own change is not sealed")                    \
    BUG(SEAL_TIME, "an op has the time of its sealing, not of its writing")                                            \
    BUG(STALE_FORM, "a form that was saved late covers the change that it did not show")                               \
    BUG(HIDDEN_COVERED, "a plain write covers the values of a conflict that the row did not show")                     \
    BUG(REBUILT_UNSCANNED, "a table that a tool rebuilt is tracked again and not compared")                            \
    BUG(MISSING_AS_DELETED, "rows that a comparison misses are sealed as deletes")                                     \
    BUG(LOSE_WAKE_UP, "what the store could not do at once is not tried again")                                        \
    /* what is taken of others */                                                                                      \
    BUG(IGNORE_CONTEXT, "a changeset is merged before what its context names")                                         \
    BUG(HAS_UNCLOSED, "a changeset is held, and told, before what its context names")                                  \
    BUG(APPLY_BEFORE_AUTHORITY, "a changeset is merged before its authority position has arrived")                     \
    BUG(REFUSE_BY_CLOCK, "a changeset that seems sealed an hour from now is refused")                                  \
    BUG(SKIP_SIGNATURE, "signatures are not verified")                                                                 \
    BUG(SKIP_OPS_ROOT, "a body need not be the one that was signed")                                                   \
    BUG(ADMIT_MISSING_BODY, "a body that is missing is not noted as owed")                                             \
    BUG(DROP_WAITING, "a changeset that waits for a table is passed over, and counts as merged")                       \
    /* what counts */                                                                                                  \
    BUG(CUT_BY_SEQ, "what an op names is cut at that seq, whichever branch it is")                                     \
    BUG(CARRIER_VOUCHES, "who only carries a scope vouches in it")                                                     \
    BUG(VOUCH_AFTER, "a site vouches for what it merged after it took up the op that takes the right")                 \
    BUG(VOUCH_UNCOUNTED, "what does not count vouches all the same, so that two thieves vouch for each other")         \
    BUG(RIGHTS_BY_ARRIVAL, "rights are judged by what holds when a changeset arrives")                                 \
    BUG(KEEP_CUT, "what an op cuts off stays in the logs")                                                             \
    BUG(NEVER_JOINS, "what is held beside the logs never joins them")                                                  \
    BUG(OWN_UNCOUNTED_STAYS, "what a site wrote and does not count stays in its own tables")                           \
    BUG(SESSION_OUTLIVES, "a session goes on although its key is nobody's any more")                                   \
    /* who may read */                                                                                                 \
    BUG(LEAK_SCOPE, "a peer is sent what it does not carry, if it says that it does")                                  \
    BUG(KEY_KEPT, "a log's content key stays the same when its readers change")                                        \
    BUG(GRANT_TO_REMOVED, "keys are granted by the rights before the newest change of them")                           \
    BUG(UNBOUND_BOX, "a box is not bound to its place in the log")                                                     \
    BUG(DELETE_IN_CLEAR, "deletes are not sealed")                                                                     \
    BUG(PLACED_WIDE, "what cannot be placed where it asks to be is placed in the network")                             \
    BUG(WIDER_FIRST, "of several records of one key the row shows the widest")                                         \
    BUG(SKIP_HOME, "what the home alone may write is written by anybody")                                              \
    BUG(KEEP_ROWS, "a site that no longer reads a scope keeps its rows")                                               \
    /* what it means */                                                                                                \
    BUG(COLLAPSE_EQUAL, "a put of the value that the row shows is no sibling")                                         \
    BUG(DELETE_DROPS_SIBLINGS, "a delete removes the siblings that it marks")                                          \
    BUG(BARE_EXCEPT, "an except is of a dot, whatever its fields")                                                     \
    BUG(FORGET_SIBLING, "an op covers what its own log wrote before, also what it excepts")                            \
    BUG(OPS_COVER_EACH_OTHER, "an op covers those before it in its own changeset")                                     \
    BUG(HOME_BY_ARRIVAL, "the home is the one that was named first here")                                              \
    BUG(SHOWN_BY_ARRIVAL, "the row shows what came last here, whatever the rule says")                                 \
    BUG(REDACTION_NOT_DERIVED, "records are not derived anew when a body was redacted")                                \
    /* what is said between nodes */                                                                                   \
    BUG(WRONG_CURSOR, "a pull goes on where the one before it ended")                                                  \
    BUG(PLACE_KEPT, "a pull that is done never gives back its place")                                                  \
    BUG(NEVER_SILENT, "a session with a silent peer is never closed")

#ifdef NAVETTE_PLANTED

#define NV_PLANTED_AS_ENUM(name, text) NV_PLANTED_##name,
enum nv_planted { NV_PLANTED_NONE, NV_PLANTED_BUGS(NV_PLANTED_AS_ENUM) };
#undef NV_PLANTED_AS_ENUM

#define NV_PLANTED(name) nv_planted_is(NV_PLANTED_##name)

/* Whether that bug is the one that was chosen. */
bool nv_planted_is(enum nv_planted bug);

/* Wakes one bug, for the whole process; false where none is called so. */
bool nv_planted_choose(const char *name);

#else
#define NV_PLANTED(name) false
#endif
