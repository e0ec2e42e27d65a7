/* SPDX-License-Identifier: ISC */
/* What both directions of the encoding share. */
#ifndef TUND_CONFIG_CONFIG_CODEC_H
#define TUND_CONFIG_CONFIG_CODEC_H

#include <tund/config/config.h>

#define CODEC_MAGIC "tundconf"
#define CODEC_MAGIC_SIZE 8
#define CODEC_VERSION 4 /* both sides are of one build; another number is a mixed installation */

#endif
