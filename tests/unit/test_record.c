/* The merge by example: the cases of a record's life, one by one. Random ones are in test_merge_core.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/meaning.h"
#include "core/record.h"

enum { F = 1, G = 2, ANNE = 1, BASILE = 2, CLAIRE = 3 }; /* two fields, and three writers who have a log each */

static const struct nv_site_id sites[] = {{{0}}, {{0xa}}, {{0xb}}, {{0xc}}};

/* What a writer knew: how far she had applied each log. */
struct known {
    struct nv_head heads[3];
    struct nv_vector vector;
};

static struct known *knowing(struct known *known, uint64_t anne, uint64_t basile, uint64_t claire)
{
    const uint64_t seqs[] = {anne, basile, claire};
    *known = (struct known){.vector = {.heads = known->heads}};
    for (nv_log_number log = ANNE; log <= CLAIRE; log++)
        if (seqs[log - 1] > 0)
            known->heads[known->vector.count++] = (struct nv_head){.log = log, .seq = seqs[log - 1]};
    return known;
}

static struct nv_dot dot(nv_log_number log, uint64_t seq)
{
    return (struct nv_dot){.log = log, .seq = seq};
}

static void put(struct nv_record *record, nv_log_number log, uint64_t seq, struct known *known, nv_fields fields)
{
    struct nv_op op = {.kind = NV_OP_PUT, .time = {(int64_t)(1000 * log + seq)}, .fields = fields};
    struct nv_cover cover = {.dot = dot(log, seq), .vector = &known->vector};
    assert_int_equal(nv_record_put(record, &cover, &op, fields, sites[log]), NV_OK);
}

static void put_except(struct nv_record *record, nv_log_number log, uint64_t seq, struct known *known, nv_fields fields,
                       struct nv_dot spared, nv_fields spared_fields)
{
    struct nv_op op = {.kind = NV_OP_PUT, .time = {(int64_t)seq}, .fields = fields};
    struct nv_local_except except = {spared, spared_fields};
    struct nv_cover cover = {.dot = dot(log, seq), .vector = &known->vector, .except_count = 1, .excepts = &except};
    assert_int_equal(nv_record_put(record, &cover, &op, fields, sites[log]), NV_OK);
}

static void erase(struct nv_record *record, nv_log_number log, uint64_t seq, struct known *known)
{
    struct nv_op op = {.kind = NV_OP_DELETE, .time = {(int64_t)seq}};
    struct nv_cover cover = {.dot = dot(log, seq), .vector = &known->vector};
    assert_int_equal(nv_record_delete(record, &cover, &op), NV_OK);
}

/* Which fields of that dot are siblings. */
static nv_fields siblings(const struct nv_record *record, nv_log_number log, uint64_t seq)
{
    nv_fields fields = 0;
    for (size_t i = 0; i < record->sibling_count; i++)
        if (nv_dot_compare(record->siblings[i].dot, dot(log, seq)) == 0)
            fields |= record->siblings[i].fields;
    return fields;
}

static void a_put_covers_what_its_writer_knew(void **state)
{
    (void)state;
    struct nv_record record = {0};
    struct known known;
    assert_false(nv_record_shown(&record));
    put(&record, ANNE, 1, knowing(&known, 0, 0, 0), F | G);
    put(&record, BASILE, 1, knowing(&known, 1, 0, 0), F);
    assert_int_equal(siblings(&record, ANNE, 1), G);
    assert_int_equal(siblings(&record, BASILE, 1), F);
    assert_int_equal(nv_record_contested(&record), 0);
    assert_int_equal(nv_record_fields(&record), F | G);
    assert_true(nv_record_shown(&record));
    nv_record_done(&record);
}

static void concurrent_puts_are_siblings_of_their_common_fields_alone(void **state)
{
    (void)state;
    struct nv_record record = {0};
    struct known known;
    put(&record, ANNE, 1, knowing(&known, 0, 0, 0), F | G);
    put(&record, ANNE, 2, knowing(&known, 0, 0, 0), F);
    put(&record, BASILE, 1, knowing(&known, 1, 0, 0), F);
    assert_int_equal(nv_record_contested(&record), F);
    assert_int_equal(siblings(&record, ANNE, 1), G);
    put(&record, CLAIRE, 1, knowing(&known, 2, 1, 0), F);
    assert_int_equal(nv_record_contested(&record), 0);
    assert_int_equal(siblings(&record, CLAIRE, 1), F);
    nv_record_done(&record);
}

static void a_delete_marks_and_removes_none(void **state)
{
    (void)state;
    struct nv_record record = {0};
    struct known known;
    put(&record, ANNE, 1, knowing(&known, 0, 0, 0), F | G);
    erase(&record, BASILE, 1, knowing(&known, 1, 0, 0));
    assert_false(nv_record_shown(&record));
    assert_int_equal(siblings(&record, ANNE, 1), F | G);
    /* Claire did not know of the delete: the record is shown again, with what she wrote and what she did not touch. */
    put(&record, CLAIRE, 1, knowing(&known, 1, 0, 0), F);
    assert_true(nv_record_shown(&record));
    assert_int_equal(record.delete_count, 1);
    assert_int_equal(siblings(&record, ANNE, 1), G);
    nv_record_done(&record);
}

static void a_write_that_knew_the_delete_ends_it(void **state)
{
    (void)state;
    struct nv_record record = {0};
    struct known known;
    put(&record, ANNE, 1, knowing(&known, 0, 0, 0), F | G);
    erase(&record, BASILE, 1, knowing(&known, 1, 0, 0));
    put(&record, ANNE, 2, knowing(&known, 0, 1, 0), F | G);
    assert_int_equal(record.delete_count, 0);
    assert_int_equal(record.mark_count, 0);
    assert_true(nv_record_shown(&record));
    nv_record_done(&record);
}

static void a_later_delete_takes_the_place_of_the_one_it_knew(void **state)
{
    (void)state;
    struct nv_record record = {0};
    struct known known;
    put(&record, ANNE, 1, knowing(&known, 0, 0, 0), F);
    erase(&record, BASILE, 1, knowing(&known, 1, 0, 0));
    erase(&record, CLAIRE, 1, knowing(&known, 1, 0, 0));
    assert_int_equal(record.delete_count, 2);
    erase(&record, ANNE, 2, knowing(&known, 0, 1, 1));
    assert_int_equal(record.delete_count, 1);
    assert_int_equal(record.deletes[0].dot.log, ANNE);
    assert_false(nv_record_shown(&record));
    nv_record_done(&record);
}

static void an_except_spares_one_field_of_one_dot(void **state)
{
    (void)state;
    struct nv_record record = {0};
    struct known known;
    put(&record, ANNE, 1, knowing(&known, 0, 0, 0), F | G);
    put_except(&record, BASILE, 1, knowing(&known, 1, 0, 0), F | G, dot(ANNE, 1), F);
    assert_int_equal(siblings(&record, ANNE, 1), F);
    assert_int_equal(siblings(&record, BASILE, 1), F | G);
    assert_int_equal(nv_record_contested(&record), F);
    nv_record_done(&record);
}

static void ops_of_one_changeset_do_not_cover_one_another(void **state)
{
    (void)state;
    struct nv_record record = {0};
    struct known known;
    knowing(&known, 0, 0, 0);
    struct nv_op op = {.kind = NV_OP_PUT, .fields = F};
    for (uint32_t index = 0; index < 2; index++) {
        struct nv_cover cover = {.dot = {.log = ANNE, .index = index, .seq = 1}, .vector = &known.vector};
        assert_int_equal(nv_record_put(&record, &cover, &op, F, sites[ANNE]), NV_OK);
    }
    assert_int_equal(record.sibling_count, 2);
    nv_record_done(&record);
}

static void fields_of_several_times_stand_apart(void **state)
{
    (void)state;
    struct nv_record record = {0};
    struct known known;
    knowing(&known, 0, 0, 0);
    struct nv_op op = {.kind = NV_OP_PUT, .time = {1000}, .fields = F | G | 4, .ages = {0, 300, 0}};
    struct nv_cover cover = {.dot = dot(ANNE, 1), .vector = &known.vector};
    /* The first field is refused, so the ages must not slip. */
    assert_int_equal(nv_record_put(&record, &cover, &op, G | 4, sites[ANNE]), NV_OK);
    assert_int_equal(record.sibling_count, 2);
    assert_int_equal(record.siblings[0].time.ms, 700);
    assert_int_equal(record.siblings[0].fields, G);
    assert_int_equal(record.siblings[1].time.ms, 1000);
    assert_int_equal(record.siblings[1].fields, 4);
    /* One mark for the dot, whatever the times. */
    erase(&record, BASILE, 1, knowing(&known, 1, 0, 0));
    assert_int_equal(record.mark_count, 1);
    assert_int_equal(record.marks[0].fields, G | 4);
    nv_record_done(&record);
}

static void the_home_is_the_least_that_puts_name(void **state)
{
    (void)state;
    struct nv_record record = {0};
    struct known known;
    put(&record, CLAIRE, 1, knowing(&known, 0, 0, 0), F);
    assert_int_equal(nv_site_id_compare(record.home, sites[CLAIRE]), 0);
    struct nv_op op = {.kind = NV_OP_PUT, .fields = F, .has_home = true, .home = sites[CLAIRE]};
    struct nv_cover cover = {.dot = dot(ANNE, 1), .vector = &knowing(&known, 0, 0, 1)->vector};
    assert_int_equal(nv_record_put(&record, &cover, &op, F, sites[ANNE]), NV_OK);
    assert_int_equal(nv_site_id_compare(record.home, sites[CLAIRE]), 0);
    put(&record, BASILE, 1, knowing(&known, 0, 0, 0), F);
    assert_int_equal(nv_site_id_compare(record.home, sites[BASILE]), 0);
    nv_record_clear(&record);
    assert_false(record.has_home);
    assert_int_equal(nv_site_id_compare(record.home, (struct nv_site_id){{0}}), 0); /* digests read it as it stands */
    nv_record_done(&record);
}

static void equality_sees_every_part(void **state)
{
    (void)state;
    struct nv_record a = {0}, b = {0};
    struct known known;
    put(&a, ANNE, 1, knowing(&known, 0, 0, 0), F | G);
    put(&b, ANNE, 1, knowing(&known, 0, 0, 0), F | G);
    assert_true(nv_record_equal(&a, &b));
    b.siblings[0].fields = F;
    assert_false(nv_record_equal(&a, &b));
    b.siblings[0].fields = F | G;
    b.siblings[0].time.ms++;
    assert_false(nv_record_equal(&a, &b));
    b.siblings[0].time.ms--;
    b.home = sites[CLAIRE];
    assert_false(nv_record_equal(&a, &b));
    b.home = a.home;
    erase(&a, BASILE, 1, knowing(&known, 1, 0, 0));
    assert_false(nv_record_equal(&a, &b));
    erase(&b, BASILE, 1, knowing(&known, 0, 0, 0));
    assert_false(nv_record_equal(&a, &b));
    nv_record_clear(&b);
    assert_false(nv_record_equal(&a, &b));
    put(&b, ANNE, 1, knowing(&known, 0, 0, 0), F | G);
    erase(&b, BASILE, 1, knowing(&known, 1, 0, 0));
    assert_true(nv_record_equal(&a, &b));
    struct {
        nv_fields *fields;
        uint32_t *index;
        int64_t *time;
    } parts = {&b.marks[0].fields, &b.marks[0].by.index, &b.deletes[0].time.ms};
    --*parts.fields;
    assert_false(nv_record_equal(&a, &b));
    ++*parts.fields;
    ++*parts.index;
    assert_false(nv_record_equal(&a, &b));
    --*parts.index;
    ++*parts.time;
    assert_false(nv_record_equal(&a, &b));
    --*parts.time;
    b.deletes[0].dot.seq++;
    assert_false(nv_record_equal(&a, &b));
    b.deletes[0].dot.seq--;
    put(&b, CLAIRE, 1, knowing(&known, 0, 1, 0), 4);
    assert_false(nv_record_equal(&a, &b));
    nv_record_done(&a);
    nv_record_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_covers_what_its_writer_knew),
        cmocka_unit_test(concurrent_puts_are_siblings_of_their_common_fields_alone),
        cmocka_unit_test(a_delete_marks_and_removes_none),
        cmocka_unit_test(a_write_that_knew_the_delete_ends_it),
        cmocka_unit_test(a_later_delete_takes_the_place_of_the_one_it_knew),
        cmocka_unit_test(an_except_spares_one_field_of_one_dot),
        cmocka_unit_test(ops_of_one_changeset_do_not_cover_one_another),
        cmocka_unit_test(fields_of_several_times_stand_apart),
        cmocka_unit_test(the_home_is_the_least_that_puts_name),
        cmocka_unit_test(equality_sees_every_part),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
