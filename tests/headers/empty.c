/* SPDX-License-Identifier: MIT
 * The header under test comes in by -include; this only keeps the file from being empty. */
typedef int headers_not_empty;
