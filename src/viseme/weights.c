/* SPDX-License-Identifier: MIT
 *
 * Weights of shapes that mix: the Oculus visemes and ARKit's blend shapes. */
#include <math.h>
#include <string.h>

#include "viseme/viseme.h"

#define BLUR_S 0.02 /* weights are blurred 1 2 1 over so much to each side: nothing jumps */

static const char *const oculus_names[VISEME_OCULUS] = {
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U"};

static const char *const arkit_names[VISEME_ARKIT] = {
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight",
    "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward",
    "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight",
    "mouthLeft", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft",
    "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft",
    "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft",
    "noseSneerRight", "tongueOut"};
enum arkit {
    JAW_FORWARD = 14,
    JAW_OPEN = 17, CLOSE, FUNNEL, PUCKER,
    DIMPLE_LEFT = 27, DIMPLE_RIGHT, STRETCH_LEFT, STRETCH_RIGHT, ROLL_LOWER, ROLL_UPPER,
    SHRUG_UPPER = 34, PRESS_LEFT, PRESS_RIGHT, LOWER_LEFT, LOWER_RIGHT, UPPER_LEFT, UPPER_RIGHT,
    TONGUE = 51
};

const char *viseme_oculus_name(int shape)
{
    return shape >= 0 && shape < VISEME_OCULUS ? oculus_names[shape] : NULL;
}

const char *viseme_arkit_name(int shape)
{
    return shape >= 0 && shape < VISEME_ARKIT ? arkit_names[shape] : NULL;
}

static float unit(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static void blurred(const struct data_visemes *visemes, double t_s,
                    struct data_viseme_sample *ret_sample)
{
    static const float share[3] = {0.25f, 0.5f, 0.25f};
    float *out = (float *)ret_sample; /* the struct holds nothing but floats */
    memset(ret_sample, 0, sizeof *ret_sample);
    for (int k = 0; k < 3; k++) {
        struct data_viseme_sample s;
        viseme_at(visemes, t_s + (k - 1) * BLUR_S, &s);
        for (size_t i = 0; i < sizeof s / sizeof *out; i++)
            out[i] += share[k] * ((const float *)&s)[i];
    }
}

void viseme_oculus(const struct data_visemes *visemes, double t_s, float ret_w[VISEME_OCULUS])
{
    struct data_viseme_sample s;
    blurred(visemes, t_s, &s);
    for (int k = 0; k < VISEME_OCULUS; k++)
        ret_w[k] = s.speech * s.share[k];
    ret_w[DATA_VISEME_NN] += s.speech * s.share[DATA_VISEME_L];
    ret_w[DATA_VISEME_U] += s.speech * s.share[DATA_VISEME_W];
    ret_w[DATA_VISEME_SIL] += 1 - s.speech;
}

/* How far the lips go, by the mouth curve; what is full weight of a shape, in IOD: about two and a
 * half times what 98 % of speech stays below, for ARKit's shapes reach a face's limits. */
static void from_curve(const struct data_viseme_sample *s, float *w)
{
    float jaw = fmaxf(s->jaw, 0);
    w[JAW_OPEN] = unit(jaw / 0.16f);
    /* The lower lip rides on the jaw and opens further than it; what it lacks is held shut. */
    w[LOWER_LEFT] = w[LOWER_RIGHT] = unit((s->lower_lip - 1.35f * jaw) / 0.12f);
    w[CLOSE] = fminf(unit((jaw - s->lower_lip) / 0.16f), w[JAW_OPEN]);
    w[UPPER_LEFT] = w[UPPER_RIGHT] = unit(s->upper_lip / 0.12f);
    w[PUCKER] = unit(-s->width / 0.2f);
    w[STRETCH_LEFT] = w[STRETCH_RIGHT] = unit(s->width / 0.12f);
}

/* What the classes know better than the curve: rounding, lips that press or are bitten, the
 * tongue. */
static void from_classes(const struct data_viseme_sample *s, float *w)
{
    const float *p = s->share;
    float on = s->speech, touch = on * fmaxf(p[DATA_VISEME_PP], 0.8f * s->closure);
    float round = on * (p[DATA_VISEME_U] + p[DATA_VISEME_W]), bite = on * p[DATA_VISEME_FF];
    float open = on * (p[DATA_VISEME_O] + 0.8f * p[DATA_VISEME_CH] + 0.5f * p[DATA_VISEME_RR]);
    w[PUCKER] = unit(0.6f * w[PUCKER] + 0.7f * round + 0.25f * open);
    w[FUNNEL] = unit(0.2f * round + 0.5f * open);
    w[CLOSE] = unit(fmaxf(w[CLOSE], touch * w[JAW_OPEN]));
    w[PRESS_LEFT] = w[PRESS_RIGHT] = 0.35f * touch;
    w[ROLL_LOWER] = unit(0.15f * touch + 0.55f * bite);
    w[ROLL_UPPER] = 0.15f * touch;
    w[SHRUG_UPPER] = 0.25f * bite;
    w[LOWER_LEFT] *= 1 - bite;
    w[LOWER_RIGHT] = w[LOWER_LEFT];
    w[DIMPLE_LEFT] = w[DIMPLE_RIGHT] = 0.15f * on * (p[DATA_VISEME_I] + p[DATA_VISEME_SS]);
    w[JAW_FORWARD] = 0.15f * on * (p[DATA_VISEME_CH] + p[DATA_VISEME_SS]);
    w[TONGUE] = 0.25f * on * p[DATA_VISEME_TH];
}

void viseme_arkit(const struct data_visemes *visemes, double t_s, float ret_w[VISEME_ARKIT])
{
    struct data_viseme_sample s;
    memset(ret_w, 0, sizeof(float) * VISEME_ARKIT);
    blurred(visemes, t_s, &s);
    from_curve(&s, ret_w);
    from_classes(&s, ret_w);
}
