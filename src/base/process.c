/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/thread.h"

#define WHERE "base/process"
#define POLL_MS 50
#define WORD_BYTES_MAX ((size_t)1 << 17)

extern char **environ;

/* The last complaint, kept short. */
struct complaint {
    char text[256];
    size_t n;
};

static void hear(struct complaint *c, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (c->n && bytes[i] != '\n' && c->text[c->n - 1] == '\n')
            c->n = 0; /* a new line replaces the one before it */
        if (c->n + 1 < sizeof c->text && (bytes[i] == '\n' || (unsigned char)bytes[i] >= ' '))
            c->text[c->n++] = bytes[i];
    }
}

static void end_complaint(struct complaint *c)
{
    while (c->n && (c->text[c->n - 1] == '\n' || c->text[c->n - 1] == ' '))
        c->n--;
    c->text[c->n] = 0;
}

static int spawn(const char *const argv[], int complaints, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, complaints, 2);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0); /* so that all of it can be killed */
    posix_spawnattr_setsigmask(&attributes, &none);
    int failed = posix_spawnp(ret_pid, argv[0], &files, &attributes, (char *const *)(void *)argv,
                              environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

/* Listens until the program has ended or has to be ended; *ret_state as waitpid says it. */
static int wait_for(pid_t pid, int from, int64_t timeout_us, const volatile int *cancel,
                    struct complaint *c, int *ret_state)
{
    int64_t end_us = base_time_us() + timeout_us;
    int status = LIP_OK;
    bool open = true;
    for (;;) {
        struct pollfd p = {.fd = open ? from : -1, .events = POLLIN};
        char bytes[512];
        if (poll(&p, 1, POLL_MS) > 0) {
            ssize_t n = read(from, bytes, sizeof bytes);
            open = n > 0;
            hear(c, bytes, n > 0 ? (size_t)n : 0);
            if (open)
                continue;
        }
        pid_t ended = waitpid(pid, ret_state, WNOHANG);
        if (ended == pid || (ended < 0 && errno != EINTR))
            return status;
        if (!status && cancel && *cancel)
            status = LIP_ERR_CANCELLED;
        else if (!status && base_time_us() > end_us)
            status = LIP_ERR_LIMIT;
        if (status)
            kill(-pid, SIGKILL);
    }
}

int base_process_run(const char *const argv[], int64_t timeout_us, const volatile int *cancel,
                     struct lip_error *err)
{
    int ends[2], state = 0;
    pid_t pid = 0;
    struct complaint c = {.n = 0};
    if (pipe2(ends, O_CLOEXEC))
        return base_error_set(err, LIP_ERR_IO, WHERE, "cannot run '%s': %s", argv[0],
                              strerror(errno));
    int failed = spawn(argv, ends[1], &pid);
    close(ends[1]);
    int r = failed ? LIP_OK : wait_for(pid, ends[0], timeout_us, cancel, &c, &state);
    close(ends[0]);
    end_complaint(&c);
    if (failed == ENOENT || failed == EACCES)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE,
                              "the program '%s' is not installed or cannot be run", argv[0]);
    if (failed)
        return base_error_set(err, LIP_ERR_IO, WHERE, "cannot run '%s': %s", argv[0],
                              strerror(failed));
    if (r == LIP_ERR_CANCELLED)
        return base_error_set(err, r, WHERE, "cancelled");
    if (r)
        return base_error_set(err, r, WHERE, "'%s' took longer than %lld s and was ended", argv[0],
                              (long long)(timeout_us / 1000000));
    if (!WIFEXITED(state) || WEXITSTATUS(state))
        return base_error_set(err, LIP_ERR_IO, WHERE, "'%s' failed%s%s", argv[0],
                              c.text[0] ? ": " : "", c.text);
    return LIP_OK;
}

/* Words ---------------------------------------------------------------------------------------- */

static const struct base_process_value *named(const struct base_process_value *values, size_t n,
                                              const char *name, size_t length)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(values[i].name) == length && !strncmp(values[i].name, name, length))
            return &values[i];
    return NULL;
}

/* The text of all words, one after another, each ended by a 0; offsets in `at`. */
struct words {
    struct base_buffer text;
    size_t at[BASE_PROCESS_WORDS_MAX], n;
};

static int put_value(struct words *w, const char **from, const struct base_process_value *values,
                     size_t n_values, struct lip_error *err)
{
    size_t length = strcspn(*from + 1, "}");
    const struct base_process_value *v = named(values, n_values, *from + 1, length);
    if (!v || (*from)[1 + length] != '}')
        return base_error_set(err, LIP_ERR_ARG, WHERE, "a command cannot have '%.*s}' in it",
                              (int)(length < 40 ? length + 1 : 40), *from);
    base_buffer_put(&w->text, v->value, strlen(v->value));
    *from += length + 2;
    return LIP_OK;
}

static int put_word(struct words *w, const char **from, const struct base_process_value *values,
                    size_t n_values, struct lip_error *err)
{
    char quote = 0;
    const char *p = *from;
    if (w->n + 1 >= BASE_PROCESS_WORDS_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "a command has at most %d words",
                              BASE_PROCESS_WORDS_MAX - 1);
    w->at[w->n++] = w->text.size;
    int r = LIP_OK;
    while (*p && !r && (quote || (*p != ' ' && *p != '\t' && *p != '\n'))) {
        if (quote ? *p == quote : *p == '\'' || *p == '"') {
            quote = quote ? 0 : *p;
            p++;
        } else if (*p == '{') {
            r = put_value(w, &p, values, n_values, err);
        } else {
            base_buffer_put_u8(&w->text, (uint8_t)*p++);
        }
    }
    if (!r && quote)
        r = base_error_set(err, LIP_ERR_ARG, WHERE, "a quote in the command has no end");
    base_buffer_put_u8(&w->text, 0);
    *from = p;
    return r;
}

int base_process_words(const char *command, const struct base_process_value *values,
                       size_t n_values, char ***ret_words, struct lip_error *err)
{
    struct words w = {.n = 0};
    int r = LIP_OK;
    base_buffer_init(&w.text, WORD_BYTES_MAX);
    while (!r) {
        command += strspn(command, " \t\n");
        if (!*command)
            break;
        r = put_word(&w, &command, values, n_values, err);
    }
    if (!r && !w.n)
        r = base_error_set(err, LIP_ERR_ARG, WHERE, "the command is empty");
    if (!r && w.text.status)
        r = base_error_set(err, w.text.status, WHERE, "the command is too long");
    size_t heads = (w.n + 1) * sizeof(char *);
    char **words = r ? NULL : base_alloc(heads + w.text.size);
    if (!r && !words)
        r = base_error_nomem(err, WHERE);
    if (!r) {
        char *text = (char *)words + heads;
        memcpy(text, w.text.data, w.text.size);
        for (size_t i = 0; i < w.n; i++)
            words[i] = text + w.at[i];
        words[w.n] = NULL;
        *ret_words = words;
    }
    base_buffer_done(&w.text);
    return r;
}
