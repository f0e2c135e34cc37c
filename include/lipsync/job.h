/* SPDX-License-Identifier: MIT
 *
 * Jobs: a film and a voice go in, a film comes out. A call returns when the job is over; several
 * jobs may run at once in different threads on one engine. */
#ifndef LIPSYNC_JOB_H
#define LIPSYNC_JOB_H

#include <stdint.h>

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What happens when voice and film differ in length (A: the voice's length, V: the film's). */
enum lip_sync_mode {
    LIP_SYNC_BOUNCE,  /* length A; the film plays forward, backward, forward … */
    LIP_SYNC_LOOP,    /* length A; the film starts again */
    LIP_SYNC_CUT_OFF, /* length min(A, V) */
    LIP_SYNC_SILENCE, /* length max(A, V); silence after the voice, the last picture after the
                         film */
    LIP_SYNC_REMAP    /* length A; the film is played faster or slower */
};

enum lip_codec {
    LIP_CODEC_H264, LIP_CODEC_HEVC, LIP_CODEC_PRORES, LIP_CODEC_VP9, LIP_CODEC_AV1, LIP_CODEC_FFV1,
    LIP_CODEC_LIKE_SOURCE,
    LIP_CODEC_AUTO /* the film's own family where the output can hold it, else the nearest */
};

enum lip_face_choice {
    LIP_FACE_LARGEST, /* the largest face that stays */
    LIP_FACE_NUMBER,  /* as numbered by lip_faces, from 1 */
    LIP_FACE_POINT,   /* the face at (x, y) at the time t_s */
    LIP_FACE_AUTO,    /* at every moment whoever surely speaks in the film: the face whose mouth
                         agrees with the film's own sound; nobody where none does */
    LIP_FACE_BOXES    /* the face in each frame's box of face_boxes */
};

/* How much is spent on a film (docs/guide/tiers.md). */
enum lip_tier { LIP_TIER_STANDARD, LIP_TIER_FAST, LIP_TIER_PRO };

/* Hands, microphones, cups, hair before the mouth stay in front. */
enum lip_occlusion {
    LIP_OCCLUSION_AUTO, /* what certainly is something in front */
    LIP_OCCLUSION_ON,   /* also what perhaps is */
    LIP_OCCLUSION_OFF   /* nothing ever is */
};

enum lip_stage {
    LIP_STAGE_ANALYZE, /* pass 1: look at the film */
    LIP_STAGE_LEARN,   /* collect the person's mouths */
    LIP_STAGE_LISTEN,  /* voice to mouth curve */
    LIP_STAGE_PERFORM, /* pass 2: draw and encode */
    LIP_STAGE_JOIN,    /* picture, sound and the rest into one file */
    LIP_STAGE_COUNT
};
LIP_API const char *lip_stage_name(int stage); /* "analyze" … */

struct lip_progress {
    int stage;             /* enum lip_stage */
    double stage_fraction; /* 0..1 */
    double fraction;       /* of the whole job, 0..1, never goes back */
    double speed;          /* film seconds per second in this stage; 0 unknown */
    double left_s;         /* estimated time left; < 0 unknown */
    int64_t frames;        /* done in this stage */
};

/* A stretch of the film that gets a voice of its own. Picture and sound outside of all segments
 * stay the film's. Where the piece of the voice and the segment differ in length, `sync` decides,
 * and what follows is shown earlier or later: bounce, loop and remap last as long as the piece,
 * cut_off as the shorter of the two, silence as the longer. */
#define LIP_SEGMENTS_MAX 1000
struct lip_segment {
    double start_s, end_s; /* of the film; an end behind the film's is the film's. A segment of no
                              length changes nothing */
    const char *voice;     /* sound file or film; one may serve several segments */
    double voice_from_s, voice_to_s; /* the piece of it that is heard; to 0: up to its end */
    int sync;              /* enum lip_sync_mode; < 0: the job's, as with the next three */
    double temperature;
    int occlusion;         /* enum lip_occlusion */
    int face;              /* enum lip_face_choice, with the fields of struct lip_job */
    int face_number;
    double face_x, face_y, face_t_s;
    int64_t face_frame;    /* >= 0: the point lies in the frame with this number, in pixels as the
                              film stores them, and face_t_s is not used */
};
LIP_API void lip_segment_default(struct lip_segment *segment); /* all of it the job's */

/* A stretch of the film, in seconds. */
struct lip_range {
    double from_s, to_s;
};

#define LIP_SHARES_MAX 1000

struct lip_job {
    const char *film;   /* file, or an image */
    const char *voice;  /* sound file or film; NULL: the film's own sound */
    const char *output; /* the ending names the container: mp4 mov mkv webm avi */
    const char *score;  /* NULL: a temporary one. Used when it is there and of this film, else
                           made */
    const char *person; /* what lip_person_learn wrote, NULL: the film alone. Its mouths and its way
                           of speaking join the film's; where no face is asked for, the most similar
                           one speaks. LIP_ERR_PERSON when it is of somebody else */
    const char *report; /* JSON file of what was done and how well. NULL: OUTPUT.lipsync.json beside
                           the output, which is a part of the mark: none with no_mark */
    const char *report_page; /* the same as an HTML page to read, NULL: none */
    const char *mask;   /* film (mkv) that is white where samples were written; NULL: none */
    enum lip_sync_mode sync;
    enum lip_codec codec;
    int quality;   /* 1..100, 0 = by how well the film itself is coded (visually lossless) */
    int n_threads; /* 0 = one per processor; the same frames for any number */
    enum lip_face_choice face;
    int face_number;
    double face_x, face_y, face_t_s; /* pixels as a viewer sees them (upright), seconds */
    const char *face_boxes; /* for LIP_FACE_BOXES: a JSON file, an array of [x0, y0, x1, y1] in the
                               film's own pixels or null (nobody), one a frame */
    enum lip_tier tier;
    int n_crops;   /* looks at each face, 1 or 3; 0 = the tier's */
    int overwrite; /* an existing output is replaced (at the very end) */
    int reencode;  /* 1: no coded picture of the film is copied, not even where nothing changed */
    int resume;    /* go on with what an interrupted run of the same job left, and leave it so */
    uint64_t seed;
    int no_mark; /* 1: the output does not say that it was edited. It does by default, as the law of
                    many places asks: XMP, metadata, and a record beside it (docs/guide/report.md)
                  */
    const char *consent; /* what the record says of the consent of the person seen and of the
                            speaker, in your words; UTF-8, NULL: nothing */
    enum lip_occlusion occlusion;
    double temperature; /* how lively the mouth is: 0 calm, 0.5 as predicted, 1 wide */
    const struct lip_segment *segments; /* instead of a voice: in any order, but apart from each
                                           other. NULL: none */
    int n_segments;
    const struct lip_range *only; /* the voice, which lies on the film's clock, is heard and spoken
                                     only here; elsewhere picture and sound stay the film's, and
                                     `sync` is not used. Apart from each other; not together with
                                     segments. NULL: everywhere */
    int n_only;
    /* A long film can be drawn by several processes or machines. Each runs the same job, with the
     * same files and settings, n_shares > 0 and one share: 0 comes first, looks and listens and
     * leaves in `parts` what it found; then 1 to n_shares each draw their part of the picture into
     * it, in any order and at the same time. The job without shares draws what is missing, looking
     * anew at each part whether somebody else has put it there meanwhile, and joins all: the same
     * film as without shares. Where machines have no folder in common, the files of it can be
     * carried. A call with a share writes no output and no report, and fills only `frames` of the
     * result: how many it has drawn. Share 0 can have help, too: lip_analyze. */
    const char *parts; /* a folder, made where it is missing, which the caller removes. NULL: a
                          hidden one beside the output while the job runs */
    int share, n_shares; /* n_shares up to LIP_SHARES_MAX; 0: no shares */
    /* At most ten times a second, from the calling thread. */
    void (*progress)(void *user, const struct lip_progress *progress);
    void *progress_user;
    /* Looked at once per frame; non-zero ends the job with LIP_ERR_CANCELLED. May be set by another
     * thread or a signal handler. */
    const volatile int *cancel;
    void *reserved[4];
};

LIP_API void lip_job_default(struct lip_job *job);

/* Frames that were left as they were, and why. */
enum lip_decline {
    LIP_DECLINE_NO_FACE,   /* the face is not there */
    LIP_DECLINE_PROFILE,   /* turned away too far */
    LIP_DECLINE_TINY,      /* too small */
    LIP_DECLINE_UNSURE,    /* the landmarks cannot be trusted here */
    LIP_DECLINE_HELD,      /* the film is over, its last picture stands (sync mode silence) */
    LIP_DECLINE_OCCLUDED,  /* most of the mouth is covered */
    LIP_DECLINE_NOT_SPEAKING, /* nobody in the picture surely speaks, or no face was asked for */
    LIP_DECLINE_COUNT
};
LIP_API const char *lip_decline_name(int decline); /* "no_face" … */

/* What the job is worth, by the rules of docs/guide/report.md. */
enum lip_verdict {
    LIP_VERDICT_GOOD,
    LIP_VERDICT_LOOK,      /* good in the main: look at the places of the warnings */
    LIP_VERDICT_POOR,
    LIP_VERDICT_UNCHANGED, /* only the sound is new */
    LIP_VERDICT_COUNT
};
LIP_API const char *lip_verdict_name(int verdict); /* "good" … */

/* Measured on the finished film; NaN where that was not possible. */
struct lip_figures {
    double speech_covered;   /* share of the speaking frames whose mouth follows the voice */
    double closures_drawn;   /* share of the voice's closures at which the mouth is drawn shut */
    double closures_seen;    /* … and is seen shut in the finished picture, in a sample */
    double agreement_result; /* correlation: opening seen in the result, asked for by the voice */
    double silence_motion;   /* share of the silent frames in which the mouth moves */
    double sharpness, jitter, seam; /* drawn mouths over the film's own: 1 is ideal */
};

struct lip_result {
    int64_t frames;      /* in the output */
    int64_t edited;      /* with at least one written sample */
    int64_t matching;    /* the wish was the frame's own mouth: nothing to do */
    int64_t outside;     /* nobody's mouth was to be moved: outside of segments and ranges */
    int64_t copied;      /* the film's own coded pictures, not encoded again */
    char why_not_copied[160]; /* a clause when `copied` is 0, else "" */
    int64_t declined[LIP_DECLINE_COUNT];
    double duration_s;
    int face;            /* number of the face that speaks; 0: none found */
    int bank_frames;     /* pictures of the person's own mouth that were used as material … */
    int person_frames;   /* … of these, the person file's */
    int style_fitted;    /* 1: the mouth follows this person's own way of speaking */
    double agreement;    /* of predicted and seen mouth on the film's own sound; 0 unknown */
    double stage_s[LIP_STAGE_COUNT];
    int n_warnings;
    char warnings[8][256];
    int verdict;         /* enum lip_verdict */
    char sentence[256];  /* the verdict in words */
    struct lip_figures figures;
};

/* Film + voice -> film. A film always comes out: frames that cannot be edited stay as they are and
 * are counted. Errors: any. `ret_result` may be NULL; it is filled on success only. On failure the
 * output is untouched and nothing half-written is left (with `resume`, work done stays in a hidden
 * folder beside the output); only when a report that was asked for, or the film's content
 * credentials, cannot be written (LIP_ERR_IO, LIP_ERR_NOMEM) the film is there, and whole. */
LIP_API int lip_dub(lip_engine *engine, const struct lip_job *job, struct lip_result *ret_result,
                    struct lip_error *err);

/* Pass 1 alone, over the whole film: writes job->score. With a share, 1 to n_shares, only that part
 * of the film is looked at, and what was seen is left in files beside where the score will be; a
 * call without a share, and lip_dub with that score (in `parts` it is called "score"), take what is
 * there, while it looks at the rest: the same score as without shares. */
LIP_API int lip_analyze(lip_engine *engine, const struct lip_job *job, struct lip_error *err);

#ifdef __cplusplus
}
#endif
#endif
