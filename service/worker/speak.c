/* SPDX-License-Identifier: MIT
 * Text as a voice: espeak-ng on this machine speaks it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/process.h"
#include "worker/room.h"

#define WHERE "worker/speak"
#define SPEAK_US ((int64_t)600 * 1000000)
#define TEXT_FILE "script.txt"
#define VOICE "en"

/* Names like en, en-us or de+f3. */
static bool is_plain(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789+_-";
    return name && name[0] && name[0] != '-' && strlen(name) < 64 && !name[strspn(name, letters)];
}

int worker_speak(const char *script, const char *voice, const char *wav, struct lip_error *err)
{
    const char *argv[] = {"espeak-ng", "-b", "1", "-s", "155", "-v", voice, "-w", wav, "-f",
                          TEXT_FILE, NULL};
    int r = base_fs_write(TEXT_FILE, script, strlen(script), err);
    if (r)
        return r;
    /* Clients of the hosted service send ids of voices that only it has: those are spoken by the
     * default voice. */
    int spoken = is_plain(voice) ? base_process_run(argv, SPEAK_US, NULL, NULL) : LIP_ERR_IO;
    if (spoken == LIP_ERR_IO) {
        argv[6] = VOICE;
        spoken = base_process_run(argv, SPEAK_US, NULL, NULL);
    }
    base_fs_remove(TEXT_FILE);
    if (!spoken && base_fs_exists(wav))
        return LIP_OK;
    return base_error_set(err, LIP_ERR_DEVICE, WHERE,
                          "the text cannot be spoken: espeak-ng is missing or failed");
}

/* Lines of "priority language age/gender name file …", after one that says so. */
char *worker_voices(void)
{
    char line[400], language[64], name[64];
    /* lint: allow popen: no word of it is a stranger's */
    FILE *list = popen("espeak-ng --voices 2>/dev/null", "re");
    json_t *voices = json_array();
    while (list && fgets(line, sizeof line, list)) {
        if (sscanf(line, "%*d %63s %*s %63s", language, name) != 2)
            continue;
        for (char *at = name; (at = strchr(at, '_'));)
            *at = ' ';
        json_array_append_new(voices, json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", language, "name",
                                                name, "provider", "espeak-ng", "voiceId", language,
                                                "language", language));
    }
    if (list)
        pclose(list);
    char *text = json_array_size(voices) ? json_dumps(voices, JSON_COMPACT) : NULL;
    char *kept = base_strdup(text);
    free(text); /* lint: allow free: jansson gave this memory */
    json_decref(voices);
    return kept;
}
