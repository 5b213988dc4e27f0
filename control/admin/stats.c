// SPDX-License-Identifier: BSD-3-Clause
// The dataplane's counters as the operator sees them, from the live table.
#include <inttypes.h>
#include <stdio.h>

#include "common/addr.h"
#include "control/admin/ctl.h"

static const struct {
    const char *name;
    size_t offset;
} counters[] = {
#define COUNTER(field)                                                                                       \
    {                                                                                                        \
#        field, offsetof(struct tl_worker_snapshot, field)                                                   \
    }
    COUNTER(rx_nic),      COUNTER(rx_handoff),   COUNTER(tx),          COUNTER(tx_own),
    COUNTER(punted),      COUNTER(handed_off),   COUNTER(absorbed),    COUNTER(waiting),
    COUNTER(busy_cycles), COUNTER(busy_packets), COUNTER(events_lost),
#undef COUNTER
};

enum { COUNTERS = sizeof counters / sizeof counters[0] };

static uint64_t *counter(struct tl_worker_snapshot *w, size_t i)
{
    return (uint64_t *)(void *)((char *)w + counters[i].offset);
}

static uint64_t drop_sum(const struct tl_worker_snapshot *w)
{
    uint64_t sum = 0;

    for (int r = 0; r < TL_DROP_COUNT; r++)
        sum += w->drops[r];
    return sum;
}

static uint64_t age_ms(uint64_t now_ns, uint64_t then_ns)
{
    return now_ns > then_ns ? (now_ns - then_ns) / 1000000 : 0;
}

// Counters of one worker or of all, with the drops by label.
static json_t *counters_json(struct tl_worker_snapshot *w)
{
    json_t *object = json_object(), *drops = json_object();
    bool good = object && drops;

    for (size_t i = 0; good && i < COUNTERS; i++)
        good = json_object_set_new(object, counters[i].name, json_integer((json_int_t)*counter(w, i))) == 0;
    for (int r = 0; good && r < TL_DROP_COUNT; r++)
        good = json_object_set_new(drops, tl_drop_label(r), json_integer((json_int_t)w->drops[r])) == 0;
    good = good && json_object_set_new(object, "dropped", json_integer((json_int_t)drop_sum(w))) == 0 &&
           json_object_set_new(object, "cycles_per_packet",
                               w->busy_packets ? json_real((double)w->busy_cycles / (double)w->busy_packets)
                                               : json_null()) == 0 &&
           json_object_set(object, "drops", drops) == 0;
    json_decref(drops);
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *worker_json(struct tl_worker_snapshot *w, uint32_t number, uint64_t now_ns)
{
    json_t *object = counters_json(w);

    if (json_object_set_new(object, "worker", json_integer(number)) < 0 ||
        json_object_set_new(object, "heartbeat_age_ms",
                            json_integer((json_int_t)age_ms(now_ns, w->heartbeat_ns))) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

// Every reason with its sentence and its sum.
static json_t *drops_json(const struct tl_worker_snapshot *total)
{
    json_t *list = json_array();

    for (int r = 0; r < TL_DROP_COUNT; r++)
        if (json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "reason", tl_drop_label(r), "count",
                                                  (json_int_t)total->drops[r], "text", tl_drop_text(r))) <
            0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *dataplane_json(const struct tl_live_view *view, uint64_t now_ns)
{
    const struct tl_live_header *h = view->header;
    char incarnation[20];

    snprintf(incarnation, sizeof incarnation, "%016" PRIx64, view->incarnation);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "incarnation", incarnation, "uptime_seconds",
                     (json_int_t)(age_ms(now_ns, h->start_ns) / 1000), "manager_age_ms",
                     (json_int_t)age_ms(now_ns, atomic_load_explicit(&h->manager_ns, memory_order_relaxed)),
                     "sessions", (json_int_t)atomic_load_explicit(&h->in_use, memory_order_relaxed),
                     "max_sessions", (json_int_t)view->session_count, "memory_bytes",
                     (json_int_t)atomic_load_explicit(&h->memory_bytes, memory_order_relaxed),
                     "process_bytes",
                     (json_int_t)atomic_load_explicit(&h->process_bytes, memory_order_relaxed), "workers",
                     (int)view->worker_count);
}

// What came to ports without a call, by media address. Realms that share one are counted at the first.
static json_t *unknown_json(const struct tl_worker_snapshot *total, const struct tl_config *config)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < config->realm_count; i++) {
        const struct tl_realm_config *realm = &config->realms[i];
        char ip[TL_ADDR_TEXT];
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "realm", realm->name, "address",
                                                  tl_addr_print_ip(&realm->address, ip), "count",
                                                  (json_int_t)total->unknown_port[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *ctl_stats(const struct tl_live_view *view, const struct tl_config *config, uint64_t now_ns)
{
    struct tl_worker_snapshot total = {0}, w;
    json_t *workers;

    if (!view)
        return json_pack("{s:n}", "dataplane");
    workers = json_array();
    for (uint32_t i = 0; i < view->worker_count; i++) {
        if (tl_live_read_worker(view, i, &w) < 0)
            continue;
        for (size_t k = 0; k < COUNTERS; k++)
            *counter(&total, k) += *counter(&w, k);
        for (int r = 0; r < TL_DROP_COUNT; r++)
            total.drops[r] += w.drops[r];
        for (int r = 0; r < TL_REALMS_MAX; r++)
            total.unknown_port[r] += w.unknown_port[r];
        if (json_array_append_new(workers, worker_json(&w, i, now_ns)) < 0) {
            json_decref(workers);
            return NULL;
        }
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "dataplane", dataplane_json(view, now_ns), "workers",
                     workers, "total", counters_json(&total), "drops", drops_json(&total), "unknown_ports",
                     unknown_json(&total, config));
}
