/* SPDX-License-Identifier: MIT
 *
 * lipsync: give it a film of a person and a new voice; the person's own mouth speaks the new sound.
 *
 *     struct lip_error err = {0};
 *     lip_engine *engine = NULL;
 *     struct lip_job job;
 *     lip_job_default(&job);
 *     job.film = "speaker.mp4";
 *     job.voice = "voice.wav";
 *     job.output = "out.mp4";
 *     if (lip_open(NULL, &engine, &err) || lip_dub(engine, &job, NULL, &err))
 *         fprintf(stderr, "%s\n", err.text);
 *     lip_close(&engine);
 *
 * Everywhere: functions that can fail return 0 or a negative LIP_ERR_ code and fill *err (may be
 * NULL; clear it before reuse: only the first error is kept). Strings given are borrowed for the
 * call, UTF-8, without line breaks. Outputs come last and are written only on success. An engine
 * may be used by many threads. Nothing is global and nothing is printed. */
#ifndef LIPSYNC_LIPSYNC_H
#define LIPSYNC_LIPSYNC_H

#include "engine.h"
#include "error.h"
#include "faces.h"
#include "job.h"
#include "live.h"
#include "person.h"
#include "probe.h"
#include "version.h"
#include "visemes.h"

#endif
