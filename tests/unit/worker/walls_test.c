/* SPDX-License-Identifier: MIT
 * What a job's process can no longer do. Each try is a process of its own: walls are for good. */
#define _GNU_SOURCE
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/room.h"

#define FINE 0
#define WENT_THROUGH 1
#define NO_WALL 2

static char folder[] = "/tmp/lipsync-walls-XXXXXX";
static char secret[64];

/* Does it inside the walls, in the job's folder; gives what the process ended with. */
static int inside(int (*what)(void))
{
    int state = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        if (chdir(folder) || worker_wall(NULL, NULL))
            _exit(NO_WALL);
        _exit(what());
    }
    assert_int_equal(waitpid(pid, &state, 0), pid);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
}

static int reads_a_secret(void)
{
    return open(secret, O_RDONLY) >= 0 ? WENT_THROUGH : FINE;
}

static int writes_elsewhere(void)
{
    return open("/tmp/lipsync-walls-else", O_WRONLY | O_CREAT, 0600) >= 0 ? WENT_THROUGH : FINE;
}

static int climbs_out(void)
{
    return open("../../etc/../tmp", O_RDONLY | O_DIRECTORY) >= 0 ? WENT_THROUGH : FINE;
}

static int works_in_its_folder(void)
{
    int fd = open("out.part", O_RDWR | O_CREAT, 0600);
    bool fine = fd >= 0 && write(fd, "abc", 3) == 3 && !rename("out.part", "out") &&
                open("/etc/ld.so.cache", O_RDONLY) >= 0;
    return fine ? FINE : WENT_THROUGH;
}

static int opens_a_socket(void)
{
    int pair[2];
    bool got = socket(AF_INET, SOCK_STREAM, 0) >= 0 || !socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    return got ? WENT_THROUGH : FINE;
}

static int forks(void)
{
    pid_t pid = fork();
    if (!pid)
        _exit(0);
    return pid > 0 ? WENT_THROUGH : FINE;
}

static int runs_a_program(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return errno == EPERM || errno == EACCES ? FINE : WENT_THROUGH;
}

static void *nothing(void *arg)
{
    return arg;
}

static int starts_threads(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL)
               ? WENT_THROUGH : FINE;
}

/* Sanitizers reserve terabytes of addresses: there this limit is not set. */
#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

static int takes_memory(void)
{
    if (SANITIZED)
        return FINE;
    if (worker_limit(256, 10, NULL))
        return NO_WALL;
    void *bytes = mmap(NULL, (size_t)4 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);
    return bytes != MAP_FAILED ? WENT_THROUGH : FINE;
}

static int opens_many_files(void)
{
    int n = 0;
    if (worker_limit(0, 10, NULL))
        return NO_WALL;
    while (n < 5000 && open("/dev/null", O_RDONLY) >= 0)
        n++;
    return n == 5000 ? WENT_THROUGH : FINE;
}

static int writes_a_huge_file(void)
{
    int fd = open("huge", O_RDWR | O_CREAT, 0600);
    if (fd < 0 || worker_limit(0, 10, NULL))
        return NO_WALL;
    signal(SIGXFSZ, SIG_IGN);
    return ftruncate(fd, (off_t)1 << 40) == 0 ? WENT_THROUGH : FINE;
}

static void walls(void **state)
{
    (void)state;
    const struct {
        const char *name;
        int (*what)(void);
        bool files; /* Landlock's business */
    } tries[] = {
        {"reads a secret", reads_a_secret, true}, {"writes elsewhere", writes_elsewhere, true},
        {"climbs out", climbs_out, true}, {"works in its folder", works_in_its_folder, false},
        {"opens a socket", opens_a_socket, false}, {"forks", forks, false},
        {"runs a program", runs_a_program, false}, {"starts threads", starts_threads, false},
        {"opens many files", opens_many_files, false},
        {"writes a huge file", writes_a_huge_file, false},
        {"takes memory", takes_memory, false},
    };
    bool landlock = strstr(worker_walls(), "no Landlock") == NULL;
    for (size_t i = 0; i < UNIT_COUNT(tries); i++) {
        if (tries[i].files && !landlock) {
            print_message("skipped: %s: this kernel has no Landlock\n", tries[i].name);
            continue;
        }
        int ended = inside(tries[i].what);
        if (ended != FINE)
            print_error("%s: %d\n", tries[i].name, ended);
        assert_int_equal(ended, FINE);
    }
}

/* Without walls all of it works: otherwise the tests above could not fail. */
static void no_walls(void **state)
{
    (void)state;
    assert_int_equal(reads_a_secret(), WENT_THROUGH);
    assert_int_equal(opens_a_socket(), WENT_THROUGH);
    assert_int_equal(forks(), WENT_THROUGH);
    assert_true(wait(NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(walls), cmocka_unit_test(no_walls)};
    if (!mkdtemp(folder))
        return 1;
    snprintf(secret, sizeof secret, "%s-secret", folder);
    close(open(secret, O_WRONLY | O_CREAT, 0600));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(secret);
    if (!chdir(folder)) {
        unlink("out");
        unlink("huge");
    }
    rmdir(folder);
    return failed;
}
