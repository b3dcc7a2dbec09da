/* Keys and their files: what is written, what is refused, and what a file system that fails leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/keys.h"
#include "wire/recovery.h"
#include "wire_samples.h"

/* ---- a file system that fails -------------------------------------------------------------------------------------
 *
 * These stand before the C library's in this program: the call that is named fails once, after so many good ones.
 */

static struct {
    const char *call;
    unsigned good;
    int cause; /* 0: it does less than it was asked for, and says so */
} fault;

static bool fails(const char *call)
{
    if (fault.call == NULL || strcmp(fault.call, call) != 0)
        return false;
    if (fault.good > 0) {
        fault.good--;
        return false;
    }
    fault.call = NULL;
    errno = fault.cause;
    return true;
}

#define NEXT(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

int mkdir(const char *path, mode_t mode)
{
    return fails("mkdir") ? -1 : NEXT(int (*)(const char *, mode_t), "mkdir")(path, mode);
}

int fstat(int fd, struct stat *ret_facts)
{
    return fails("fstat") ? -1 : NEXT(int (*)(int, struct stat *), "fstat")(fd, ret_facts);
}

int fchmod(int fd, mode_t mode)
{
    return fails("fchmod") ? -1 : NEXT(int (*)(int, mode_t), "fchmod")(fd, mode);
}

int fsync(int fd)
{
    return fails("fsync") ? -1 : NEXT(int (*)(int), "fsync")(fd);
}

/* What a file system says late, it says here: the descriptor is gone all the same. */
int close(int fd)
{
    bool is_late = fails("close");
    int cause = errno, result = NEXT(int (*)(int), "close")(fd);
    if (!is_late)
        return result;
    errno = cause;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    bool is_failing = fails("write");
    if (is_failing && errno != 0)
        return -1;
    return NEXT(ssize_t(*)(int, const void *, size_t), "write")(fd, bytes, is_failing ? size / 2 : size);
}

ssize_t read(int fd, void *ret_bytes, size_t size)
{
    bool is_failing = fails("read");
    if (is_failing && errno != 0)
        return -1;
    return NEXT(ssize_t(*)(int, void *, size_t), "read")(fd, ret_bytes, is_failing ? size / 2 : size);
}

/* ---- key files ----------------------------------------------------------------------------------------------------
 */

struct folder {
    char root[64], keys[96], file[160];
};

static void make_folder(struct folder *folder)
{
    snprintf(folder->root, sizeof folder->root, "/tmp/navette-keys-XXXXXX");
    assert_non_null(mkdtemp(folder->root));
    snprintf(folder->keys, sizeof folder->keys, "%s/keys", folder->root);
    snprintf(folder->file, sizeof folder->file, "%s/sign.key", folder->keys);
}

static void remove_folder(const struct folder *folder)
{
    unlink(folder->file);
    rmdir(folder->keys);
    rmdir(folder->root);
}

static unsigned mode_of(const char *path)
{
    struct stat facts;
    assert_int_equal(lstat(path, &facts), 0);
    return facts.st_mode & 07777;
}

static void test_key_files(void **state)
{
    (void)state;
    struct folder folder;
    make_folder(&folder);
    struct nv_sign_key key, again;
    struct nv_error error = {0};
    assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, &error), NV_NOT_FOUND);
    mode_t before = umask(0);
    assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, &error), NV_OK);
    umask(before);
    assert_int_equal(mode_of(folder.keys), 0700);
    assert_int_equal(mode_of(folder.file), 0600);
    assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &again, &error), NV_OK);
    assert_memory_equal(&key, &again, sizeof key);
    assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &again, &error), NV_REFUSED);
    assert_memory_equal(&key, &again, sizeof key);
    assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &again, &error), NV_OK);
    remove_folder(&folder);
}

static void test_curve_key_files(void **state)
{
    (void)state;
    struct folder folder;
    make_folder(&folder);
    struct nv_curve_key key, again;
    assert_int_equal(nv_curve_key_create(folder.keys, "sign.key", &key, NULL), NV_OK);
    assert_int_equal(nv_curve_key_load(folder.keys, "sign.key", &again, NULL), NV_OK);
    assert_memory_equal(&key, &again, sizeof key);
    remove_folder(&folder);
}

static void test_key_file_modes(void **state)
{
    (void)state;
    struct folder folder;
    make_folder(&folder);
    struct nv_sign_key key;
    assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, NULL), NV_OK);
    static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0644};
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        assert_int_equal(chmod(folder.file, open_modes[i]), 0);
        assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, NULL), NV_REFUSED);
    }
    assert_int_equal(chmod(folder.file, 0400), 0);
    assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, NULL), NV_OK);
    /* No key goes into a folder that others may look into. */
    assert_int_equal(unlink(folder.file), 0);
    assert_int_equal(chmod(folder.keys, 0750), 0);
    assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, NULL), NV_REFUSED);
    assert_int_equal(access(folder.file, F_OK), -1);
    remove_folder(&folder);
}

static void test_damaged_key_files(void **state)
{
    (void)state;
    static const char *const contents[] = {"", "00\n", "zz", NULL};
    struct folder folder;
    make_folder(&folder);
    struct nv_sign_key key;
    assert_int_equal(mkdir(folder.keys, 0700), 0);
    for (size_t i = 0; contents[i] != NULL; i++) {
        int fd = open(folder.file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(write(fd, contents[i], strlen(contents[i])), strlen(contents[i]));
        close(fd);
        assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, NULL), NV_CORRUPT);
    }
    assert_int_equal(unlink(folder.file), 0);
    assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, NULL), NV_OK);
    int fd = open(folder.file, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "0", 1), 1);
    close(fd);
    assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, NULL), NV_CORRUPT);
    remove_folder(&folder);
}

static void a_link_or_a_folder_is_no_key(void **state)
{
    (void)state;
    struct folder folder;
    make_folder(&folder);
    struct nv_sign_key key;
    char other[sizeof folder.keys + 8];
    snprintf(other, sizeof other, "%s/other", folder.keys);
    assert_int_equal(nv_sign_key_create(folder.keys, "other", &key, NULL), NV_OK);
    assert_int_equal(symlink("other", folder.file), 0);
    assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, NULL), NV_IO);
    assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, NULL), NV_REFUSED);
    assert_int_equal(unlink(folder.file), 0);
    assert_int_equal(mkdir(folder.file, 0700), 0);
    assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, NULL), NV_REFUSED);
    assert_int_equal(rmdir(folder.file), 0);
    assert_int_equal(unlink(other), 0);
    /* Nor is a file a folder of keys. */
    assert_int_equal(rmdir(folder.keys), 0);
    int fd = open(folder.keys, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, NULL), NV_IO);
    assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, NULL), NV_IO);
    assert_int_equal(unlink(folder.keys), 0);
    remove_folder(&folder);
}

static void a_line_of_the_right_length_with_other_letters_is_no_key(void **state)
{
    (void)state;
    struct folder folder;
    make_folder(&folder);
    struct nv_sign_key key;
    assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, NULL), NV_OK);
    const struct {
        off_t at;
        char letter;
    } changes[] = {{0, 'g'}, {63, ' '}, {64, '0'}};
    for (size_t i = 0; i < 3; i++) {
        char before;
        int fd = open(folder.file, O_RDWR);
        assert_int_equal(pread(fd, &before, 1, changes[i].at), 1);
        assert_int_equal(pwrite(fd, &changes[i].letter, 1, changes[i].at), 1);
        assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, NULL), NV_CORRUPT);
        assert_int_equal(pwrite(fd, &before, 1, changes[i].at), 1);
        close(fd);
        assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &key, NULL), NV_OK);
    }
    remove_folder(&folder);
}

/* Nothing half-made stays, so that the next attempt is not told that there is a key already. */
static void a_key_that_could_not_be_kept_leaves_no_file(void **state)
{
    (void)state;
    const struct {
        const char *call;
        unsigned good;
        int cause;
        enum nv_status expected;
    } faults[] = {{"mkdir", 0, EACCES, NV_IO},  {"mkdir", 0, ENOSPC, NV_FULL}, {"fstat", 0, EIO, NV_IO},
                  {"fchmod", 0, EPERM, NV_IO},  {"write", 0, ENOSPC, NV_FULL}, {"write", 0, EDQUOT, NV_FULL},
                  {"write", 0, EIO, NV_IO},     {"fsync", 0, EIO, NV_IO},      {"fsync", 1, ENOSPC, NV_FULL},
                  {"close", 0, EDQUOT, NV_FULL}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct folder folder;
        struct nv_sign_key key = {0}, none = {0};
        struct nv_error error;
        make_folder(&folder);
        fault.call = faults[i].call;
        fault.good = faults[i].good;
        fault.cause = faults[i].cause;
        enum nv_status status = nv_sign_key_create(folder.keys, "sign.key", &key, &error);
        assert_null(fault.call);
        if (status != faults[i].expected)
            fail_msg("%s: %s", faults[i].call, nv_status_text(status));
        assert_non_null(strstr(error.text, strerror(faults[i].cause)));
        assert_memory_equal(&key, &none, sizeof key);
        assert_int_equal(access(folder.file, F_OK), -1);
        assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, NULL), NV_OK);
        remove_folder(&folder);
    }
}

static void a_call_that_was_interrupted_or_did_half_goes_on(void **state)
{
    (void)state;
    const int causes[] = {EINTR, 0};
    for (size_t i = 0; i < 2; i++) {
        struct folder folder;
        struct nv_sign_key key, again;
        make_folder(&folder);
        fault.call = "write";
        fault.good = 0;
        fault.cause = causes[i];
        assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, NULL), NV_OK);
        assert_null(fault.call);
        fault.call = "read";
        assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &again, NULL), NV_OK);
        assert_null(fault.call);
        assert_memory_equal(&key, &again, sizeof key);
        remove_folder(&folder);
    }
}

static void a_key_that_cannot_be_read_is_said_to_be_so(void **state)
{
    (void)state;
    struct folder folder;
    struct nv_sign_key key, read = {0}, none = {0};
    make_folder(&folder);
    assert_int_equal(nv_sign_key_create(folder.keys, "sign.key", &key, NULL), NV_OK);
    const char *const calls[] = {"fstat", "read"};
    for (size_t i = 0; i < 2; i++) {
        fault.call = calls[i];
        fault.good = 0;
        fault.cause = EIO;
        assert_int_equal(nv_sign_key_load(folder.keys, "sign.key", &read, NULL), NV_IO);
        assert_memory_equal(&read, &none, sizeof read);
    }
    struct nv_curve_key curve;
    assert_int_equal(nv_curve_key_create(folder.keys, "sign.key", &curve, NULL), NV_REFUSED);
    assert_int_equal(nv_curve_key_load(folder.keys, "none.key", &curve, NULL), NV_NOT_FOUND);
    remove_folder(&folder);
}

/* ---- recovery keys ------------------------------------------------------------------------------------------------
 */

static void a_site_that_asks_again_gets_the_same_recovery_key(void **state)
{
    (void)state;
    struct nv_invitation invitation = {.number = 7}, other = {.number = 7};
    struct nv_sign_key own = sample_key(1), another_site = sample_key(2);
    struct nv_curve_key key, again, different;
    other.secret[31] = 1;
    assert_int_equal(nv_recovery_derive(&invitation, &own, &key, NULL), NV_OK);
    assert_int_equal(nv_recovery_derive(&invitation, &own, &again, NULL), NV_OK);
    assert_memory_equal(&key, &again, sizeof key);
    assert_int_equal(nv_recovery_derive(&other, &own, &different, NULL), NV_OK);
    assert_memory_not_equal(key.secret, different.secret, sizeof key.secret);
    assert_int_equal(nv_recovery_derive(&invitation, &another_site, &different, NULL), NV_OK);
    assert_memory_not_equal(key.secret, different.secret, sizeof key.secret);
    uint8_t public_key[32];
    assert_int_equal(crypto_scalarmult_base(public_key, key.secret), 0);
    assert_memory_equal(key.public_key.bytes, public_key, sizeof public_key);
    assert_int_equal(nv_recovery_make(&different, NULL), NV_OK);
    assert_int_equal(nv_recovery_make(&again, NULL), NV_OK);
    assert_memory_not_equal(different.secret, again.secret, sizeof again.secret);
}

static void a_recovery_key_is_written_in_groups_of_four(void **state)
{
    (void)state;
    struct nv_curve_key key;
    char text[NV_RECOVERY_TEXT];
    for (uint8_t i = 0; i < 32; i++)
        key.secret[i] = i;
    nv_recovery_text(&key, text);
    assert_string_equal(text, "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f-1011-1213-1415-1617-1819-1a1b-1c1d-1e1f");
}

static void a_recovery_secret_is_read_as_people_type_it(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f-1011-1213-1415-1617-1819-1a1b-1c1d-1e1f",
        "0001 0203 0405 0607 0809 0A0B 0C0D 0E0F 1011 1213 1415 1617 1819 1A1B 1C1D 1E1F\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    };
    static const char *const bad[] = {
        "",
        "\n",
        "0001-0203",
        "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f-1011-1213-1415-1617-1819-1a1b-1c1d-1e1",
        "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f-1011-1213-1415-1617-1819-1a1b-1c1d-1e1f0",
        "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f-1011-1213-1415-1617-1819-1a1b-1c1d-1e1f-0001",
        "O001-0203-0405-0607-0809-0a0b-0c0d-0e0f-1011-1213-1415-1617-1819-1a1b-1c1d-1e1f",
    };
    struct nv_curve_key key;
    uint8_t public_key[32];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        memset(&key, 0, sizeof key);
        assert_int_equal(nv_recovery_read(good[i], &key, NULL), NV_OK);
        for (uint8_t j = 0; j < 32; j++)
            assert_int_equal(key.secret[j], j);
        assert_int_equal(crypto_scalarmult_base(public_key, key.secret), 0);
        assert_memory_equal(key.public_key.bytes, public_key, sizeof public_key);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(nv_recovery_read(bad[i], &key, NULL), NV_REFUSED);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_files),
        cmocka_unit_test(test_curve_key_files),
        cmocka_unit_test(test_key_file_modes),
        cmocka_unit_test(test_damaged_key_files),
        cmocka_unit_test(a_link_or_a_folder_is_no_key),
        cmocka_unit_test(a_line_of_the_right_length_with_other_letters_is_no_key),
        cmocka_unit_test(a_key_that_could_not_be_kept_leaves_no_file),
        cmocka_unit_test(a_call_that_was_interrupted_or_did_half_goes_on),
        cmocka_unit_test(a_key_that_cannot_be_read_is_said_to_be_so),
        cmocka_unit_test(a_site_that_asks_again_gets_the_same_recovery_key),
        cmocka_unit_test(a_recovery_secret_is_read_as_people_type_it),
        cmocka_unit_test(a_recovery_key_is_written_in_groups_of_four),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
