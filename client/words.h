/* What `status` says to people, in French where they read French, else in English. JSON never changes with the
 * language. */
#pragma once

#include <stdint.h>

enum nv_sentence {
    NV_SAY_NO_NETWORK,
    NV_SAY_REVOKED,
    NV_SAY_ALONE,
    NV_SAY_STOPPED,
    NV_SAY_CONNECTING,
    NV_SAY_OFFLINE,
    NV_SAY_CATCHING_UP,
    NV_SAY_UP_TO_DATE,
    NV_SAY_PENDING,
    NV_SAY_CONFLICTS,
    NV_SAY_MISSING_ROWS,
    NV_SAY_MISSING_TABLE,
    NV_SAY_FORKS,
    NV_SAY_OWED,
    NV_SAY_WAITING,
    NV_SAY_QUARANTINE,
    NV_SAY_UNPLACED,
    NV_SAY_MOVING,
    NV_SAY_REFUSED,
    NV_SAY_PEER_IN_STEP,
    NV_SAY_PEER_BEHIND,
    NV_SAY_PEER_AWAY,
    NV_SAY_PEER_AWAY_BEHIND,
    NV_SAY_CLOCK_AHEAD,
    NV_SAY_CLOCK_BEHIND,
    NV_SAY_MEMBER,
    NV_SAY_MEMBER_SILENT,
    NV_SAY_CARRIED,
    NV_SAY_VOUCHED,
    NV_SAY_HELD_BESIDE,
    NV_SAY_SIZE,
    NV_SAY_FULL,
    NV_SAY_COUNT,
};

/* Prints the sentence and a newline: `number` picks singular or plural and stands where the sentence wants it, as do
 * `name` and `span` (NULL where it wants none). */
void nv_say(enum nv_sentence sentence, uint64_t number, const char *name, const char *span);

enum { NV_SPAN_TEXT = 48 };

/* "2 min", "3 h": how long it is. */
void nv_span(int64_t ms, char ret_text[NV_SPAN_TEXT]);

/* "2 min ago", "just now". */
void nv_span_ago(int64_t ms, char ret_text[NV_SPAN_TEXT]);

/* "12.5 MB". */
void nv_size_text(uint64_t bytes, char ret_text[NV_SPAN_TEXT]);
