// SPDX-License-Identifier: BSD-3-Clause
// TLS of the signalling: our certificate, and what the peer's has to be signed by.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tls;

// Whether the files, NULL for none, have what they are to have; else one sentence in `error`.
bool tls_files_readable(const char *certificate, const char *ca, char *error, size_t size);

// Makes libre's TLS context, TLS 1.2 at least. With `ca` the peer has to show a certificate that it has signed, on connections that we
// make and that we take; its name is not looked at. 0 or an errno.
int tls_make(struct tls **out, const char *certificate, const char *ca);
