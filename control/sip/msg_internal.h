// SPDX-License-Identifier: BSD-3-Clause
// Inside of a message, for the stack's own files.
#pragma once

#include <sys/time.h> // osip.h needs it first

#include <osip2/osip.h>
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>

#include "control/sip/filter.h"

struct sip_msg {
    struct osip_message *osip; // ours; a transaction of osip only borrows it
    struct sip_str bytes;
    struct sip_str body;
    bool request;
    int status;
    uint32_t cseq;
    enum sip_method method;
    struct sip_str method_name;
    struct sip_str uri, phrase;
    struct sip_str first[SIP_NAME_COUNT];
    unsigned line_count;
    struct sip_line lines[]; // and the bytes behind them
};

// Once, before anything of osip is used.
void sip_msg_setup(void);

// Makes a message of a head that passed the filter: copies the bytes and lets osip parse them.
// NULL when osip refuses it or there is no memory. The caller frees it.
struct sip_msg *sip_msg_new(const struct sip_head *head, const struct sip_shape *shape);
void sip_msg_free(struct sip_msg *msg);

// The tag in a From or To value; p == NULL without one.
struct sip_str sip_read_tag(struct sip_str value);
