/* SPDX-License-Identifier: MIT
 *
 * What the files of this room share. Only this room knows the order of the stages. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <lipsync/lipsync.h>

#include "base/log.h"
#include "base/status.h"
#include "data/score.h"
#include "face/face.h"
#include "media/media.h"
#include "motion/motion.h"
#include "nn/nn.h"
#include "render/render.h"
#include "speaker/speaker.h"

struct lip_engine {
    struct nn_runtime *runtime;
    struct face_models *faces;
    struct motion_model *motion;
    struct render_mesh *mesh;
    struct base_log log;
    char *models_dir;
    uint64_t models_hash; /* changes when any net or weight file changes */
};

/* All nets and weights, names in models_dir. */
extern const char *const engine_model_files[];
extern const size_t engine_n_model_files;

/* For tests: an engine on the fake nets. */
int engine_open_fake(nn_fake_run run, void *user, const char *models_dir,
                     lip_engine **ret_engine, struct lip_error *err);

/* progress.c: one job's progress, cancel flag and stage clock ---------------------------------- */
struct progress {
    const struct lip_job *job;
    int stage;
    int64_t stage_start_us, last_report_us;
    double done;                        /* fraction of the job before this stage */
    double from, share;                 /* of the stage: what is told of now */
    double stage_s[LIP_STAGE_COUNT];
    double processor_start_s; /* of the process, when the job began */
};
void progress_init(struct progress *p, const struct lip_job *job);
void progress_stage(struct progress *p, int stage); /* ends the one before */
/* What is told of from now on is only this much of the stage. */
void progress_share(struct progress *p, double from, double share_of_stage);
/* `fraction` of the stage, `media_s` seconds of film handled in it. */
void progress_tell(struct progress *p, double fraction, double media_s, int64_t frames);
void progress_end(struct progress *p);
/* LIP_ERR_CANCELLED with its sentence once the flag is set, else 0. */
int progress_check(const struct progress *p, struct lip_error *err);

#endif
