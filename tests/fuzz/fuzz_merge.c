/* The merge of core/, step by step and derived anew, by schedules that the input writes. */
#include "target.h"
#include "tests/unit/merge_schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nv_merge_schedule(nv_dice_scripted((struct nv_slice){.data = data, .size = size}));
    return 0;
}
