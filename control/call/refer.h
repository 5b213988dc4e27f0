// SPDX-License-Identifier: BSD-3-Clause
//
// The subscription that a REFER makes (RFC 3515 2.4): what the one who asked for a transfer is told of it, in which order, and
// when that is all. Pure: somebody else sends the NOTIFYs and says what became of them. One is out at a time, so that they
// come in order; what changes meanwhile goes with the next one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct record;
struct record_writer;

// Zeroed there is none.
struct refer {
    bool used;
    bool quiet;    // no NOTIFY is wanted (RFC 4488), or none is taken any more
    bool named;    // Event has an id: it is not the first REFER of its dialog
    bool out;      // a NOTIFY waits for its answer
    uint32_t cseq; // of the REFER: the id
    uint16_t told; // status that the last NOTIFY brought, 0: none yet
    uint16_t due;  // status that is to be told, 0: none
};

// Begins one that is told 100 first. `quiet`: Refer-Sub is false.
void refer_begin(struct refer *r, uint32_t cseq, bool quiet, bool named);

// Notes what became of the transfer, 100..699; the first final status is the last word.
void refer_tell(struct refer *r, int status);

// The status for a NOTIFY to be sent now, 0: none. It is out then.
int refer_next(struct refer *r);

// The final response to the NOTIFY that is out, 0: none came. One that refuses ends the subscription (RFC 6665 4.2.2).
void refer_answered(struct refer *r, int status);

// Whether a final status was noted, and whether nothing more is to be sent or waited for.
bool refer_is_decided(const struct refer *r);
bool refer_is_over(const struct refer *r);

// A REFER that went to the other side, whose NOTIFYs come back. Zeroed there is none.
struct refer_relayed {
    bool used;
    uint8_t from;               // side that sent it
    uint32_t cseq_in, cseq_out; // its CSeq on either side: the id of the subscription
};

// Writes it as a section "relayed", and reads that back: 0, or -EINVAL and *r is none.
void refer_relayed_save(const struct refer_relayed *r, struct record_writer *w);
int refer_relayed_load(struct refer_relayed *r, struct record *in);

// Writes it as a section "refer", and reads that back: 0, or -EINVAL and *r has none.
void refer_save(const struct refer *r, struct record_writer *w);
int refer_load(struct refer *r, struct record *in);
