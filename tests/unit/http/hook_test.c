/* SPDX-License-Identifier: MIT
 * What webhooks say: bytes that a parser of JavaScript writes again as they are. */
#include "unit/unit.h"

#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

static void becomes(const char *text, const char *expected)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    char *got = http_ascii(json);
    assert_string_equal(got, expected);
    base_free(got);
}

static void numbers(void **state)
{
    (void)state;
    becomes("[1, 1.0, -2.50, 0.7, 1e2, 0.0001]", "[1,1,-2.5,0.7,100,0.0001]");
    becomes("[0.00001, -0.00001, 3.14159265]", "[0,0,3.1416]");
    becomes("[999999999999999, 1000000000000000, 9007199254740993]", "[999999999999999,null,null]");
    becomes("[123456789.12345, 100000000000000.5, 1e300]", "[123456789.1235,100000000000001,null]");
}

static void texts(void **state)
{
    (void)state;
    becomes("[\"Gr\\u00fc\\u00dfe \\ud83d\\ude00\", \"a\\tb\\u007f\"]", "[\"Gr??e ?\",\"a b \"]");
    becomes("[\"\\u2028\\\"\\\\/\"]", "[\"?\\\"\\\\/\"]");
}

static void objects(void **state)
{
    (void)state;
    becomes("{\"b\": 1, \"7\": 2, \"a\": {\"0\": 1}, \"\": 3, \"-1\": true, \"7a\": null}",
            "{\"b\":1,\"a\":{},\"-1\":true,\"7a\":null}");
}

static void generations(void **state)
{
    (void)state;
    char model[] = "lipsync-2", input[] = "[{\"url\":\"http://x/v\",\"type\":\"video\"}]";
    char options[] = "{\"temperature\":0.50}", url[] = "http://x/h", base[] = "http://me";
    char error[] = "No face", code[] = "generation_unknown_error";
    struct store_hook hook = {.generation = {.id = "ID", .token = "T", .status = STORE_COMPLETED,
                                             .model = model, .input = input, .options = options,
                                             .webhook_url = url, .base_url = base,
                                             .duration_s = 1.23456, .created_ms = 1500}};
    char *body = http_hook_body(&hook);
    assert_string_equal(body, "{\"status\":\"COMPLETED\","
                        "\"createdAt\":\"1970-01-01T00:00:01.500Z\",\"id\":\"ID\","
                        "\"input\":[{\"url\":\"http://x/v\",\"type\":\"video\"}],"
                        "\"model\":\"lipsync-2\",\"error\":null,\"error_code\":null,"
                        "\"options\":{\"temperature\":0.5},\"outputDuration\":1.2346,"
                        "\"outputUrl\":\"http://me/v2/generations/ID/result?token=T\","
                        "\"segmentOutputUrl\":null,\"webhookUrl\":\"http://x/h\"}");
    base_free(body);
    hook.generation.status = STORE_FAILED;
    hook.generation.error = error;
    hook.generation.error_code = code;
    body = http_hook_body(&hook);
    assert_non_null(strstr(body, "\"error\":\"No face\",\"error_code\":\"generation_un"));
    assert_non_null(strstr(body, "\"outputDuration\":null,\"outputUrl\":null"));
    base_free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(texts),
                                       cmocka_unit_test(objects), cmocka_unit_test(generations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
