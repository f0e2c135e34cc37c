/* SPDX-License-Identifier: MIT */
#include "engine/known.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"

#define WHERE "engine/known"
#define SEEN_FEW 50        /* observations: fewer do not show a mouth at rest */
#define LENT_COST .3f      /* in the walk's units; docs/quality.md has what others give */
#define SMALLER_COST 1.5f  /* for each halving of the size: a mouth that is enlarged is blurred */
#define REST_OPEN .012f    /* IOD: so much wider open at rest than in the file, and the film never
                              showed it closed */

int known_open(lip_engine *engine, const char *path, struct known **ret_known,
               struct lip_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct known *k = base_alloc_zero(sizeof *k);
    if (!k)
        return base_error_nomem(err, WHERE);
    data_personfile_init(&k->file);
    motion_style_init(&k->style);
    int r = base_fs_read(path, DATA_PERSONFILE_BYTES_MAX, &bytes, &n, err);
    if (!r)
        r = data_personfile_read(bytes, n, &k->file, err);
    base_free(bytes);
    struct lip_error why = {0};
    if (!r && motion_style_read(k->file.style, k->file.n_style, &k->style, &why))
        r = why.code == LIP_ERR_NOMEM ? base_error_nomem(err, WHERE) : LIP_OK;
    if (!r && k->file.models_hash != engine->models_hash) {
        base_log_print(&engine->log, BASE_LOG_WARN,
                       "'%s' was learnt with other nets: its mouths are used, its way of speaking "
                       "is not", path);
        motion_style_done(&k->style);
        motion_style_init(&k->style);
    }
    if (r)
        known_close(&k);
    else
        *ret_known = k;
    return r;
}

void known_close(struct known **known)
{
    if (!known || !*known)
        return;
    data_personfile_done(&(*known)->file);
    motion_style_done(&(*known)->style);
    base_free(*known);
    *known = NULL;
}

void known_bring(struct data_bank *bank, const struct face_match *match)
{
    for (size_t i = 0; i < bank->n; i++) {
        struct data_bank_entry *e = &bank->entries[i];
        face_match_shape(match, e->canon);
        e->scale_px /= match->scale;
        e->yaw_rad += match->yaw_rad;
        e->pitch_rad += match->pitch_rad;
        e->roll_rad += match->roll_rad;
        e->opening = data_mouth_opening(e->canon);
        e->width = data_mouth_width(e->canon);
    }
}

int known_tint(struct data_bank *bank, const struct data_bank *own)
{
    float theirs[3], ours[3];
    int r = render_bank_skin(bank, theirs);
    if (!r)
        r = render_bank_skin(own, ours);
    if (!r)
        render_bank_tint(bank, theirs, ours);
    return r;
}

void known_burden(struct data_bank *bank, float scale_px)
{
    for (size_t i = 0; i < bank->n; i++) {
        struct data_bank_entry *e = &bank->entries[i];
        e->burden = LENT_COST;
        if (scale_px > e->scale_px)
            e->burden += SMALLER_COST * log2f(scale_px / e->scale_px);
    }
}

/* A still picture, or a film in which the mouth never rests, does not show how this mouth closes.
 * What the mouth does in it as compared with the file's resting one, in the directions in which
 * mouths speak, is taken out of it; all that makes the face this face stays. */
static void rest_from_file(const struct data_person *file, const struct data_basis *basis,
                           struct face_match *match, struct data_person *person)
{
    float rest[DATA_FACE_POINTS][3], coef[DATA_CURVE_DIMS];
    memcpy(rest, file->rest, sizeof rest);
    memset(match->shift, 0, sizeof match->shift);
    face_match_shape(match, rest);
    data_basis_project(basis, (const float(*)[3])rest, (const float(*)[3])person->canon, coef);
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        coef[k] = -coef[k];
    data_basis_shape(basis, (const float(*)[3])person->canon, coef, person->rest);
    person->opening_rest = data_mouth_opening((const float(*)[3])person->rest);
    for (int p = 0; p < DATA_FACE_POINTS; p++)
        for (int a = 0; a < 3; a++)
            match->shift[p][a] = person->rest[p][a] - rest[p][a];
}

/* The file's head speaks through this film's face: its limits move with the resting width. */
static void lend_style(struct known *known, struct cast *cast)
{
    struct motion_style *own = &cast->style, *lent = &known->style;
    if (!lent->fitted && (own->fitted || !lent->ranged ||
                          cast->person.n_frames > known->file.person.n_frames))
        return;
    float wider = data_mouth_width((const float(*)[3])cast->person.rest) -
                  data_mouth_width((const float(*)[3])known->file.person.rest);
    lent->width_min += wider;
    lent->width_max += wider;
    lent->opening_min = fminf(lent->opening_min, cast->person.opening_rest);
    motion_style_done(own);
    *own = *lent;
    motion_style_init(lent);
}

static int lend_bank(struct known *known, struct cast *cast, const struct face_match *match,
                     struct lip_error *err)
{
    struct data_bank *lent = &known->file.bank;
    struct render_bank_params params = {.n_bytes_max = SIZE_MAX};
    params.n_entries_max = DATA_BANK_MAX - cast->bank.n;
    int r = LIP_OK;
    if (lent->n > params.n_entries_max)
        r = render_bank_thin(lent, &params, err);
    if (r)
        return r;
    known_bring(lent, match);
    if (known_tint(lent, &cast->bank))
        return base_error_nomem(err, WHERE);
    known_burden(lent, cast->bank.n ? cast->bank.entries[cast->bank.n / 2].scale_px : 0);
    cast->n_lent = lent->n;
    return render_bank_append(&cast->bank, lent, err);
}

int known_check(const struct data_personfile *file, const struct cast *cast, const char *film,
                struct face_match *ret_match, struct lip_error *err)
{
    if (speaker_compare_prints(&file->print, &cast->print) == SPEAKER_DIFFERENT)
        return base_error_set(err, LIP_ERR_PERSON, WHERE, "the face in '%s' is not that of the "
                              "person file: it looks like somebody else's", film);
    if (!face_person_match(&file->person, &cast->person, ret_match))
        return base_error_set(err, LIP_ERR_PERSON, WHERE, "the head in '%s' cannot be compared "
                              "with the person file's", film);
    if (ret_match->distance > KNOWN_STRANGER)
        return base_error_set(err, LIP_ERR_PERSON, WHERE, "the face in '%s' is not that of the "
                              "person file: the heads differ by %.1f %% of the distance of the "
                              "eyes", film, 100 * (double)ret_match->distance);
    return LIP_OK;
}

int known_join(struct known *known, struct cast *cast, const char *film,
               const struct data_basis *basis, struct lip_error *err)
{
    const struct data_person *file = &known->file.person;
    struct face_match *match = base_alloc(sizeof *match);
    if (!match)
        return base_error_nomem(err, WHERE);
    int r = known_check(&known->file, cast, film, match, err);
    if (!r) {
        cast->likeness = match->distance;
        if (cast->person.n_frames < SEEN_FEW ||
            cast->person.opening_rest > file->opening_rest + REST_OPEN)
            rest_from_file(file, basis, match, &cast->person);
        lend_style(known, cast);
        r = lend_bank(known, cast, match, err);
    }
    base_free(match);
    return r;
}
