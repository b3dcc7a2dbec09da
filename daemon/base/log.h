/* What the daemon says on stderr: one line an event, a level and a sentence. Never keys, never a record's content. */
#pragma once

enum nv_log_level { NV_LOG_ERROR, NV_LOG_WARNING, NV_LOG_INFO, NV_LOG_DEBUG };

void nv_log_set_level(enum nv_log_level most);
void nv_log(enum nv_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
