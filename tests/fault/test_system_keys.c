/* Making and reading keys, where any of the system's calls fails: no key is half made, none is taken that was not
 * written, and the next try succeeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fault/system.h"
#include "wire/keys.h"

static char folder[64], keys[80], file[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/navette-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(keys, sizeof keys, "%s/keys", folder);
    snprintf(file, sizeof file, "%s/sign.key", keys);
    return 0;
}

static void remove_keys(void)
{
    unlink(file);
    rmdir(keys);
}

static int remove_folder(void **state)
{
    (void)state;
    remove_keys();
    return rmdir(folder);
}

static enum nv_status create(struct nv_sign_key *key, struct nv_error *error)
{
    *error = (struct nv_error){NV_OK, ""};
    return nv_sign_key_create(keys, "sign.key", key, error);
}

static void check_failed(enum nv_status status, int cause, const struct nv_error *error)
{
    assert_int_equal(status, cause == ENOSPC ? NV_FULL : NV_IO);
    assert_int_equal(error->status, status);
    assert_non_null(strstr(error->text, strerror(cause)));
}

/* Fails at the first call, the second, … until none is left. */
static void create_where_calls_fail(int cause)
{
    struct nv_sign_key key, read;
    struct nv_error error;
    bool had_fault = true;
    unsigned harmless = 0; /* the folder's own close, after all is durable */
    for (unsigned at = 1; had_fault; at++) {
        remove_keys();
        nv_system_plan(at, cause);
        enum nv_status status = create(&key, &error);
        had_fault = nv_system_end();
        if (status != NV_OK) {
            check_failed(status, cause, &error);
            assert_int_equal(access(file, F_OK), -1); /* else it could not be tried again */
            assert_int_equal(create(&key, &error), NV_OK);
        } else {
            harmless += had_fault;
        }
        assert_int_equal(nv_sign_key_load(keys, "sign.key", &read, &error), NV_OK);
        assert_memory_equal(&read, &key, sizeof key);
    }
    assert_int_equal(harmless, 1);
}

static void a_key_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    create_where_calls_fail(EIO);
    create_where_calls_fail(ENOSPC);
}

static void a_key_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct nv_sign_key key, read, untouched;
    struct nv_error error;
    bool had_fault = true;
    remove_keys();
    assert_int_equal(create(&key, &error), NV_OK);
    memset(&untouched, 0x55, sizeof untouched);
    for (unsigned at = 1; had_fault; at++) {
        read = untouched;
        nv_system_plan(at, EIO);
        enum nv_status status = nv_sign_key_load(keys, "sign.key", &read, &error);
        had_fault = nv_system_end();
        if (status != NV_OK)
            check_failed(status, EIO, &error);
        assert_memory_equal(&read, status == NV_OK ? &key : &untouched, sizeof key);
    }
}

/* A call that a signal interrupts, or that does a part, is gone on with. */
static void interruptions_are_nothing(void **state)
{
    (void)state;
    struct nv_sign_key key, read;
    struct nv_error error;
    for (int cause = 0; cause < 2; cause++) {
        remove_keys();
        nv_system_interrupt(cause == 0 ? EINTR : 0);
        assert_int_equal(create(&key, &error), NV_OK);
        assert_int_equal(nv_sign_key_load(keys, "sign.key", &read, &error), NV_OK);
        assert_true(nv_system_end());
        assert_memory_equal(&read, &key, sizeof key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_made_whole_or_not_at_all),
        cmocka_unit_test(a_key_is_read_whole_or_not_at_all),
        cmocka_unit_test(interruptions_are_nothing),
    };
    struct nv_error error;
    if (nv_wire_start(&error) != NV_OK)
        return 1;
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
