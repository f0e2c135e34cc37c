/* SPDX-License-Identifier: MIT
 * The output says that it was edited, in every container; without the mark it does not; picture and
 * sound are the same either way; what the film said of itself stays. */
#include "unit/media/clips.h"

#include "base/alloc.h"
#include "media/xmp.h"

#define OTHER "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
#define ALL_MADE "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
#define RDF(inside) "<x:xmpmeta><rdf:RDF>" inside "</rdf:RDF></x:xmpmeta>"

static char *marked(const char *old)
{
    char *packet = NULL;
    assert_int_equal(media_xmp_mark(old, "tool", "1.2", &packet), LIP_OK);
    assert_non_null(packet);
    return packet;
}

static int n_of(const char *text, const char *what)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

static void test_packets(void **state)
{
    (void)state;
    char *fresh = marked(NULL), *again = marked(fresh);
    assert_int_equal(n_of(fresh, "DigitalSourceType=\"" MEDIA_XMP_SOURCE_TYPE "\""), 1);
    assert_int_equal(n_of(fresh, "AISystemUsed=\"tool\""), 1);
    assert_string_equal(fresh, again); /* an edit of an edit says it once */
    base_free(fresh);
    base_free(again);
    static const struct {
        const char *old;
        int n_ours;
    } cases[] = {
        {RDF("<rdf:Description dc:title='Mine'/>"), 1},
        {RDF("<rdf:Description dc:title='Mine' a:DigitalSourceType = '" OTHER "'/>"), 1},
        {RDF("<rdf:Description dc:title='Mine'><a:DigitalSourceType>" OTHER
             "</a:DigitalSourceType></rdf:Description>"), 1},
        {RDF("<rdf:Description dc:title='Mine'><a:DigitalSourceType rdf:resource=\"" OTHER
             "\"/></rdf:Description>"), 1},
        {RDF("<rdf:Description dc:title='Mine' a:DigitalSourceType='" ALL_MADE "'/>"), 0},
        {"<x><r:RDF xmlns:r='u'><r:Description dc:title='Mine'/></r:RDF></x>", 1},
    };
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        char *packet = marked(cases[i].old);
        assert_non_null(strstr(packet, "dc:title='Mine'"));
        assert_null(strstr(packet, OTHER));
        assert_int_equal(n_of(packet, MEDIA_XMP_SOURCE_TYPE), cases[i].n_ours);
        assert_int_equal(n_of(packet, ALL_MADE), !cases[i].n_ours);
        assert_int_equal(n_of(packet, "AISystemUsed=\"tool\""), 1);
        base_free(packet);
    }
    char *packet = NULL;
    assert_int_equal(media_xmp_mark("not XMP", "tool", "1", &packet), LIP_ERR_FORMAT);
    assert_int_equal(media_xmp_mark("", "tool", "1", &packet), LIP_ERR_FORMAT);
    assert_null(packet);
}

static void make(const char *film, const char *output, enum media_codec codec, const char *by)
{
    struct lip_error err = {0};
    struct copy_job job = {.film = film, .output = output, .codec = codec, .per_part = 4,
                           .voice = at("tone.wav"), .overwrite = true, .edited_by = by,
                           .comment = by ? "made by tool" : NULL};
    OK(copy_film(&job, &err));
}

static void say_tags(const char *name, char *ret_text, size_t cap)
{
    char command[256];
    snprintf(command, sizeof command, "grep -a -o DigitalSourceType= %s; ffprobe -v error "
             "-show_entries format_tags -of flat %s", name, name);
    shell_text(ret_text, cap, command);
}

static void test_containers(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    static const struct {
        const char *marked, *plain;
        enum media_codec codec;
    } kinds[] = {{"m.mp4", "p.mp4", MEDIA_CODEC_H264}, {"m.m4v", "p.m4v", MEDIA_CODEC_H264},
                 {"m.mov", "p.mov", MEDIA_CODEC_H264}, {"m.mkv", "p.mkv", MEDIA_CODEC_H264},
                 {"m.webm", "p.webm", MEDIA_CODEC_VP9}, {"m.avi", "p.avi", MEDIA_CODEC_H264},
                 {"m.nut", "p.nut", MEDIA_CODEC_H264}};
    make_clip("-f lavfi -i sine=400:d=0.4 tone.wav");
    for (size_t i = 0; i < UNIT_COUNT(kinds); i++) {
        char text[8192], output[512], command[512];
        snprintf(output, sizeof output, "%s", at(kinds[i].marked));
        make("synthetic:64x48@25:10", output, kinds[i].codec, "tool");
        say_tags(kinds[i].marked, text, sizeof text);
        if (!strstr(text, "DigitalSourceType=") || !strstr(text, "made by tool"))
            fail_msg("%s has no mark: %s", kinds[i].marked, text);
        snprintf(output, sizeof output, "%s", at(kinds[i].plain));
        make("synthetic:64x48@25:10", output, kinds[i].codec, NULL);
        say_tags(kinds[i].plain, text, sizeof text);
        if (strstr(text, "ource") || strstr(text, "tool"))
            fail_msg("%s has a mark: %s", kinds[i].plain, text);
        snprintf(command, sizeof command,
                 "for f in %s %s; do ffmpeg -v error -i $f -map 0 -c copy -f framemd5 $f.md5 || "
                 "exit 1; done; grep -v '^#' %s.md5 | cmp - p.md5 2>/dev/null; "
                 "cmp %s.md5 %s.md5 && test $(grep -vc '^#' %s.md5) -gt 10",
                 kinds[i].marked, kinds[i].plain, kinds[i].marked, kinds[i].marked, kinds[i].plain,
                 kinds[i].plain);
        shell(command); /* the same packets at the same times */
    }
}

/* Chunks of an AVI's only list fill it exactly: a player that trusts the size finds the end. */
static void test_avi_size(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct lip_error err = {0};
    make_clip("-f lavfi -i sine=400:d=0.4 tone.wav");
    make("synthetic:64x48@25:10", at("s.avi"), MEDIA_CODEC_H264, "tool");
    OK(base_fs_read(at("s.avi"), 1 << 24, &bytes, &n, &err));
    size_t size = (size_t)bytes[4] | (size_t)bytes[5] << 8 | (size_t)bytes[6] << 16 |
                  (size_t)bytes[7] << 24;
    assert_int_equal(size + 8, n);
    base_free(bytes);
}

/* From MP4 through every container and back: the film's own XMP is still there. */
static void test_kept(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip("-f lavfi -i sine=400:d=0.4 tone.wav");
    make("synthetic:64x48@25:10", at("k0.mov"), MEDIA_CODEC_H264, NULL);
    shell("printf '%s' \"<x:xmpmeta><rdf:RDF><rdf:Description dc:title='Mine' "
          "a:DigitalSourceType='" OTHER "'/></rdf:RDF></x:xmpmeta>\" > x.xmp; "
          "ffmpeg -v error -y -i k0.mov -c copy -metadata xmp=\"$(cat x.xmp)\" k1.mov");
    static const char *const chain[] = {"k1.mov", "k2.mp4", "k3.mkv", "k4.mp4", "k5.mov"};
    for (size_t i = 1; i < UNIT_COUNT(chain); i++) {
        char text[1 << 14], film[512], output[512], command[512];
        snprintf(film, sizeof film, "%s", at(chain[i - 1]));
        snprintf(output, sizeof output, "%s", at(chain[i]));
        make(film, output, MEDIA_CODEC_H264, i == 1 || i == 4 ? NULL : "tool");
        snprintf(command, sizeof command, "cat %s | tr -d '\\0'", chain[i]);
        shell_text(NULL, 0, command);
        snprintf(command, sizeof command,
                 "grep -a -o \"dc:title='Mine'\" %s; grep -a -o '" OTHER "' %s; "
                 "grep -a -o 'compositeWith' %s", chain[i], chain[i], chain[i]);
        shell_text(text, sizeof text, command);
        assert_int_equal(n_of(text, "dc:title='Mine'"), 1);
        assert_int_equal(n_of(text, OTHER), i == 1);
        assert_true((n_of(text, "compositeWith") > 0) == (i > 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_avi_size),
        cmocka_unit_test(test_kept),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
