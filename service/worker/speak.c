/* SPDX-License-Identifier: MIT
 * Text as a voice: espeak-ng on this machine speaks it. */
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
