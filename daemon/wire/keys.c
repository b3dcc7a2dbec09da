#include "wire/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/catalogue.h"
#include "base/hex.h"

enum { SECRET_BYTES = 32, LINE_BYTES = 2 * SECRET_BYTES + 1 };

_Static_assert(crypto_sign_SEEDBYTES == SECRET_BYTES && crypto_scalarmult_SCALARBYTES == SECRET_BYTES,
               "a key file holds 32 bytes, whatever the key is for");
_Static_assert(sizeof(((struct nv_sign_key *)0)->secret) == crypto_sign_SECRETKEYBYTES, "libsodium's form");

enum nv_status nv_wire_start(struct nv_error *error)
{
    if (sodium_init() < 0)
        return nv_fail(
            error, NV_IO,
            "libsodium does not start: without randomness no key is safe: look whether /dev/urandom is there");
    return NV_OK;
}

void nv_random(void *ret_bytes, size_t size)
{
    randombytes_buf(ret_bytes, size);
}

void nv_wipe(void *secret, size_t size)
{
    sodium_memzero(secret, size);
}

bool nv_public_key_is_zero(const struct nv_public_key *key)
{
    return sodium_is_zero(key->bytes, sizeof key->bytes) != 0;
}

/* ---- files ---- */

static enum nv_status fail_io(struct nv_error *error, const char *what, const char *folder, const char *name)
{
    int cause = errno;
    enum nv_status status = cause == ENOSPC || cause == EDQUOT ? NV_FULL : NV_IO;
    return nv_fail(error, status, "%s/%s: %s: %s: the key was not kept: mend that and try again", folder, name, _(what),
                   strerror(cause));
}

/* Opens the folder, made on the way where it is missing, and refuses one that others may look into. */
static enum nv_status open_folder(const char *folder, const char *name, int *ret_fd, struct nv_error *error)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fail_io(error, "its folder cannot be made", folder, name);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) != 0) {
        enum nv_status status = fail_io(error, "its folder cannot be opened", folder, name);
        if (fd >= 0)
            close(fd);
        return status;
    }
    if ((facts.st_mode & 077) != 0) {
        close(fd);
        return nv_fail(error, NV_REFUSED, "the folder %s is open to other users: no key is put there: run chmod 700 %s",
                       folder, folder);
    }
    *ret_fd = fd;
    return NV_OK;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

/* Writes the line and closes the file; true once it is durable, else errno says why it is not. */
static bool fill_file(int fd, int folder_fd, const char line[LINE_BYTES])
{
    /* fchmod: the umask may have taken away what the owner needs. */
    bool is_kept = fchmod(fd, 0600) == 0 && write_all(fd, line, LINE_BYTES) && fsync(fd) == 0 && fsync(folder_fd) == 0;
    int cause = errno;
    if (close(fd) != 0 && is_kept)
        return false;
    errno = cause;
    return is_kept;
}

static enum nv_status write_secret(const char *folder, const char *name, const uint8_t secret[SECRET_BYTES],
                                   struct nv_error *error)
{
    int folder_fd = -1;
    enum nv_status status = open_folder(folder, name, &folder_fd, error);
    if (status != NV_OK)
        return status;
    char line[LINE_BYTES + 1];
    nv_hex(secret, SECRET_BYTES, line);
    line[LINE_BYTES - 1] = '\n';
    int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        status = nv_fail(error, NV_REFUSED,
                         "%s/%s is there already: a key is never overwritten: move it away if it is not needed", folder,
                         name);
    } else if (fd < 0) {
        status = fail_io(error, "it cannot be made", folder, name);
    } else if (!fill_file(fd, folder_fd, line)) {
        status = fail_io(error, "it cannot be written", folder, name);
        unlinkat(folder_fd, name, 0); /* else there would be a key already when it is tried again */
    }
    nv_wipe(line, sizeof line);
    close(folder_fd);
    return status;
}

/* Reads at most `capacity` bytes; the count, or −1. */
static ssize_t read_all(int fd, char *bytes, size_t capacity)
{
    size_t size = 0;
    while (size < capacity) {
        ssize_t got = read(fd, bytes + size, capacity - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        size += (size_t)got;
    }
    return (ssize_t)size;
}

static enum nv_status open_secret(const char *folder, const char *name, int *ret_fd, struct nv_error *error)
{
    int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = folder_fd < 0 ? -1 : openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int cause = errno;
    if (folder_fd >= 0)
        close(folder_fd);
    if (fd < 0 && cause == ENOENT)
        return nv_fail(error, NV_NOT_FOUND,
                       "there is no key %s/%s: this site has not been set up with it: run navette "
                       "init, or put the key back from where it is kept",
                       folder, name);
    if (fd < 0)
        return nv_fail(error, NV_IO, "%s/%s cannot be opened: %s: without this key the site cannot go on: mend that",
                       folder, name, strerror(cause));
    *ret_fd = fd;
    return NV_OK;
}

static enum nv_status read_secret(const char *folder, const char *name, uint8_t ret_secret[SECRET_BYTES],
                                  struct nv_error *error)
{
    int fd = -1;
    enum nv_status status = open_secret(folder, name, &fd, error);
    if (status != NV_OK)
        return status;
    char line[LINE_BYTES + 1];
    struct stat facts;
    if (fstat(fd, &facts) != 0) {
        status = nv_fail(error, NV_IO, "%s/%s cannot be looked at: %s", folder, name, strerror(errno));
        goto out;
    }
    if (!S_ISREG(facts.st_mode) || (facts.st_mode & 077) != 0) {
        status = nv_fail(error, NV_REFUSED,
                         "%s/%s can be read by other users, or is no file: it is not used as a key: run chmod 600 on "
                         "it, and make new keys if somebody may have read it",
                         folder, name);
        goto out;
    }
    ssize_t size = read_all(fd, line, sizeof line);
    if (size < 0) {
        status = nv_fail(error, NV_IO, "%s/%s cannot be read: %s", folder, name, strerror(errno));
        goto out;
    }
    if (size != LINE_BYTES || line[LINE_BYTES - 1] != '\n') {
        status = NV_CORRUPT;
    } else {
        line[LINE_BYTES - 1] = '\0';
        status = nv_unhex(line, ret_secret, SECRET_BYTES) ? NV_OK : NV_CORRUPT;
    }
    if (status == NV_CORRUPT)
        nv_fail(error, NV_CORRUPT,
                "%s/%s is not one line of 64 hexadecimal digits: it is not the key that was written: put it back from "
                "where a copy is kept",
                folder, name);
out:
    nv_wipe(line, sizeof line);
    close(fd);
    return status;
}

/* ---- keys ---- */

static void sign_key_from(const uint8_t seed[SECRET_BYTES], struct nv_sign_key *ret_key)
{
    crypto_sign_seed_keypair(ret_key->public_key.bytes, ret_key->secret, seed);
}

static void curve_key_from(const uint8_t secret[SECRET_BYTES], struct nv_curve_key *ret_key)
{
    memcpy(ret_key->secret, secret, SECRET_BYTES);
    crypto_scalarmult_base(ret_key->public_key.bytes, secret);
}

enum nv_status nv_sign_key_create(const char *folder, const char *name, struct nv_sign_key *ret_key,
                                  struct nv_error *error)
{
    uint8_t seed[SECRET_BYTES];
    nv_random(seed, sizeof seed);
    enum nv_status status = write_secret(folder, name, seed, error);
    if (status == NV_OK)
        sign_key_from(seed, ret_key);
    nv_wipe(seed, sizeof seed);
    return status;
}

enum nv_status nv_curve_key_create(const char *folder, const char *name, struct nv_curve_key *ret_key,
                                   struct nv_error *error)
{
    uint8_t secret[SECRET_BYTES];
    nv_random(secret, sizeof secret);
    enum nv_status status = write_secret(folder, name, secret, error);
    if (status == NV_OK)
        curve_key_from(secret, ret_key);
    nv_wipe(secret, sizeof secret);
    return status;
}

enum nv_status nv_sign_key_load(const char *folder, const char *name, struct nv_sign_key *ret_key,
                                struct nv_error *error)
{
    uint8_t seed[SECRET_BYTES];
    enum nv_status status = read_secret(folder, name, seed, error);
    if (status == NV_OK)
        sign_key_from(seed, ret_key);
    nv_wipe(seed, sizeof seed);
    return status;
}

enum nv_status nv_curve_key_load(const char *folder, const char *name, struct nv_curve_key *ret_key,
                                 struct nv_error *error)
{
    uint8_t secret[SECRET_BYTES];
    enum nv_status status = read_secret(folder, name, secret, error);
    if (status == NV_OK)
        curve_key_from(secret, ret_key);
    nv_wipe(secret, sizeof secret);
    return status;
}
