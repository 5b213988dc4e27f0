// SPDX-License-Identifier: BSD-3-Clause
// A small reader of our own over the bytes of a message: start line, header lines, and the five headers that
// name a transaction. It is tolerant, so that what breaks the grammar can still be recognised and answered;
// filter.h says what is wrong with it. Nothing here allocates; everything points into the bytes. Any
// thread.
#pragma once

#include <assert.h>

#include "control/sip/msg.h"
#include "control/sip/value.h"

struct sip_line {
    struct sip_str name;  // as it stands there, no white space around
    struct sip_str value; // likewise, folding replaced by spaces
    enum sip_name id;
    uint8_t next; // number of the next line with that id, counted from 1; 0: none
};

static_assert(SIP_HEADERS_MAX < UINT8_MAX, "a line's number fits a byte");

enum sip_fault {
    SIP_FAULT_START = 1u << 0,   // start line has more or less than three parts with one space between
    SIP_FAULT_LINE = 1u << 1,    // a line without colon or name, too long, or with a control character
    SIP_FAULT_LINES = 1u << 2,   // more lines than SIP_HEADERS_MAX; the rest is not there
    SIP_FAULT_UNENDED = 1u << 3, // no empty line
    SIP_FAULT_NOT_SIP = 1u << 8, // no start line at all: nothing else is filled in
};

struct sip_head {
    struct sip_str bytes; // all
    size_t body;          // number of the first body byte
    unsigned faults;      // enum sip_fault
    bool request;
    struct sip_str method, uri, version; // request
    struct sip_str code, phrase;         // response, and version
    uint8_t count[SIP_NAME_COUNT];       // lines of each name
    uint8_t first[SIP_NAME_COUNT];       // number of the first of each, counted from 1; 0: none
    uint8_t last[SIP_NAME_COUNT];        // and of the last
    unsigned lines;
    struct sip_line line[SIP_HEADERS_MAX];
};

// Reads the head of a message. Folded lines are joined in place (CR LF SP becomes three spaces), which is why
// the bytes are not const; nothing moves. Lines end in CR LF or LF.
void sip_read(char *bytes, size_t len, struct sip_head *head);

// Value of the first line with that name; p == NULL without one.
static inline struct sip_str sip_head_value(const struct sip_head *head, enum sip_name id)
{
    return head->first[id] ? head->line[head->first[id] - 1].value : (struct sip_str){NULL, 0};
}

// Joins folded lines of the head in place; sip_read() does it too.
void sip_unfold(char *bytes, size_t len);

// Whether a header name of a message is `name` or its compact form; what the id of a name is.
bool sip_name_is(struct sip_str name, const char *full);
enum sip_name sip_name_id(struct sip_str name);
