/* SPDX-License-Identifier: MIT
 * One log callback, handed down by the caller of the library. Nothing is global. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum base_log_level {
    BASE_LOG_WARN = 1, /* a decline or a doubtful input, said once per kind and file */
    BASE_LOG_INFO = 2, /* a few lines per job */
    BASE_LOG_DEBUG = 3 /* never per frame */
};

struct base_log {
    void (*write)(void *user, int level, const char *text); /* NULL: silence */
    void *user;
};

/* log may be NULL. One line, no newline at the end. */
void base_log_print(const struct base_log *log, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
