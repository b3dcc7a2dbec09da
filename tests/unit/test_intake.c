/* What waits between the line and the log: order, verdicts, and the bounds of the waiting room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/intake.h"

static struct nv_far_head head_of(uint8_t writer, uint64_t seq)
{
    return (struct nv_far_head){.site = {{writer}}, .epoch = 1, .seq = seq, .pin = {{writer, (uint8_t)seq}}};
}

/* A batch of `count` changesets of that log from `seq` on; each says its seq in its first byte. */
static void put_from(struct nv_intake *intake, uint8_t sender, uint8_t writer, uint64_t seq, size_t count, size_t size)
{
    static uint8_t bytes[1 << 20];
    struct nv_slice changesets[8];
    struct nv_far_head heads[8];
    uint8_t firsts[8][16];
    for (size_t i = 0; i < count; i++) {
        heads[i] = head_of(writer, seq + i);
        firsts[i][0] = (uint8_t)(seq + i);
        changesets[i] = (struct nv_slice){size <= sizeof firsts[i] ? firsts[i] : bytes, size};
    }
    assert_int_equal(nv_intake_put(intake, 7, (struct nv_site_id){{sender}}, 3, changesets, heads, count), NV_OK);
}

static void put(struct nv_intake *intake, uint8_t writer, uint64_t seq, size_t count, size_t size)
{
    put_from(intake, 9, writer, seq, count, size);
}

static size_t offer(struct nv_intake *intake, uint64_t own_seq, struct nv_offered *offered, size_t capacity)
{
    struct nv_far_head own = head_of(1, own_seq);
    return nv_intake_offer(intake, &own, own_seq > 0, offered, capacity, 1 << 20);
}

static void judge(struct nv_intake *intake, const struct nv_offered *offered, enum nv_judged judged)
{
    assert_int_equal(nv_intake_judge(intake, offered, judged, "why not"), NV_OK);
}

static void a_batch_is_done_once_all_of_it_is_judged(void **state)
{
    (void)state;
    struct nv_intake *intake = nv_intake_new();
    struct nv_offered offered[8];
    struct nv_taken_in taken;
    put(intake, 1, 1, 3, 10);
    put(intake, 2, 1, 1, 10);
    assert_int_equal(offer(intake, 0, offered, 8), 4);
    assert_int_equal(offered[2].bytes.data[0], 3);
    assert_int_equal(offered[2].from.bytes[0], 9);
    judge(intake, &offered[0], NV_JUDGED_TAKEN);
    judge(intake, &offered[1], NV_JUDGED_REFUSED);
    assert_false(nv_intake_finished(intake, &taken));
    /* Those that were not judged come again, first. */
    assert_int_equal(offer(intake, 1, offered, 8), 2);
    assert_int_equal(offered[0].bytes.data[0], 3);
    judge(intake, &offered[0], NV_JUDGED_KNOWN);
    assert_true(nv_intake_finished(intake, &taken));
    assert_int_equal(taken.session, 7);
    assert_int_equal(taken.pull, 3);
    assert_int_equal(taken.bytes, 30);
    assert_int_equal(taken.taken, 1);
    assert_int_equal(taken.refused, 1);
    assert_string_equal(taken.text, "why not");
    assert_false(nv_intake_finished(intake, &taken));
    assert_true(nv_intake_has_work(intake));
    nv_intake_free(intake);
}

static void one_that_waits_is_tried_again_when_it_is_the_next_and_our_heads_grew(void **state)
{
    (void)state;
    struct nv_intake *intake = nv_intake_new();
    struct nv_offered offered[8];
    struct nv_taken_in taken;
    put(intake, 1, 3, 1, 10);
    assert_int_equal(offer(intake, 0, offered, 8), 1);
    judge(intake, &offered[0], NV_JUDGED_WAITS);
    assert_true(nv_intake_finished(intake, &taken));
    assert_int_equal(taken.taken, 0);
    assert_int_equal(nv_intake_waiting(intake), 1);
    assert_false(nv_intake_has_work(intake));
    nv_intake_grew(intake);
    assert_true(nv_intake_has_work(intake));
    assert_int_equal(offer(intake, 1, offered, 8), 0); /* the second is missing still */
    nv_intake_grew(intake);
    assert_int_equal(offer(intake, 2, offered, 8), 1);
    assert_int_equal(offered[0].bytes.data[0], 3);
    judge(intake, &offered[0], NV_JUDGED_WAITS); /* on another log */
    assert_int_equal(offer(intake, 2, offered, 8), 0);
    nv_intake_grew(intake);
    assert_int_equal(offer(intake, 2, offered, 8), 1);
    judge(intake, &offered[0], NV_JUDGED_TAKEN);
    assert_int_equal(offer(intake, 3, offered, 8), 0);
    assert_int_equal(nv_intake_waiting(intake), 0);
    nv_intake_free(intake);
}

static void what_waits_already_is_not_kept_twice(void **state)
{
    (void)state;
    struct nv_intake *intake = nv_intake_new();
    struct nv_offered offered[8];
    for (int i = 0; i < 3; i++) {
        struct nv_taken_in taken;
        put(intake, 1, 3, 1, 10);
        assert_int_equal(offer(intake, 0, offered, 8), 1);
        judge(intake, &offered[0], NV_JUDGED_WAITS);
        assert_true(nv_intake_finished(intake, &taken));
    }
    assert_int_equal(nv_intake_waiting(intake), 1);
    nv_intake_free(intake);
}

/* Makes `count` changesets wait, from seq 2 on. */
static void fill(struct nv_intake *intake, uint64_t count, size_t size)
{
    struct nv_offered offered[8];
    for (uint64_t seq = 2; seq < count + 2; seq++) {
        struct nv_taken_in taken;
        put(intake, 1, seq, 1, size);
        assert_int_equal(offer(intake, 0, offered, 8), 1);
        judge(intake, &offered[0], NV_JUDGED_WAITS);
        assert_true(nv_intake_finished(intake, &taken));
    }
    assert_int_equal(offer(intake, 0, offered, 8), 0);
}

static void the_waiting_room_has_a_bound_and_the_oldest_leave(void **state)
{
    (void)state;
    struct nv_intake *intake = nv_intake_new();
    struct nv_offered offered[8];
    fill(intake, NV_LIMIT_WAITING_CHANGESETS + 5, 10);
    assert_int_equal(nv_intake_waiting(intake), NV_LIMIT_WAITING_CHANGESETS);
    nv_intake_grew(intake);
    assert_int_equal(offer(intake, 1, offered, 8), 0); /* 2 was evicted */
    nv_intake_grew(intake);
    assert_int_equal(offer(intake, 6, offered, 8), 1);
    assert_int_equal(offered[0].bytes.data[0], 7);
    nv_intake_free(intake);

    intake = nv_intake_new();
    fill(intake, 20, 1 << 20);
    assert_int_equal(nv_intake_waiting(intake), NV_LIMIT_WAITING_BYTES >> 20);
    nv_intake_free(intake);
}

static void an_offer_keeps_to_its_bounds(void **state)
{
    (void)state;
    struct nv_intake *intake = nv_intake_new();
    struct nv_offered offered[8];
    put(intake, 1, 1, 8, 10);
    assert_int_equal(offer(intake, 0, offered, 5), 5);
    assert_int_equal(nv_intake_offer(intake, NULL, 0, offered, 8, 25), 3);
    nv_intake_free(intake);
}

/* One sender's flood does not hold up another's few; each sender's own stay in order, and a batch ends when it is done.
 */
static void each_sender_has_a_share_of_an_offer(void **state)
{
    (void)state;
    struct nv_intake *intake = nv_intake_new();
    struct nv_offered offered[128];
    struct nv_taken_in taken;
    for (uint64_t i = 0; i < 32; i++)
        put_from(intake, 8, 1, 1 + 8 * i, 8, 10);
    put_from(intake, 9, 2, 1, 2, 10);
    assert_int_equal(offer(intake, 0, offered, 128), 128);
    size_t place = 0;
    while (place < 128 && offered[place].from.bytes[0] != 9)
        place++;
    assert_true(place < 64);
    for (size_t i = 0, seq = 1; i < 128; i++)
        if (offered[i].from.bytes[0] == 8)
            assert_int_equal(offered[i].bytes.data[0], seq++);
    for (size_t i = 0; i < place + 2; i++)
        judge(intake, &offered[i], NV_JUDGED_REFUSED);
    size_t batches = 0, accepted = 0;
    for (; nv_intake_finished(intake, &taken); batches++)
        accepted += taken.bytes == 20;
    assert_int_equal(batches, place / 8 + 1);
    assert_int_equal(accepted, 1);
    put_from(intake, 9, 2, 3, 1, 10); /* the end of the queue is where it was */
    assert_int_equal(offer(intake, 0, offered, 128), 128);
    for (place = 0; place < 128 && offered[place].from.bytes[0] != 9;)
        place++;
    assert_true(place < 64);
    nv_intake_free(intake);
}

/* Two histories of one log, of which nobody knows yet which is signed: one must not keep out the other. */
static void two_changesets_at_one_place_wait_side_by_side(void **state)
{
    (void)state;
    struct nv_intake *intake = nv_intake_new();
    struct nv_offered offered[8];
    struct nv_taken_in taken;
    uint8_t byte = 0;
    struct nv_slice changeset = {&byte, 1};
    for (uint8_t pin = 0; pin < 2; pin++) {
        struct nv_far_head head = head_of(1, 3);
        head.pin.bytes[0] = pin;
        assert_int_equal(nv_intake_put(intake, 7, (struct nv_site_id){{9}}, 3, &changeset, &head, 1), NV_OK);
        assert_int_equal(offer(intake, 0, offered, 8), 1);
        judge(intake, &offered[0], NV_JUDGED_WAITS);
        assert_true(nv_intake_finished(intake, &taken));
    }
    assert_int_equal(nv_intake_waiting(intake), 2);
    nv_intake_grew(intake);
    assert_int_equal(offer(intake, 2, offered, 8), 2);
    nv_intake_free(intake);
    nv_intake_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_done_once_all_of_it_is_judged),
        cmocka_unit_test(one_that_waits_is_tried_again_when_it_is_the_next_and_our_heads_grew),
        cmocka_unit_test(what_waits_already_is_not_kept_twice),
        cmocka_unit_test(the_waiting_room_has_a_bound_and_the_oldest_leave),
        cmocka_unit_test(an_offer_keeps_to_its_bounds),
        cmocka_unit_test(each_sender_has_a_share_of_an_offer),
        cmocka_unit_test(two_changesets_at_one_place_wait_side_by_side),
    };
    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
