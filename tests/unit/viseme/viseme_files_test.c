/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include <jansson.h>
#include <locale.h>
#include <math.h>

#include "make.h"
#include "viseme/viseme.h"

static struct data_viseme_sample samples[MADE_MAX];
static const struct run word[] = {{DATA_VISEME_SIL, 10, 0}, {DATA_VISEME_PP, 5, 0},
                                  {DATA_VISEME_AA, 10, 0.9f}, {DATA_VISEME_SIL, 10, 0}};

/* The file as text; the caller's to end. */
static struct base_buffer file_of(enum viseme_format format, double rate_hz, const char *sound)
{
    struct data_visemes v;
    struct base_buffer b;
    make(word, UNIT_COUNT(word), samples, &v);
    base_buffer_init(&b, (size_t)1 << 24);
    assert_int_equal(viseme_write(&v, format, rate_hz, sound, &b), 0);
    base_buffer_put_u8(&b, 0);
    return b;
}

static void rhubarb(void **state)
{
    (void)state;
    struct base_buffer b = file_of(VISEME_RHUBARB_TSV, 0, "a.wav");
    assert_string_equal((char *)b.data, "0.00\tX\n0.19\tA\n0.30\tD\n0.49\tX\n0.70\tX\n");
    base_buffer_done(&b);
    b = file_of(VISEME_RHUBARB_XML, 0, "a<&.wav");
    assert_string_equal((char *)b.data,
                        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rhubarbResult>\n"
                        "  <metadata>\n    <soundFile>a&lt;&amp;.wav</soundFile>\n"
                        "    <duration>0.70</duration>\n  </metadata>\n  <mouthCues>\n"
                        "    <mouthCue start=\"0.00\" end=\"0.19\">X</mouthCue>\n"
                        "    <mouthCue start=\"0.19\" end=\"0.30\">A</mouthCue>\n"
                        "    <mouthCue start=\"0.30\" end=\"0.49\">D</mouthCue>\n"
                        "    <mouthCue start=\"0.49\" end=\"0.70\">X</mouthCue>\n"
                        "  </mouthCues>\n</rhubarbResult>\n");
    base_buffer_done(&b);
    b = file_of(VISEME_RHUBARB_JSON, 0, "C:\\a \"b\".wav");
    json_t *o = json_loads((char *)b.data, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "metadata"),
                                                          "soundFile")), "C:\\a \"b\".wav");
    assert_int_equal(json_array_size(json_object_get(o, "mouthCues")), 4);
    json_decref(o);
    base_buffer_done(&b);
}

static void moho(void **state)
{
    (void)state;
    struct base_buffer b = file_of(VISEME_MOHO, 0, "");
    assert_string_equal((char *)b.data, "MohoSwitch1\n1 rest\n5 MBP\n8 AI\n13 rest\n18 rest\n");
    base_buffer_done(&b);
}

static void weights(void **state)
{
    (void)state;
    struct data_visemes v;
    float w[VISEME_ARKIT];
    make(word, UNIT_COUNT(word), samples, &v);
    for (double t_s = -1; t_s < 2; t_s += 0.013) {
        float sum = 0;
        viseme_oculus(&v, t_s, w);
        for (int k = 0; k < VISEME_OCULUS; k++)
            sum += w[k];
        assert_true(fabsf(sum - 1) < 1e-4f);
        viseme_arkit(&v, t_s, w);
        for (int k = 0; k < VISEME_ARKIT; k++)
            assert_true(w[k] >= 0 && w[k] <= 1);
    }
    viseme_arkit(&v, 0.4, w);
    assert_true(w[17] > 0.3f);                          /* jawOpen in "a" */
    assert_true(w[0] == 0 && w[43] == 0 && w[51] < 0.01f); /* eyes, brows, the tongue */
    viseme_arkit(&v, 0.25, w);
    assert_true(w[17] < 0.05f && w[35] > 0.2f); /* jawOpen and mouthPress in "p" */
    viseme_arkit(&v, 0.05, w);
    assert_true(w[17] == 0 && w[35] == 0); /* rest */
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static void tables(void **state)
{
    (void)state;
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is there, a comma must not come of it */
    struct base_buffer b = file_of(VISEME_ARKIT_CSV, 30, "");
    const char *text = (char *)b.data;
    assert_memory_equal(text, "Timecode,BlendShapeCount,EyeBlinkLeft,", 37);
    assert_int_equal(count(text, "\n"), 22);
    assert_int_equal(count(text, ","), 22 * 62);
    assert_non_null(strstr(text, "\n00:00:00:20.000,61,0.00000000,"));
    base_buffer_done(&b);
    b = file_of(VISEME_OCULUS_CSV, 10, "");
    text = (char *)b.data;
    assert_non_null(strstr(text, "time,sil,PP,FF,TH,DD,kk,CH,SS,nn,RR,aa,E,I,O,U\n0.0000,"));
    assert_int_equal(count(text, "\n"), 8);
    base_buffer_done(&b);
    b = file_of(VISEME_OCULUS_JSON, 10, "a.wav");
    json_t *o = json_loads((char *)b.data, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(o, "frames")), 7);
    json_decref(o);
    base_buffer_done(&b);
}

static void gltf(void **state)
{
    (void)state;
    struct base_buffer b = file_of(VISEME_GLTF, 25, "");
    json_t *o = json_loads((char *)b.data, 0, NULL);
    json_t *mesh = json_array_get(json_object_get(o, "meshes"), 0);
    assert_int_equal(json_array_size(json_object_get(json_object_get(mesh, "extras"),
                                                     "targetNames")), VISEME_ARKIT);
    json_t *views = json_object_get(o, "bufferViews");
    assert_int_equal(json_array_size(views), 3);
    json_decref(o);
    base_buffer_done(&b);
    b = file_of(VISEME_GLB, 25, "");
    size_t n = b.size - 1; /* file_of's zero */
    assert_memory_equal(b.data, "glTF\2\0\0\0", 8);
    assert_int_equal(b.data[8] | b.data[9] << 8 | b.data[10] << 16, n);
    assert_int_equal(n % 4, 0);
    base_buffer_done(&b);
}

static void limits(void **state)
{
    (void)state;
    struct data_visemes v;
    struct base_buffer b;
    make(word, UNIT_COUNT(word), samples, &v);
    for (int format = 0; format < VISEME_FORMATS; format++) {
        base_buffer_init(&b, 16);
        assert_int_equal(viseme_write(&v, format, 30, "a.wav", &b), LIP_ERR_LIMIT);
        base_buffer_done(&b);
        assert_non_null(viseme_format_name(format));
    }
    assert_null(viseme_format_name(VISEME_FORMATS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rhubarb),  cmocka_unit_test(moho), cmocka_unit_test(weights),
        cmocka_unit_test(tables),   cmocka_unit_test(gltf), cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
