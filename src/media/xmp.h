/* SPDX-License-Identifier: MIT
 *
 * XMP packets as text: what a film says of itself, in RDF/XML. */
#ifndef MEDIA_XMP_H
#define MEDIA_XMP_H

#include <stddef.h>

#define MEDIA_XMP_MAX ((size_t)1 << 20) /* a longer packet of a film is left out */

/* IPTC's word for real footage of which a part was made by a trained model. */
#define MEDIA_XMP_SOURCE_TYPE \
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

/* A packet that says that a trained model made a part of the picture, and which program. `old`
 * (NULL: none) is the film's own packet: everything in it stays, but for a DigitalSourceType, of
 * which there can be one only; a film that says it is wholly made by a model stays that.
 * *ret_packet is base memory. Errors: LIP_ERR_NOMEM; LIP_ERR_FORMAT when `old` is no XMP. */
int media_xmp_mark(const char *old, const char *program, const char *version, char **ret_packet);

#endif
