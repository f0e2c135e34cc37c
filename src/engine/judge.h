/* SPDX-License-Identifier: MIT
 *
 * What a finished job is worth: figures, places to look at, and one sentence. Everything comes from
 * the trace and from what was counted while drawing, so it is the same for any number of threads
 * and for a resumed run. Rules and good ranges: docs/guide/report.md. */
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

#include "engine/perform.h"
#include "engine/plan.h"
#include "engine/roles.h"

#define JUDGE_RANGES_MAX 1000
#define JUDGE_WARNINGS_MAX 24

/* A run of output frames. */
struct judge_range {
    double from_s, to_s;
    int64_t from_frame, to_frame; /* both included */
};
struct judge_ranges {
    size_t n, cap;
    struct judge_range *at;
    int64_t n_frames; /* all frames that are meant */
    double joined_s;  /* above 0: there were too many, so gaps up to this long were closed */
};

enum judge_figure_name {
    JUDGE_COVERED,   /* of the frames in which the voice speaks: share whose mouth follows it */
    JUDGE_CLOSURES,  /* of the moments at which the voice closes the lips: share drawn shut */
    JUDGE_SHUT_SEEN, /* … and share that the net sees shut in the result */
    JUDGE_AGREEMENT, /* correlation of the opening seen in the result with the voice's */
    JUDGE_SILENCE,   /* of the silent frames: share whose mouth is not at rest */
    JUDGE_SHARPNESS, /* of the drawn mouths over that of the film's own speaking ones */
    JUDGE_JITTER,    /* likewise, rms second difference in time */
    JUDGE_SEAM,      /* steps across the edges of the masks, result over film */
    JUDGE_FILM,      /* correlation of the film's own mouth with its own sound */
    JUDGE_FIGURES
};
struct judge_figure_info {
    const char *name, *title, *meaning;
    double low, high; /* good values */
    bool is_share;    /* shown in per cent */
};
extern const struct judge_figure_info judge_figures[JUDGE_FIGURES];

struct judge_figure {
    double value; /* NAN: not measured */
    int64_t n;    /* frames or moments that it rests on */
    const char *why_not; /* a sentence when it was not measured */
};

struct judge_warning {
    const char *kind;
    bool is_serious; /* a place to look at; else only worth knowing */
    char text[200];
    const char *remedy;            /* a sentence, or NULL */
    const struct judge_ranges *at; /* NULL: the whole film */
};

struct judgement {
    struct judge_figure figures[JUDGE_FIGURES];
    struct judge_ranges edited, matching, outside, declined[LIP_DECLINE_COUNT];
    struct judge_ranges edited_of[ROLES_CASTS_MAX]; /* of each cast, where there are several */
    struct judge_ranges restless, unshut; /* silent frames in motion; closures that are open */
    struct judge_warning warnings[JUDGE_WARNINGS_MAX];
    size_t n_warnings;
    enum lip_verdict verdict;
    char sentence[256];
};

/* Errors: LIP_ERR_NOMEM. judge_done also after a failure. */
int judge_job(const struct roles *roles, const struct plan *plan,
              const struct perform_stats *stats, struct judgement *ret_judgement,
              struct lip_error *err);
void judge_done(struct judgement *judgement);

/* "00:12", "1:00:12". */
void judge_time(double t_s, char ret_text[24]);

#endif
