// SPDX-License-Identifier: BSD-3-Clause
// The whole stack: transactions over real sockets.
#include <errno.h>
#include <stdio.h>

#include "control/sip/transport.h"
#include "control/sip/txn.h"

static void receive(void *arg, const struct sip_flow *flow, char *bytes, size_t len)
{
    sip_core_receive(arg, flow, bytes, len);
}

static void unreachable(void *arg, char *bytes, size_t len)
{
    sip_core_unreachable(arg, bytes, len);
}

static uint32_t trunks(void *arg, uint32_t listener, const struct tl_addr *remote, uint32_t *out,
                       uint32_t max)
{
    const struct sip_stack *stack = arg;
    return stack->user->on_connection ? stack->user->on_connection(stack->arg, listener, remote, out, max)
                                      : 0;
}

int sip_stack_new_over(struct loop *loop, const struct tl_config *config, const struct sip_io *io,
                       void *io_arg, const struct sip_user *user, void *arg, struct sip_stack **out,
                       char *why, size_t why_size)
{
    int err = sip_core_new(loop_wheel(loop), loop_number(loop), config, user, arg, io, io_arg, out);
    if (err)
        snprintf(why, why_size,
                 err == -EIO ? "the kernel gives no random numbers" : "no memory for the SIP stack");
    return err;
}

int sip_stack_new(struct loop *loop, const struct tl_config *config, const struct sip_user *user, void *arg,
                  struct sip_stack **out, char *why, size_t why_size)
{
    struct sip_stack *stack;
    int err = sip_stack_new_over(loop, config, &sip_transport_io, NULL, user, arg, &stack, why, why_size);
    if (err)
        return err;
    struct sip_transport *transport = NULL;
    err = sip_gate_init(&stack->gate, &config->control, user->is_peer, arg);
    if (err) {
        snprintf(why, why_size, "no memory or no random numbers for the table of sources");
        sip_core_free(stack);
        return err;
    }
    static const struct sip_transport_user transport_user = {receive, unreachable, trunks};
    err = sip_transport_new(loop, config, &stack->gate, &stack->counters, &transport_user, stack, &transport,
                            why, why_size);
    if (err) {
        sip_core_free(stack);
        return err;
    }
    stack->io_arg = transport;
    stack->transport = transport;
    *out = stack;
    return 0;
}

void sip_stack_configure(struct sip_stack *stack, const struct tl_control_config *config)
{
    sip_core_configure(stack, config);
    if (stack->transport)
        sip_transport_configure(stack->transport, config);
}

int sip_stack_read_tls(struct sip_stack *stack, const struct tl_config *config, char *why, size_t why_size)
{
    struct sip_tls *tls = stack->transport ? sip_transport_tls(stack->transport) : NULL;
    return tls ? sip_tls_reload(tls, config, why, why_size) : 0;
}

void sip_stack_certificates(const struct sip_stack *stack, sip_certificate_fn *fn, void *arg)
{
    const struct sip_tls *tls = stack->transport ? sip_transport_tls(stack->transport) : NULL;
    if (tls)
        sip_tls_show(tls, fn, arg);
}

bool sip_flow_vouches(const struct sip_stack *stack, const struct sip_flow *flow, uint32_t trunk)
{
    return !stack->io->vouches || stack->io->vouches(stack->io_arg, flow, trunk);
}

void sip_stack_free(struct sip_stack *stack)
{
    if (!stack)
        return;
    // the transactions first: their waiters lie on lists of the connections
    struct sip_transport *transport = stack->transport;
    sip_core_drop(stack);
    sip_transport_free(transport);
    sip_core_free(stack);
}

uint32_t sip_stack_delay(struct sip_stack *stack)
{
    return stack->transport ? sip_transport_delay(stack->transport) : 0;
}

struct sip_gate *sip_stack_gate(struct sip_stack *stack)
{
    return &stack->gate;
}
