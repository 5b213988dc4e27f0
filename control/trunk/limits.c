// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/limits.h"

#include "control/trunk/trunk.h"

static const struct {
    const char *label, *text;
    unsigned cause;
} limits[TRUNK_LIMIT_COUNT] = {
#define X(name, cause, text) {#name, text, cause},
    TRUNK_LIMITS(X)
#undef X
};

const char *trunk_limit_label(enum trunk_limit limit)
{
    return limit < TRUNK_LIMIT_COUNT ? limits[limit].label : "none";
}

const char *trunk_limit_text(enum trunk_limit limit)
{
    return limit < TRUNK_LIMIT_COUNT ? limits[limit].text : "no limit";
}

unsigned trunk_limit_cause(enum trunk_limit limit)
{
    return limit < TRUNK_LIMIT_COUNT ? limits[limit].cause : 0;
}

uint32_t trunk_kbit(unsigned ptime, bool srtp)
{
    enum { HEADERS = 20 + 8 + 12, TAG = 10 }; // octets
    unsigned ms = ptime ? ptime : 20, octets = 8 * ms + HEADERS + (srtp ? TAG : 0);
    return (octets * 8 + ms - 1) / ms;
}

// ---- shares of max_calls

// The calls that are up and what is kept for others fill max_calls. shares->kept goes with each leg, so that nothing is added
// up here.
static bool share_is_taken(const struct trunk_use *use)
{
    const struct trunk_shares *s = use->shares;
    if (s->calls >= s->max_calls)
        return true;
    return use->from >= use->share && s->calls + s->kept >= s->max_calls;
}

void trunk_shares_begin(struct trunk_shares *shares, const struct tl_control_config *control, uint32_t trunks)
{
    shares->max_calls = control->max_calls;
    shares->even =
        trunks ? (uint32_t)((uint64_t)control->max_calls * control->reserved_percent / 100 / trunks) : 0;
    shares->kept = 0;
    if (!shares->pace)
        shares->pace = TRUNK_PACE_FREE;
}

static uint32_t unused_share(const struct trunk_use *use)
{
    return use->share > use->from ? use->share - use->from : 0;
}

void trunk_share(struct trunk *trunk, struct trunk_shares *shares)
{
    struct trunk_use *use = &trunk->use;
    use->shares = shares;
    use->share = 0;
    if (!trunk->config)
        return;
    use->share = trunk->config->reserved_calls > shares->even ? trunk->config->reserved_calls : shares->even;
    shares->kept += unused_share(use);
}

// ---- new calls

enum trunk_limit trunk_room(const struct trunk *trunk, enum trunk_urgency urgency, uint64_t now_ms)
{
    const struct tl_trunk_config *c = trunk->config;
    const struct trunk_use *use = &trunk->use;
    struct bucket rate = use->rate;
    if (urgency == TRUNK_URGENT || !c)
        return TRUNK_LIMIT_NONE;
    if (c->max_calls && use->calls >= c->max_calls)
        return TRUNK_LIMIT_calls;
    if (c->max_waiting_calls && use->waiting >= c->max_waiting_calls)
        return TRUNK_LIMIT_waiting;
    if (c->max_kbit_per_s && use->kbit + trunk_kbit(0, c->srtp != TL_SRTP_OFF) > c->max_kbit_per_s)
        return TRUNK_LIMIT_bandwidth;
    if (c->max_calls_per_s && !bucket_take(&rate, now_ms * 1000, c->max_calls_per_s, c->max_calls_per_s, 1))
        return TRUNK_LIMIT_rate;
    return TRUNK_LIMIT_NONE;
}

static void take_token(struct trunk *trunk, uint64_t now_ms)
{
    uint32_t per_s = trunk->config ? trunk->config->max_calls_per_s : 0;
    if (per_s)
        bucket_take(&trunk->use.rate, now_ms * 1000, per_s, per_s, 1);
}

// A tenth of a second's calls and a few may come at once.
static bool take_pace(struct bucket *pace, const struct trunk_use *use, uint64_t now_ms)
{
    uint32_t per_s = use->shares->pace;
    return per_s >= TRUNK_PACE_FREE || bucket_take(pace, now_ms * 1000, per_s, per_s / 10 + 10, 1);
}

static void count_brought(struct trunk_use *use)
{
    struct trunk_shares *s = use->shares;
    if (use->window != s->window)
        use->brought = 0;
    use->window = s->window;
    if (++use->brought > s->most)
        s->most = use->brought;
}

enum trunk_limit trunk_admission(const struct trunk *trunk, enum trunk_urgency urgency, uint64_t now_ms)
{
    const struct trunk_use *use = &trunk->use;
    struct bucket pace = use->pace;
    enum trunk_limit limit = trunk_room(trunk, urgency, now_ms);
    bool all_up = use->shares->calls >= use->shares->max_calls;
    if (limit == TRUNK_LIMIT_NONE && (urgency == TRUNK_URGENT ? all_up : share_is_taken(use)))
        limit = TRUNK_LIMIT_share;
    if (limit == TRUNK_LIMIT_NONE && urgency != TRUNK_URGENT && !take_pace(&pace, use, now_ms))
        limit = TRUNK_LIMIT_overload;
    return limit;
}

enum trunk_limit trunk_admit(struct trunk *trunk, enum trunk_urgency urgency, uint64_t now_ms)
{
    struct trunk_use *use = &trunk->use;
    enum trunk_limit limit = trunk_admission(trunk, urgency, now_ms);
    count_brought(use);
    if (limit != TRUNK_LIMIT_NONE) {
        use->refused[limit]++;
        return limit;
    }
    take_token(trunk, now_ms);
    if (urgency != TRUNK_URGENT)
        take_pace(&use->pace, use, now_ms);
    return limit;
}

enum trunk_limit trunk_send(struct trunk *trunk, enum trunk_urgency urgency, uint64_t now_ms)
{
    enum trunk_limit limit = trunk_room(trunk, urgency, now_ms);
    if (limit == TRUNK_LIMIT_NONE)
        take_token(trunk, now_ms);
    else
        trunk->use.diverted[limit]++;
    return limit;
}

// ---- legs

// The peer made one call more or less: what is kept for it changes as long as they are within its share.
static void count_from(struct trunk_use *use, int more)
{
    use->shares->kept -= unused_share(use);
    use->from += (uint32_t)more;
    use->shares->calls += (uint32_t)more;
    use->shares->kept += unused_share(use);
}

static uint32_t leg_kbit(const struct trunk *trunk, unsigned ptime)
{
    return trunk_kbit(ptime, trunk->config && trunk->config->srtp != TL_SRTP_OFF);
}

void trunk_leg_begin(struct trunk_leg *leg, struct trunk *trunk, enum trunk_leg_side side)
{
    trunk_leg_end(leg);
    *leg = (struct trunk_leg){
        .trunk = trunk,
        .kbit = leg_kbit(trunk, 0),
        .from = side == TRUNK_LEG_FROM,
        .waiting = true,
    };
    trunk->use.calls++;
    trunk->use.waiting++;
    trunk->use.kbit += leg->kbit;
    if (leg->from)
        count_from(&trunk->use, 1);
}

void trunk_leg_answered(struct trunk_leg *leg, unsigned ptime)
{
    if (!leg->trunk)
        return;
    struct trunk_use *use = &leg->trunk->use;
    use->waiting -= leg->waiting;
    leg->waiting = false;
    use->kbit -= leg->kbit;
    leg->kbit = leg_kbit(leg->trunk, ptime);
    use->kbit += leg->kbit;
}

void trunk_leg_end(struct trunk_leg *leg)
{
    if (!leg->trunk)
        return;
    struct trunk_use *use = &leg->trunk->use;
    use->calls--;
    use->waiting -= leg->waiting;
    use->kbit -= leg->kbit;
    if (leg->from)
        count_from(use, -1);
    *leg = (struct trunk_leg){0};
}

// ---- overload

void trunk_pace(struct trunk_shares *s, uint32_t delay_ms)
{
    uint32_t most = s->most * (1000 / TRUNK_PACE_MS);
    s->most = 0;
    s->window++;
    bool late = delay_ms > TRUNK_DELAY_MS, again = late && s->late;
    s->late = late;
    if (again) {
        uint32_t now = s->pace < most ? s->pace : most;
        s->pace = now / 4 > TRUNK_PACE_LEAST ? now / 4 : TRUNK_PACE_LEAST;
    } else if (!late && s->pace < TRUNK_PACE_FREE) {
        s->pace += s->pace / 20 + 1;
    }
}
