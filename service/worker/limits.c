/* SPDX-License-Identifier: MIT
 * What a job's process may use. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "base/thread.h"
#include "worker/room.h"

#define WHERE "worker/limits"
/* Sanitizers reserve terabytes of addresses. */
#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#define OPEN_FILES_MAX 256
#define FILE_BYTES_MAX ((rlim_t)64 << 30)

static int limit(int what, rlim_t value, const char *name, struct lip_error *err)
{
    struct rlimit now, l = {value, value};
    if (!getrlimit(what, &now) && now.rlim_max < value)
        l = (struct rlimit){now.rlim_max, now.rlim_max}; /* it is stricter already */
    if (setrlimit(what, &l))
        return base_error_set(err, LIP_ERR_IO, WHERE, "cannot limit %s: %s", name,
                              strerror(errno));
    return LIP_OK;
}

int worker_limit(int memory_mb, int time_s, struct lip_error *err)
{
    /* Processor time of all threads; the clock on the wall is the supervisor's. */
    rlim_t cpu_s = (rlim_t)time_s * (rlim_t)base_cpu_count() + 60;
    int r = limit(RLIMIT_CORE, 0, "core dumps", err);
    if (!r)
        r = limit(RLIMIT_CPU, cpu_s, "processor time", err);
    if (!r)
        r = limit(RLIMIT_FSIZE, FILE_BYTES_MAX, "file sizes", err);
    if (!r)
        r = limit(RLIMIT_NOFILE, OPEN_FILES_MAX, "open files", err);
    if (!r && memory_mb && !SANITIZED)
        r = limit(RLIMIT_AS, (rlim_t)memory_mb << 20, "memory", err);
    return r;
}

/* Where the kernel lets us. Without: the inputs are local files by now, and FFmpeg gets bytes,
 * never addresses. */
void worker_leave_network(void)
{
    if (unshare(CLONE_NEWNET))
        (void)!unshare(CLONE_NEWUSER | CLONE_NEWNET);
}
