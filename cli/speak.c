/* SPDX-License-Identifier: MIT
 *
 * Text as a voice: another program speaks it into a file beside the output. */
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/process.h"
#include "options.h"

#define WHERE "cli/speak"
#define TEXT_BYTES_MAX ((size_t)1 << 20)
#define SPEAK_US ((int64_t)1800 * 1000000)
/* A little slower than espeak-ng's own 175 words a minute, which is hard to follow and to see. */
#define ESPEAK "espeak-ng -b 1 -s 155 -v {voice} -w {out} -f {text_file}"

static bool is_plain(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789+_-";
    return name[0] && name[0] != '-' && strlen(name) < 64 && !name[strspn(name, letters)];
}

/* The text, checked. Base memory. */
static int take_text(const struct settings *s, uint8_t **ret_text, size_t *ret_n,
                     struct lip_error *err)
{
    uint8_t *text = NULL;
    size_t n = s->text ? strlen(s->text) : 0;
    int r = LIP_OK;
    if (s->text_file)
        r = base_fs_read(s->text_file, TEXT_BYTES_MAX, &text, &n, err);
    else if (n > TEXT_BYTES_MAX)
        r = base_error_set(err, LIP_ERR_LIMIT, WHERE, "the text is longer than a megabyte");
    else if (!(text = (uint8_t *)base_strdup(s->text)))
        r = base_error_nomem(err, WHERE);
    if (!r && (strspn((char *)text, " \t\r\n") == n || memchr(text, 0, n))) {
        base_free(text);
        return base_error_set(err, LIP_ERR_NO_AUDIO, WHERE, "there is no text to speak");
    }
    if (!r) {
        *ret_text = text;
        *ret_n = n;
    }
    return r;
}

static int run(const struct settings *s, const char *text_file, const char *wav,
               struct lip_error *err)
{
    const char *language = s->language ? s->language : "en", *voice = s->voice;
    if (!s->tts_command && (!is_plain(language) || (voice && !is_plain(voice))))
        return base_error_set(err, LIP_ERR_ARG, WHERE,
                              "voice and language are names like en, en-us or de+f3");
    const struct base_process_value values[] = {
        {"text_file", text_file}, {"language", language}, {"out", wav},
        {"voice", voice ? voice : s->tts_command ? "" : language},
    };
    char **words = NULL;
    int r = base_process_words(s->tts_command ? s->tts_command : ESPEAK, values, 4, &words, err);
    if (!r)
        r = base_process_run((const char *const *)words, SPEAK_US, cli_cancel_flag(), err);
    base_free(words);
    if (!r && !base_fs_exists(wav))
        r = base_error_set(err, LIP_ERR_NO_AUDIO, WHERE,
                           "the program that speaks the text wrote no sound to {out}");
    return r;
}

int cli_speak(const struct settings *s, char **ret_wav, struct lip_error *err)
{
    uint8_t *text = NULL;
    size_t n = 0;
    char *wav = NULL, *text_file = NULL;
    const char *beside = s->output ? s->output : s->voice_out ? s->voice_out : "lipsync";
    int r = take_text(s, &text, &n, err);
    if (!r && (base_fs_beside(beside, "voice.wav", &wav) ||
               base_fs_beside(beside, "voice.txt", &text_file)))
        r = base_error_nomem(err, WHERE);
    if (!r && !(s->resume && base_fs_exists(wav))) { /* an interrupted job's voice is still there */
        base_fs_remove(wav);
        r = base_fs_write(text_file, text, n, err);
        if (!r)
            r = run(s, text_file, wav, err);
        base_fs_remove(text_file);
        if (r)
            base_fs_remove(wav);
    }
    base_free(text);
    base_free(text_file);
    if (r)
        base_free(wav);
    else
        *ret_wav = wav;
    return r;
}

void cli_speak_done(const struct settings *s, char *wav, int status)
{
    if (wav && !(s->resume && status))
        base_fs_remove(wav);
    base_free(wav);
}
