/* SPDX-License-Identifier: MIT
 * Sound to mouth as it comes: 16 kHz mono, signed 16 bit, little-endian on the standard input; a
 * line with the time and the opening of the lips for every 20 ms. For example
 *
 *     ffmpeg -i voice.wav -f s16le -ac 1 -ar 16000 - | ./live
 */
#include <stdio.h>

#include <lipsync/lipsync.h>

#define PIECE (LIP_LIVE_RATE_HZ / 100) /* 10 ms, as a sound card gives them */

static void show(lip_live *live)
{
    struct lip_mouth mouth;
    while (lip_live_pull(live, &mouth) == 1)
        printf("%.2f s: opening %.3f, width %.3f%s\n", mouth.t_s, mouth.opening, mouth.width,
               mouth.speech > 0 ? "" : ", at rest");
    fflush(stdout);
}

static int hear(lip_live *live, struct lip_error *err)
{
    unsigned char bytes[2 * PIECE];
    float samples[PIECE];
    size_t n;
    int r = 0;
    while (!r && (n = fread(bytes, 2, PIECE, stdin)) > 0) {
        for (size_t i = 0; i < n; i++) {
            int value = bytes[2 * i] | bytes[2 * i + 1] << 8;
            samples[i] = (float)(value < 32768 ? value : value - 65536) / 32768;
        }
        r = lip_live_push(live, samples, n, err);
        show(live);
    }
    if (!r)
        r = lip_live_flush(live, err);
    show(live);
    return r;
}

int main(int argc, char **argv)
{
    struct lip_error err = {0};
    struct lip_live_params params;
    lip_engine *engine = NULL;
    lip_live *live = NULL;
    if (argc > 2) {
        fprintf(stderr, "use: live [PERSON.person] <SOUND\n");
        return 2;
    }
    lip_live_params_default(&params);
    params.person = argc > 1 ? argv[1] : NULL;
    int r = lip_open(NULL, &engine, &err);
    if (!r)
        r = lip_live_open(engine, &params, &live, &err);
    if (!r)
        r = hear(live, &err);
    if (r)
        fprintf(stderr, "%s\n", err.text);
    lip_live_close(&live);
    lip_close(&engine);
    return r ? 1 : 0;
}
