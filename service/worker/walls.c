/* SPDX-License-Identifier: MIT
 * What a job's process can no longer do once a stranger's media are opened: reach files other than
 * its own (Landlock, Linux 5.13), and start processes, talk to others, or ask the kernel for what
 * no decoder needs (seccomp). Both are for good, also for threads and whatever code gets in. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/room.h"

#define WHERE "worker/walls"

/* Rights of files; newer ones than the headers know are named by their bits. */
#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FIRST_ABI ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* all of Linux 5.13 */
#define REFER (1ULL << 13)                                 /* ABI 2 */
#define TRUNCATE (1ULL << 14)                              /* ABI 3 */

static long abi(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Files below `path` may be used so; a path that is not there needs no rule. */
static int allow(int rules, const char *path, uint64_t access)
{
    /* lint: allow open: Landlock takes a descriptor */
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    if (fd < 0)
        return 0;
    long r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(fd);
    return r ? -1 : 0;
}

/* The folder of this program: nets may lie in it. */
static int allow_program(int rules)
{
    char path[512];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    *slash = 0;
    return allow(rules, path, READS);
}

static int shut_files(const char *models)
{
    /* What libraries look at while they work: locales, character sets, processors. */
    static const char *const readable[] = {"/usr", "/lib", "/etc", "/sys/devices/system/cpu",
                                           "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
                                           "/dev/null", "/dev/urandom", "/dev/random"};
    long version = abi();
    uint64_t all = FIRST_ABI | (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0);
    struct landlock_ruleset_attr attr = {.handled_access_fs = all};
    if (version < 1)
        return 0;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0);
    int r = rules < 0 ? -1 : allow(rules, ".", all & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
    for (size_t i = 0; !r && i < sizeof readable / sizeof *readable; i++) {
        bool folder = strncmp(readable[i], "/dev/", 5) && strcmp(readable[i], "/proc/cpuinfo") &&
                      strcmp(readable[i], "/proc/meminfo");
        r = allow(rules, readable[i], folder ? READS : LANDLOCK_ACCESS_FS_READ_FILE);
    }
    const char *own[] = {models, getenv("LIPSYNC_MODELS")};
    for (int i = 0; !r && i < 2; i++)
        r = own[i] ? allow(rules, own[i], READS) : 0;
    if (!r)
        r = allow_program(rules);
    if (!r)
        r = syscall(SYS_landlock_restrict_self, rules, 0) ? -1 : 0;
    if (rules >= 0)
        close(rules);
    return r;
}

/* A call that fails as if it were forbidden. */
static const char *const denied[] = {
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg",
    "sendmmsg", "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv",
    "process_vm_writev", "pidfd_getfd", "kcmp", "mount", "umount2", "pivot_root", "chroot", "setns",
    "unshare", "move_mount", "fsopen", "fsmount", "open_tree", "mount_setattr", "bpf",
    "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "keyctl", "add_key", "request_key", "init_module", "finit_module", "delete_module",
    "kexec_load", "kexec_file_load", "open_by_handle_at", "name_to_handle_at", "reboot", "swapon",
    "swapoff", "acct", "quotactl", "settimeofday", "clock_settime", "sethostname", "setdomainname",
    "iopl", "ioperm", "syslog", "vhangup", "personality", "mknod", "mknodat", "fanotify_init",
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset"};

static int deny(scmp_filter_ctx filter, const char *name, int error)
{
    int call = seccomp_syscall_resolve_name(name);
    return call == __NR_SCMP_ERROR
               ? 0 : seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), call, 0);
}

static int shut_kernel(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int r = filter ? 0 : -1;
    for (size_t i = 0; !r && i < sizeof denied / sizeof *denied; i++)
        r = deny(filter, denied[i], EPERM);
    /* clone3 hides its flags from filters: glibc then falls back to clone, which may make threads
     * and no processes. */
    if (!r)
        r = deny(filter, "clone3", ENOSYS);
    if (!r)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    if (!r)
        r = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return r;
}

int worker_wall(const char *models, struct lip_error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0))
        return base_error_set(err, LIP_ERR_INTERNAL, WHERE, "the job's process cannot be shut in: "
                              "%s", strerror(errno));
    if (shut_files(models) || shut_kernel())
        return base_error_set(err, LIP_ERR_INTERNAL, WHERE,
                              "the job's process cannot be shut in");
    return LIP_OK;
}

const char *worker_walls(void)
{
    return abi() >= 1 ? "jobs are shut in by seccomp and Landlock"
                      : "jobs are shut in by seccomp; this kernel has no Landlock, so they can "
                        "read what the server can";
}
