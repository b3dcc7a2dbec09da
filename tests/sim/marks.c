#include "marks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char value_sign[] = "~zq", key_sign[] = "~zk";
enum { SIGN_BYTES = 3 };

void sim_mark_text(unsigned mark, char ret_text[SIM_MARK_TEXT])
{
    snprintf(ret_text, SIM_MARK_TEXT, "%s%u~", value_sign, mark);
}

void sim_mark_key_text(enum sim_table table, size_t key, char ret_text[SIM_MARK_TEXT])
{
    assert(key < SIM_KEYS_MOST);
    snprintf(ret_text, SIM_MARK_TEXT, "%s%d%zu~", key_sign, (int)table, key);
}

unsigned sim_marks_add(struct sim_marks *marks, const struct sim_mark *mark)
{
    if (marks->count + 1 >= SIM_MARKS)
        return 0;
    marks->marks[++marks->count] = *mark;
    return marks->count;
}

void sim_marks_add_move(struct sim_marks *marks, const struct sim_mark_move *move)
{
    for (size_t i = 0; i < marks->move_count; i++)
        if (memcmp(&marks->moves[i], move, sizeof *move) == 0)
            return;
    assert(marks->move_count < SIM_MARK_MOVES);
    marks->moves[marks->move_count++] = *move;
}

/* ---- searching ---- */

/* The digits behind a sign, up to the closing one; false where that is no mark. */
static bool read_number(struct nv_slice bytes, size_t at, unsigned *ret_number)
{
    unsigned number = 0;
    size_t start = at;
    for (; at < bytes.size && bytes.data[at] >= '0' && bytes.data[at] <= '9' && at - start < 6; at++)
        number = number * 10 + (unsigned)(bytes.data[at] - '0');
    *ret_number = number;
    return at > start && at < bytes.size && bytes.data[at] == '~';
}

bool sim_marks_next(struct nv_slice bytes, size_t *at, unsigned *ret_mark, enum sim_table *ret_table, size_t *ret_key)
{
    while (*at + SIGN_BYTES < bytes.size) {
        const uint8_t *found = memmem(bytes.data + *at, bytes.size - *at, value_sign, SIGN_BYTES - 1);
        unsigned number;
        if (found == NULL)
            return false;
        size_t place = (size_t)(found - bytes.data);
        *at = place + 1;
        if (place + SIGN_BYTES >= bytes.size || !read_number(bytes, place + SIGN_BYTES, &number))
            continue;
        bool is_value = found[SIGN_BYTES - 1] == (uint8_t)value_sign[SIGN_BYTES - 1];
        if (!is_value && found[SIGN_BYTES - 1] != (uint8_t)key_sign[SIGN_BYTES - 1])
            continue;
        *ret_mark = is_value ? number : 0;
        *ret_table = (enum sim_table)(number / 10);
        *ret_key = number % 10;
        return true;
    }
    return false;
}

/* ---- who may have it ---- */

static bool reads_any(const struct sim_rights *rights, sim_scopes scopes, size_t place, uint64_t position)
{
    for (size_t bit = 0; bit < SIM_BITS; bit++)
        if (scopes >> bit & 1 && (bit == SIM_BIT_NETWORK || sim_rights_reads_from(rights, bit, place, position)))
            return true;
    return false;
}

/* With the scopes to which it was moved by somebody who ever read it. */
static sim_scopes with_moves(const struct sim_marks *marks, const struct sim_rights *rights, enum sim_table table,
                             size_t key, sim_scopes scopes)
{
    for (bool any = true; any;) {
        any = false;
        for (size_t i = 0; i < marks->move_count; i++) {
            const struct sim_mark_move *move = &marks->moves[i];
            if (move->table != table || move->key != key || scopes >> move->to & 1 ||
                !reads_any(rights, scopes, move->place, 0))
                continue;
            scopes |= (sim_scopes)1 << move->to;
            any = true;
        }
    }
    return scopes;
}

/* All that a record of that key was ever meant for. */
static sim_scopes meant_of_key(const struct sim_marks *marks, const struct sim_rights *rights, enum sim_table table,
                               size_t key)
{
    sim_scopes scopes = 0;
    for (unsigned mark = 1; mark <= marks->count; mark++)
        if (marks->marks[mark].table == table && marks->marks[mark].key == key)
            scopes |= marks->marks[mark].meant;
    return with_moves(marks, rights, table, key, scopes);
}

sim_scopes sim_marks_meant(const struct sim_marks *marks, const struct sim_rights *rights, unsigned number)
{
    const struct sim_mark *mark = &marks->marks[number];
    if (mark->table == SIM_LESSON) /* it goes where its learner goes */
        return mark->meant | meant_of_key(marks, rights, SIM_LEARNER, mark->key);
    return with_moves(marks, rights, mark->table, mark->key, mark->meant);
}

bool sim_marks_may_have(const struct sim_marks *marks, const struct sim_rights *rights, unsigned number, size_t place)
{
    const struct sim_mark *mark = &marks->marks[number];
    return number <= marks->count &&
           (mark->place == place || reads_any(rights, sim_marks_meant(marks, rights, number), place, mark->position));
}

bool sim_marks_may_have_key(const struct sim_marks *marks, const struct sim_rights *rights, enum sim_table table,
                            size_t key, size_t place)
{
    for (unsigned mark = 1; mark <= marks->count; mark++) {
        const struct sim_mark *one = &marks->marks[mark];
        bool is_of = one->table == table || (table == SIM_LEARNER && one->table == SIM_LESSON); /* which names it */
        if (is_of && one->key == key && sim_marks_may_have(marks, rights, mark, place))
            return true;
    }
    return false;
}
