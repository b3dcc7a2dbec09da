#include "shapes.h"

const struct sim_shape sim_shapes[SIM_TABLES] = {
    [SIM_LEARNER] = {.name = "learner", .keys = 4, .field_count = 3, .fields = {"reads", "a", "b"}, .reads_field = 0},
    [SIM_LESSON] =
        {.name = "lesson", .keys = 4, .field_count = 2, .fields = {"learner", "a"}, .reads_field = SIM_NO_FIELD},
    [SIM_MEMO] = {.name = "memo", .keys = 2, .field_count = 1, .fields = {"a"}, .reads_field = SIM_NO_FIELD},
    [SIM_NOTICE] = {.name = "notice",
                    .keys = 2,
                    .field_count = 1,
                    .fields = {"a"},
                    .reads_field = SIM_NO_FIELD,
                    .is_home_alone = true},
    [SIM_VISIT] = {.name = "visit",
                   .keys = 2,
                   .field_count = 2,
                   .fields = {"reads", "a"},
                   .reads_field = 0,
                   .is_home_alone = true},
};
