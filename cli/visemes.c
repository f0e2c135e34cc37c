/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "options.h"

static int print(void *user, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, user) != n || fflush(user);
}

static int check(const struct settings *s)
{
    bool speaks = s->text || s->text_file;
    if ((s->n_args > 0) + (s->text != NULL) + (s->text_file != NULL) != 1) {
        fprintf(stderr, "lipsync: a voice is one of a file, --text and --text-file\n");
        return 2;
    }
    if (s->voice_out && !speaks) {
        fprintf(stderr, "lipsync: --voice-out keeps a spoken text, and there is none\n");
        return 2;
    }
    if (s->format < 0) {
        fprintf(stderr, "lipsync: name the form of the file with -f:");
        for (int i = 0; i < LIP_VISEMES_FORMATS; i++)
            fprintf(stderr, " %s", lip_viseme_format_name(i));
        fprintf(stderr, "\n");
        return 2;
    }
    if (s->format == LIP_VISEMES_GLB && !s->output) {
        fprintf(stderr, "lipsync: a glb is no text: name the file with -o OUT.glb\n");
        return 2;
    }
    return 0;
}

static int check_free(const struct settings *s, const char *path)
{
    if (!path || s->overwrite || !base_fs_exists(path))
        return 0;
    fprintf(stderr, "lipsync: '%s' exists; --overwrite replaces it\n", path);
    return cli_exit_code(LIP_ERR_EXISTS);
}

/* What the file calls its sound: the whole path, as Rhubarb does; of a text that which is kept. */
static char *name_of_sound(const struct settings *s)
{
    const char *path = s->n_args ? s->args[0] : s->voice_out;
    return path ? realpath(path, NULL) : NULL; /* lint: allow malloc: the C library's memory */
}

static int write_out(const struct settings *s, const lip_visemes *heard, struct lip_error *err)
{
    char *sound = name_of_sound(s);
    const char *named = sound ? sound : s->n_args ? NULL : "";
    int r = s->output ? lip_visemes_write(heard, s->format, s->rate, named, s->output,
                                          s->overwrite, err)
                      : lip_visemes_put(heard, s->format, s->rate, named, print, stdout, err);
    free(sound); /* lint: allow free: realpath's */
    return r;
}

/* Listens to the voice, or to the text once it is spoken. */
static int hear(const struct settings *s, const char *wav, lip_engine *engine,
                lip_visemes **ret_heard, struct lip_error *err)
{
    struct lip_job job;
    lip_job_default(&job);
    job.voice = wav ? wav : s->args[0];
    job.temperature = s->temperature;
    job.cancel = cli_cancel_flag();
    int r = lip_visemes_hear(engine, &job, ret_heard, err);
    return r || !s->voice_out ? r : base_fs_rename(wav, s->voice_out, err);
}

/* lipsync visemes VOICE -f FORMAT [-o FILE] */
int cli_run_visemes(const struct settings *settings)
{
    struct lip_error err = {0};
    lip_engine *engine = NULL;
    lip_visemes *heard = NULL;
    char *wav = NULL;
    int r = check(settings);
    if (r)
        return r;
    r = check_free(settings, settings->output);
    if (!r)
        r = check_free(settings, settings->voice_out);
    if (r)
        return r;
    r = cli_open(settings, &engine);
    if (r)
        return r;
    if (!settings->n_args)
        r = cli_speak(settings, &wav, &err);
    if (!r)
        r = hear(settings, wav, engine, &heard, &err);
    cli_speak_done(settings, wav, r);
    if (!r)
        r = write_out(settings, heard, &err);
    lip_visemes_close(&heard);
    lip_close(&engine);
    return r ? cli_fail(r, &err) : 0;
}
