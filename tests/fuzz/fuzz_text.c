/* What people write: invitations, settings, keys of records. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config.h"
#include "parts.h"
#include "store/care.h"
#include "target.h"
#include "wire/invitation.h"

enum { TEXT_BYTES_MAX = 8192, LINE_BYTES_MAX = 1024, HOME_BYTES = 64 };

/* The bytes as a string, up to the first NUL. */
static const char *text_of(struct nv_slice bytes)
{
    static char text[TEXT_BYTES_MAX + 1];
    size_t size = bytes.size < TEXT_BYTES_MAX ? bytes.size : TEXT_BYTES_MAX;
    memcpy(text, bytes.data, size);
    text[size] = '\0';
    return text;
}

/* ---- invitations ---- */

static bool invitations_equal(const struct nv_invitation *a, const struct nv_invitation *b)
{
    return a->number == b->number && strcmp(a->endpoint, b->endpoint) == 0 && a->expires.ms == b->expires.ms &&
           memcmp(a->secret, b->secret, sizeof a->secret) == 0 &&
           memcmp(&a->hub_curve_key, &b->hub_curve_key, sizeof a->hub_curve_key) == 0 &&
           memcmp(&a->authority_key, &b->authority_key, sizeof a->authority_key) == 0;
}

static void check_invitation(const struct nv_invitation *invitation, const char *text)
{
    char again[LINE_BYTES_MAX];
    enum nv_status status = nv_invitation_write(invitation, again, sizeof again);
    assert(status == NV_OK && (text == NULL || strstr(text, again) != NULL));
}

static void take_invitation(struct nv_slice bytes)
{
    struct nv_invitation invitation;
    const char *text = text_of(bytes);
    if (nv_invitation_read(text, &invitation, NULL) == NV_OK)
        check_invitation(&invitation, text);
}

static void build_invitation(struct nv_dice *dice)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_invitation invitation = {.number = nv_fuzz_number(dice),
                                       .expires.ms = (int64_t)(nv_fuzz_number(dice) % NV_LIMIT_TIME_MS)};
    struct nv_invitation again;
    char text[LINE_BYTES_MAX];
    const char *endpoint = nv_fuzz_text(dice, arena, NV_LIMIT_ENDPOINT_BYTES, true);
    snprintf(invitation.endpoint, sizeof invitation.endpoint, "%s", endpoint[0] == '\0' ? "tcp://a:1" : endpoint);
    nv_dice_bytes(dice, invitation.hub_curve_key.bytes, 4);
    nv_dice_bytes(dice, invitation.secret, 4);
    enum nv_status status = nv_invitation_write(&invitation, text, sizeof text);
    assert(status == NV_OK);
    status = nv_invitation_read(text, &again, NULL);
    assert(status == NV_OK && invitations_equal(&invitation, &again));
    size_t place = nv_dice_below(dice, strlen(text));
    char was = text[place];
    text[place] = (char)(1 + nv_dice_below(dice, 255));
    status = nv_invitation_read(text, &again, NULL);
    assert(status == NV_REFUSED || text[place] == was);
}

/* ---- settings ---- */

static bool is_text_of_setting(const char *text)
{
    return text[0] == '\0' || strncmp(text, "tcp://", 6) == 0;
}

static void write_settings(const char *path, struct nv_slice bytes)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(file >= 0);
    ssize_t written = write(file, bytes.data, bytes.size);
    assert(written == (ssize_t)bytes.size);
    close(file);
}

/* The home is made and taken away again, so that nothing is left where the target is ended between two inputs. */
static void take_settings(struct nv_slice bytes)
{
    char home[HOME_BYTES], path[HOME_BYTES + 16];
    struct nv_config config;
    struct nv_error error = {0};
    snprintf(home, sizeof home, "%s/navette-fuzz-%d", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", getpid());
    snprintf(path, sizeof path, "%s/navette.conf", home);
    mkdir(home, 0700);
    write_settings(path, bytes);
    enum nv_status status = nv_config_read(home, &config, &error);
    unlink(path);
    rmdir(home);
    if (status != NV_OK) {
        assert(status == NV_REFUSED && error.text[0] != '\0');
        return;
    }
    assert(is_text_of_setting(config.listen) && is_text_of_setting(config.enrol));
    for (size_t i = 0; i < config.peer_count; i++)
        assert(is_text_of_setting(config.peers[i].endpoint) && nv_config_endpoint(&config, config.peers[i].name));
    for (size_t i = 0; i < config.hub_reader_count; i++)
        assert(config.hub_readers[i][0] != '\0' && strlen(config.hub_readers[i]) <= NV_LIMIT_NAME);
    nv_config_done(&config);
}

/* ---- keys ---- */

static void some_table(struct nv_dice *dice, struct nv_table *table)
{
    static const enum nv_affinity affinities[] = {NV_AFFINITY_TEXT, NV_AFFINITY_BLOB, NV_AFFINITY_INTEGER};
    *table = (struct nv_table){.name = "table", .key_count = 1 + nv_dice_below(dice, 3)};
    for (size_t i = 0; i < table->key_count; i++) {
        snprintf(table->keys[i], sizeof table->keys[i], "k%zu", i);
        table->key_types[i] = (struct nv_column_type){
            .affinity = affinities[nv_dice_below(dice, 3)], .strict = nv_dice_percent(dice, 30), .not_null = true};
    }
}

/* The text of a key names it and no other: it comes back from the text. */
static void check_key(const struct nv_table *table, struct nv_slice key)
{
    struct nv_buffer text = {0}, again = {0};
    nv_key_to_text(table, key, &text);
    assert(!text.failed && text.size > 0 && text.data[text.size - 1] == '\0');
    enum nv_status status = nv_key_from_text(table, (const char *)text.data, &again, NULL);
    assert(status == NV_OK && nv_slice_equal(nv_buffer_slice(&again), key));
    nv_buffer_done(&text);
    nv_buffer_done(&again);
}

/* As the merge has it: no NULL, no real, and what its column stores as it is. */
static bool is_key_of(const struct nv_table *table, struct nv_slice key)
{
    struct nv_reader reader = nv_reader_of(key);
    struct nv_value value;
    for (size_t i = 0; i < table->key_count; i++)
        if (!nv_value_decode(&reader, &value) || value.type == NV_NULL || value.type == NV_REAL ||
            !nv_column_accepts(&table->key_types[i], &value))
            return false;
    return nv_reader_left(&reader) == 0;
}

static void take_key(struct nv_dice *dice)
{
    static struct nv_table table;
    struct nv_buffer key = {0};
    some_table(dice, &table);
    struct nv_slice rest = {.data = dice->script.at, .size = nv_reader_left(&dice->script)};
    if (rest.size > 0 && nv_key_from_text(&table, text_of(rest), &key, NULL) == NV_OK &&
        is_key_of(&table, nv_buffer_slice(&key)))
        check_key(&table, nv_buffer_slice(&key));
    nv_buffer_done(&key);
}

static void build_key(struct nv_dice *dice)
{
    static struct nv_table table;
    struct nv_buffer key = {0};
    some_table(dice, &table);
    for (size_t i = 0; i < table.key_count; i++) {
        uint8_t bytes[NV_DICE_VALUE_BYTES];
        struct nv_value value = nv_dice_value(dice, bytes);
        nv_value_encode(&key, &value);
    }
    if (is_key_of(&table, nv_buffer_slice(&key)))
        check_key(&table, nv_buffer_slice(&key));
    nv_buffer_done(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct nv_slice rest = {.data = data + 1, .size = size - 1};
    struct nv_dice dice = nv_dice_scripted(rest);
    nv_fuzz_start();
    switch (data[0] % 5) {
    case 0:
        take_invitation(rest);
        break;
    case 1:
        build_invitation(&dice);
        break;
    case 2:
        take_settings(rest);
        break;
    case 3:
        take_key(&dice);
        break;
    default:
        build_key(&dice);
        break;
    }
    return 0;
}
