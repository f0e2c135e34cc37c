/* SPDX-License-Identifier: MIT
 *
 * A small studio for tests of the whole engine: fake nets, a drawn film, a hummed voice. */
#ifndef TESTS_FAKE_STUDIO_H
#define TESTS_FAKE_STUDIO_H

#include "engine/engine.h"
#include "fake/nets.h"

#define STUDIO_FILM "synthetic:224x168@25:40"

struct studio {
    char folder[64];
    char voice[96], output[96], score[96];
    struct fake_nets nets;
    lip_engine *engine;
    const char *why_not; /* the reason to skip, or NULL */
};

/* Makes the folder and the voice, and opens the engine. False: nothing can be tested (why_not). */
bool studio_open(struct studio *s);
/* Closes all. Returns the number of files that should not be there any more. */
int studio_close(struct studio *s);
int studio_open_engine(struct studio *s, struct lip_error *err);

/* A short lossless job: STUDIO_FILM and the voice to the output. */
struct lip_job studio_job(const struct studio *s);
/* A hash over all decoded samples and time stamps of a film; its frames in ret_n. */
int studio_hash(const char *film, uint64_t *ret_hash, int64_t *ret_n);

#endif
