/* Wycheproof's verdicts on Ed25519 and X25519, over libsodium as we call it: signatures of changesets and of requests
 * to join, and the transport's keys (which libzmq gives to libsodium). Then the same classes of trouble from the
 * curve's own facts (RFC 7748, RFC 8032), which need no vectors.
 *
 * The vectors are those that Debian's golang-github-cloudflare-circl-dev brings along. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "wire/keys.h"

#define FOLDER "/usr/share/gocode/src/github.com/cloudflare/circl/"

enum { BYTES_MAX = 2048, ED25519_VECTORS = 145, X25519_VECTORS = 87 };

struct bytes {
    uint8_t data[BYTES_MAX];
    size_t size;
};

static struct bytes bytes_of(const char *hex)
{
    struct bytes bytes;
    assert_non_null(hex);
    int result = sodium_hex2bin(bytes.data, sizeof bytes.data, hex, strlen(hex), NULL, &bytes.size, NULL);
    assert_int_equal(result, 0);
    return bytes;
}

static struct bytes bytes_at(const json_t *object, const char *name)
{
    return bytes_of(json_string_value(json_object_get(object, name)));
}

static bool is_result(const json_t *vector, const char *result)
{
    return strcmp(json_string_value(json_object_get(vector, "result")), result) == 0;
}

/* Skips the test where the vectors are not there, which can be on another system than Debian alone. */
static json_t *load(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL && json_error_code(&error) == json_error_cannot_open_file) {
        print_message("%s is not there\n", path);
        skip();
    }
    assert_non_null(root);
    return root;
}

/* ---- Ed25519 ---- */

static bool verifies(struct bytes *signature, const struct bytes *message, const struct bytes *key)
{
    assert_int_equal(key->size, crypto_sign_PUBLICKEYBYTES);
    /* Whoever calls it here looks at the length first. */
    return signature->size == crypto_sign_BYTES &&
           crypto_sign_verify_detached(signature->data, message->data, message->size, key->data) == 0;
}

/* What is valid is what we sign ourselves. */
static void check_signing(const json_t *key, const struct bytes *message, const struct bytes *expected)
{
    struct bytes seed = bytes_at(key, "sk"), public_key = bytes_at(key, "pk");
    uint8_t secret[crypto_sign_SECRETKEYBYTES], made[crypto_sign_PUBLICKEYBYTES], signature[crypto_sign_BYTES];
    assert_int_equal(seed.size, crypto_sign_SEEDBYTES);
    crypto_sign_seed_keypair(made, secret, seed.data);
    assert_memory_equal(made, public_key.data, sizeof made);
    crypto_sign_detached(signature, NULL, message->data, message->size, secret);
    assert_memory_equal(signature, expected->data, sizeof signature);
}

static void wycheproof_on_ed25519(void **state)
{
    (void)state;
    json_t *root = load(FOLDER "sign/ed25519/testdata/wycheproof_Ed25519.json");
    size_t count = 0, i, j;
    const json_t *group, *vector;
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        const json_t *key = json_object_get(group, "key");
        struct bytes public_key = bytes_at(key, "pk");
        json_array_foreach(json_object_get(group, "tests"), j, vector)
        {
            struct bytes message = bytes_at(vector, "msg"), signature = bytes_at(vector, "sig");
            bool is_valid = is_result(vector, "valid");
            assert_true(is_valid || is_result(vector, "invalid"));
            if (verifies(&signature, &message, &public_key) != is_valid)
                fail_msg("another verdict on Ed25519's vector %lld",
                         json_integer_value(json_object_get(vector, "tcId")));
            if (is_valid)
                check_signing(key, &message, &signature);
            count++;
        }
    }
    json_decref(root);
    assert_int_equal(count, ED25519_VECTORS);
}

/* ---- X25519 ---- */

/* The shared secret; false where it is all zeros, which is refused. */
static bool share(const uint8_t secret[32], const uint8_t point[32], uint8_t ret_shared[32])
{
    return crypto_scalarmult(ret_shared, secret, point) == 0;
}

static void wycheproof_on_x25519(void **state)
{
    (void)state;
    json_t *root = load(FOLDER "dh/x25519/testdata/wycheproof_kat.json");
    size_t i, refused = 0;
    const json_t *vector;
    json_array_foreach(root, i, vector)
    {
        struct bytes secret = bytes_at(vector, "private"), point = bytes_at(vector, "public");
        struct bytes expected = bytes_at(vector, "shared");
        uint8_t shared[32] = {0};
        assert_true(secret.size == 32 && point.size == 32 && expected.size == 32);
        bool is_nothing = sodium_is_zero(expected.data, 32) != 0;
        /* Whoever gives an answer must give this one; no answer is what is acceptable of no secret at all. */
        if (share(secret.data, point.data, shared) == is_nothing || memcmp(shared, expected.data, 32) != 0)
            fail_msg("another verdict on X25519's vector %lld", json_integer_value(json_object_get(vector, "tcId")));
        assert_true(!is_nothing || is_result(vector, "acceptable"));
        refused += is_nothing;
    }
    assert_int_equal(json_array_size(root), X25519_VECTORS);
    assert_true(refused > 0);
    json_decref(root);
}

/* ---- from the curve's own facts ---- */

/* The order of the base point, L, and the prime, p = 2^255 - 19: least significant byte first. */
static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};

/* p plus a small number, from -1 to 18. */
static void prime_and(int more, uint8_t ret_bytes[32])
{
    memset(ret_bytes, 0xff, 32);
    ret_bytes[0] = (uint8_t)(0xed + more);
    ret_bytes[31] = 0x7f;
}

static void sign_something(uint8_t ret_key[32], uint8_t ret_signature[64])
{
    static const uint8_t seed[32] = {1};
    uint8_t secret[64];
    crypto_sign_seed_keypair(ret_key, secret, seed);
    crypto_sign_detached(ret_signature, NULL, (const uint8_t *)"m", 1, secret);
}

static bool signs(const uint8_t key[32], const uint8_t signature[64])
{
    return crypto_sign_verify_detached(signature, (const uint8_t *)"m", 1, key) == 0;
}

/* S and S + L are the same to the equation: the second one would be another signature by nobody. */
static void a_malleated_signature_is_refused(void **state)
{
    (void)state;
    uint8_t key[32], signature[64];
    sign_something(key, signature);
    assert_true(signs(key, signature));
    for (size_t times = 0; times < 8; times++) {
        sodium_add(signature + 32, order, sizeof order);
        assert_false(signs(key, signature));
    }
    sign_something(key, signature);
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(signs(key, signature));
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* With a key of small order, and its point as R, S = 0 would sign everything. */
static void keys_of_small_order_sign_nothing(void **state)
{
    (void)state;
    uint8_t key[32], good_key[32], signature[64] = {0};
    const uint8_t one[32] = {1}, zero[32] = {0};
    const uint8_t *points[] = {one, zero};
    for (size_t i = 0; i < 2; i++)
        for (int sign = 0; sign < 2; sign++) {
            memcpy(key, points[i], sizeof key);
            key[31] |= (uint8_t)(sign << 7);
            memcpy(signature, key, sizeof key);
            assert_false(signs(key, signature));
        }
    for (int more = -1; more < 19; more++) { /* also forms of y that are not reduced */
        prime_and(more, key);
        memcpy(signature, key, sizeof key);
        assert_false(signs(key, signature));
    }
    sign_something(good_key, signature);
    memcpy(signature, one, sizeof one);
    assert_false(signs(good_key, signature));
}

/* RFC 7748, section 5.2: the key and the point take turns. */
static void x25519_again_and_again(void **state)
{
    (void)state;
    uint8_t key[32] = {9}, point[32] = {9}, shared[32];
    struct bytes once = bytes_of("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    struct bytes thousand = bytes_of("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
    for (size_t i = 1; i <= 1000; i++) {
        assert_true(share(key, point, shared));
        memcpy(point, key, sizeof point);
        memcpy(key, shared, sizeof key);
        if (i == 1)
            assert_memory_equal(key, once.data, sizeof key);
    }
    assert_memory_equal(key, thousand.data, sizeof key);
}

static void points_of_small_order_share_nothing(void **state)
{
    (void)state;
    static const uint8_t secret[32] = {5};
    uint8_t point[32] = {0}, shared[32];
    assert_false(share(secret, point, shared));
    point[0] = 1;
    assert_false(share(secret, point, shared));
    for (int more = -1; more <= 1; more++) {
        prime_and(more, point);
        assert_false(share(secret, point, shared));
        point[31] |= 0x80;
        assert_false(share(secret, point, shared));
    }
    /* The two of order 8. */
    assert_false(
        share(secret, bytes_of("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800").data, shared));
    assert_false(
        share(secret, bytes_of("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157").data, shared));
}

/* A point that is not reduced is the reduced one, and the highest bit is nobody's. */
static void points_have_other_forms(void **state)
{
    (void)state;
    static const uint8_t secret[32] = {5};
    for (int more = 2; more < 19; more++) {
        uint8_t point[32] = {(uint8_t)more}, expected[32], shared[32];
        assert_true(share(secret, point, expected));
        prime_and(more, point);
        assert_true(share(secret, point, shared));
        assert_memory_equal(shared, expected, sizeof shared);
        point[31] |= 0x80;
        assert_true(share(secret, point, shared));
        assert_memory_equal(shared, expected, sizeof shared);
    }
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wycheproof_on_ed25519),
        cmocka_unit_test(wycheproof_on_x25519),
        cmocka_unit_test(a_malleated_signature_is_refused),
        cmocka_unit_test(keys_of_small_order_sign_nothing),
        cmocka_unit_test(x25519_again_and_again),
        cmocka_unit_test(points_of_small_order_share_nothing),
        cmocka_unit_test(points_have_other_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
