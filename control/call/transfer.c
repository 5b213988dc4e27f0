// SPDX-License-Identifier: BSD-3-Clause
#include "control/call/transfer.h"

#include <errno.h>

#include "control/base/record.h"

enum { TRANSFER_RECORD = 1 };

void transfer_save(const struct transfer *t, struct record_writer *w)
{
    record_begin(w, "transfer", TRANSFER_RECORD);
    record_put_number(w, "stage", t->stage);
    record_put_number(w, "attended", t->attended);
    record_put_number(w, "replaces", t->replaces);
    record_put_number(w, "dialog", t->dialog);
    record_put_number(w, "by", t->by);
    record_put_number(w, "by_second", t->by_second);
    record_put_number(w, "moving", t->moving);
    record_put_number(w, "answer", t->answer);
    record_put_number(w, "joined", t->joined);
    record_put_number(w, "call", t->call);
    record_put_number(w, "target", t->target);
    if (t->attended)
        record_put_number(w, "second", t->second);
    record_end(w);
}

static bool is_status(uint16_t status)
{
    return !status || status >= 200;
}

int transfer_load(struct transfer *t, struct record *in)
{
    struct transfer fresh = {0};
    fresh.stage = (enum transfer_stage)record_number(in, "stage", TRANSFER_STAGE_COUNT - 1);
    fresh.attended = record_number(in, "attended", 1);
    fresh.replaces = record_number(in, "replaces", 1);
    fresh.dialog = (uint8_t)record_number(in, "dialog", UINT8_MAX);
    fresh.by = (uint8_t)record_number(in, "by", 1);
    fresh.by_second = (uint8_t)record_number(in, "by_second", 1);
    fresh.moving = (uint8_t)record_number(in, "moving", 1);
    fresh.answer = (uint16_t)record_number(in, "answer", 699);
    fresh.joined = (uint16_t)record_number(in, "joined", 699);
    fresh.call = record_number(in, "call", UINT64_MAX);
    fresh.target = record_number(in, "target", UINT64_MAX);
    if (fresh.attended)
        fresh.second = record_number(in, "second", UINT64_MAX);
    // calls count from 1, and nobody has two parts
    bool whole = fresh.call && fresh.target && fresh.call != fresh.target;
    bool apart =
        !fresh.attended || (fresh.second && fresh.second != fresh.call && fresh.second != fresh.target);
    bool second_moves = fresh.stage == TRANSFER_MOVING && fresh.moving && !fresh.attended && !fresh.replaces;
    *t = (struct transfer){0};
    if (in->bad || in->version != TRANSFER_RECORD || !whole || !apart || second_moves ||
        (fresh.attended && fresh.replaces) || (fresh.dialog && !fresh.replaces) || !is_status(fresh.answer) ||
        !is_status(fresh.joined))
        return -EINVAL;
    *t = fresh;
    return 0;
}
