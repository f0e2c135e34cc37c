/* SPDX-License-Identifier: MIT */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int base_error_set(struct lip_error *err, int code, const char *where, const char *format, ...)
{
    if (!err || err->code)
        return code;
    err->code = code;
    snprintf(err->where, sizeof err->where, "%s", where);
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    for (char *p = err->text; *p; p++)
        if ((unsigned char)*p < ' ') /* a file name may hold anything; a sentence is one line */
            *p = ' ';
    return code;
}

void base_error_clear(struct lip_error *err)
{
    if (err)
        memset(err, 0, sizeof *err);
}

int base_error_nomem(struct lip_error *err, const char *where)
{
    return base_error_set(err, LIP_ERR_NOMEM, where, "out of memory");
}

int base_error_arg(struct lip_error *err, const char *where, const char *what)
{
    return base_error_set(err, LIP_ERR_ARG, where, "bad argument: %s", what);
}

const char *lip_status_name(int code)
{
    switch ((enum lip_status)code) {
#define NAME(n) case n: return #n
        NAME(LIP_OK);
        NAME(LIP_ERR_ARG);
        NAME(LIP_ERR_STATE);
        NAME(LIP_ERR_NOT_FOUND);
        NAME(LIP_ERR_FORMAT);
        NAME(LIP_ERR_NO_VIDEO);
        NAME(LIP_ERR_NO_AUDIO);
        NAME(LIP_ERR_NO_FACE);
        NAME(LIP_ERR_UNSUPPORTED);
        NAME(LIP_ERR_LIMIT);
        NAME(LIP_ERR_SCORE);
        NAME(LIP_ERR_PERSON);
        NAME(LIP_ERR_NOMEM);
        NAME(LIP_ERR_IO);
        NAME(LIP_ERR_MODEL);
        NAME(LIP_ERR_DEVICE);
        NAME(LIP_ERR_EXISTS);
        NAME(LIP_ERR_CANCELLED);
        NAME(LIP_ERR_ENCODER);
        NAME(LIP_ERR_INTERNAL);
#undef NAME
    }
    return "LIP_ERR_UNKNOWN";
}
