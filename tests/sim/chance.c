#include "chance.h"

#include <sodium.h>

#include "disk.h"
#include "tests/unit/dice.h"

static struct nv_dice source;

static const char *source_name(void)
{
    return "simulation";
}

static uint32_t source_word(void)
{
    return (uint32_t)nv_dice_bits(&source);
}

static void source_bytes(void *bytes, size_t size)
{
    nv_dice_bytes(&source, bytes, size);
}

void sim_chance_start(uint64_t seed)
{
    static struct randombytes_implementation chance;
    chance = (struct randombytes_implementation){
        .implementation_name = source_name, .random = source_word, .buf = source_bytes};
    randombytes_set_implementation(&chance);
    source = nv_dice_of(seed);
    nv_disks_set_randomness(seed);
}
