// SPDX-License-Identifier: BSD-3-Clause
#include "control/call/refer.h"

#include <errno.h>

#include "control/base/record.h"

enum { REFER_RECORD = 1 };

void refer_begin(struct refer *r, uint32_t cseq, bool quiet, bool named)
{
    *r = (struct refer){.used = true, .quiet = quiet, .named = named, .cseq = cseq, .due = 100};
}

bool refer_is_decided(const struct refer *r)
{
    return r->told >= 200 || r->due >= 200;
}

void refer_tell(struct refer *r, int status)
{
    if (r->used && !refer_is_decided(r) && status >= 100 && status <= 699 && status > r->told)
        r->due = (uint16_t)status;
}

int refer_next(struct refer *r)
{
    int status = r->due;
    if (!r->used || r->out || !status)
        return 0;
    r->told = r->due;
    r->due = 0;
    r->out = !r->quiet;
    return r->quiet ? 0 : status;
}

void refer_answered(struct refer *r, int status)
{
    r->out = false;
    if (status < 200 || status > 299)
        r->quiet = true;
}

bool refer_is_over(const struct refer *r)
{
    return r->used && !r->out && !r->due && r->told >= 200;
}

void refer_save(const struct refer *r, struct record_writer *w)
{
    record_begin(w, "refer", REFER_RECORD);
    record_put_number(w, "used", r->used);
    record_put_number(w, "quiet", r->quiet);
    record_put_number(w, "named", r->named);
    record_put_number(w, "out", r->out);
    record_put_number(w, "cseq", r->cseq);
    record_put_number(w, "told", r->told);
    record_put_number(w, "due", r->due);
    record_end(w);
}

int refer_load(struct refer *r, struct record *in)
{
    struct refer fresh = {0};
    fresh.used = record_number(in, "used", 1);
    fresh.quiet = record_number(in, "quiet", 1);
    fresh.named = record_number(in, "named", 1);
    fresh.out = record_number(in, "out", 1);
    fresh.cseq = (uint32_t)record_number(in, "cseq", INT32_MAX);
    fresh.told = (uint16_t)record_number(in, "told", 699);
    fresh.due = (uint16_t)record_number(in, "due", 699);
    bool whole = (!fresh.told || fresh.told >= 100) && (!fresh.due || fresh.due > fresh.told);
    *r = (struct refer){0};
    if (in->bad || in->version != REFER_RECORD || !whole || (fresh.told >= 200 && fresh.due))
        return -EINVAL;
    *r = fresh;
    return 0;
}

void refer_relayed_save(const struct refer_relayed *r, struct record_writer *w)
{
    record_begin(w, "relayed", REFER_RECORD);
    record_put_number(w, "used", r->used);
    record_put_number(w, "from", r->from);
    record_put_number(w, "cseq_in", r->cseq_in);
    record_put_number(w, "cseq_out", r->cseq_out);
    record_end(w);
}

int refer_relayed_load(struct refer_relayed *r, struct record *in)
{
    struct refer_relayed fresh = {0};
    fresh.used = record_number(in, "used", 1);
    fresh.from = (uint8_t)record_number(in, "from", 1);
    fresh.cseq_in = (uint32_t)record_number(in, "cseq_in", INT32_MAX);
    fresh.cseq_out = (uint32_t)record_number(in, "cseq_out", INT32_MAX);
    *r = (struct refer_relayed){0};
    if (in->bad || in->version != REFER_RECORD)
        return -EINVAL;
    *r = fresh;
    return 0;
}
