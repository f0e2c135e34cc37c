/* SPDX-License-Identifier: MIT
 *
 * The packet of a film is a stranger's text. It is never parsed as a whole: the two places that
 * matter, the value of DigitalSourceType and the end of the RDF, are found by their names. */
#include "media/xmp.h"

#include <lipsync/error.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"

#define PROPERTY "DigitalSourceType"
#define WHOLLY_MADE "/trainedAlgorithmicMedia"

static const char head[] =
    "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n";
static const char tail[] = "</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>";

static void put(struct base_buffer *b, const char *text)
{
    base_buffer_put(b, text, strlen(text));
}

/* What is said of the edit, under a name for RDF's space that may differ from packet to packet. */
static void put_description(struct base_buffer *b, const char *rdf, size_t n_rdf, bool with_type,
                            const char *program, const char *version)
{
    put(b, "<");
    base_buffer_put(b, rdf, n_rdf);
    put(b, "Description ");
    base_buffer_put(b, rdf, n_rdf);
    put(b, "about=\"\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\"");
    if (with_type)
        put(b, " Iptc4xmpExt:" PROPERTY "=\"" MEDIA_XMP_SOURCE_TYPE "\"");
    put(b, " Iptc4xmpExt:AISystemUsed=\"");
    put(b, program);
    put(b, "\" Iptc4xmpExt:AISystemVersionUsed=\"");
    put(b, version);
    put(b, "\"/>\n");
}

/* A piece of text. */
struct span {
    const char *from;
    size_t n;
};

static bool quoted(const char *at, struct span *ret_value)
{
    at += strspn(at, " \t\r\n");
    if (*at != '=')
        return false;
    at += 1 + strspn(at + 1, " \t\r\n");
    const char *end = *at == '"' || *at == '\'' ? strchr(at + 1, *at) : NULL;
    if (!end)
        return false;
    *ret_value = (struct span){at + 1, (size_t)(end - at - 1)};
    return true;
}

/* Whether the name that begins at `at` stands in a closing tag of `text`. */
static bool closes(const char *text, const char *at)
{
    while (at > text && !strchr("<> \t\r\n\"'=/", at[-1]))
        at--;
    return at > text && at[-1] == '/';
}

/* The value of the property whose name ends at `at`: an attribute, a resource, or an element. */
static bool value_at(const char *at, struct span *ret_value)
{
    if (quoted(at, ret_value))
        return true;
    size_t to_end = strcspn(at, "<>");
    if (at[to_end] != '>')
        return false;
    static const char name[] = "resource";
    const char *resource = strstr(at, name);
    if (resource && (size_t)(resource - at) < to_end)
        return quoted(resource + sizeof name - 1, ret_value);
    at += to_end + 1;
    *ret_value = (struct span){at, strcspn(at, "<")};
    return to_end == 0 || at[-2] != '/';
}

static bool ends_in(struct span s, const char *ending)
{
    size_t n = strlen(ending);
    while (s.n && strchr(" \t\r\n", s.from[s.n - 1]))
        s.n--;
    return s.n >= n && !memcmp(s.from + s.n - n, ending, n);
}

/* Copies up to `end` with every source type said anew; *ret_has whether there was one. */
static void put_retyped(struct base_buffer *b, const char *from, const char *end, bool *ret_has)
{
    struct span value;
    *ret_has = false;
    for (const char *at = from; (at = strstr(at, PROPERTY)) && at < end;) {
        bool useless = closes(from, at);
        at += strlen(PROPERTY);
        if (useless || !value_at(at, &value) || value.from + value.n > end)
            continue;
        *ret_has = true;
        if (!ends_in(value, WHOLLY_MADE)) {
            base_buffer_put(b, from, (size_t)(value.from - from));
            put(b, MEDIA_XMP_SOURCE_TYPE);
            from = value.from + value.n;
        }
        at = value.from + value.n;
    }
    base_buffer_put(b, from, (size_t)(end - from));
}

/* The last "</prefix:RDF" of a text; *ret_prefix with its colon. */
static const char *find_end(const char *text, struct span *ret_prefix)
{
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, "</"));) {
        at += 2;
        size_t n = strcspn(at, ":<> \t\r\n");
        if (at[n] == ':' && n < 32 && !strncmp(at + n + 1, "RDF", 3)) {
            found = at - 2;
            *ret_prefix = (struct span){at, n + 1};
        }
    }
    return found;
}

int media_xmp_mark(const char *old, const char *program, const char *version, char **ret_packet)
{
    struct base_buffer b;
    struct span prefix = {"rdf:", 4};
    const char *end = old ? find_end(old, &prefix) : NULL;
    if (old && !end)
        return LIP_ERR_FORMAT;
    bool has_type = false, has_system = end && strstr(old, "AISystemUsed");
    base_buffer_init(&b, 2 * MEDIA_XMP_MAX);
    if (old)
        put_retyped(&b, old, end, &has_type);
    else
        put(&b, head);
    if (!has_type || !has_system)
        put_description(&b, prefix.from, prefix.n, !has_type, program, version);
    put(&b, old ? end : tail);
    base_buffer_put_u8(&b, 0);
    if (b.status) { /* too long: source types without end */
        int r = b.status == LIP_ERR_LIMIT ? LIP_ERR_FORMAT : LIP_ERR_NOMEM;
        base_buffer_done(&b);
        return r;
    }
    *ret_packet = (char *)b.data;
    return LIP_OK;
}
