/* Addresses as users write them, and the sentences for those that will not do. */
#ifndef SHEAF_LINK_ZMQ_ADDRESS_H
#define SHEAF_LINK_ZMQ_ADDRESS_H

#include "base/error.h"

#include <stdbool.h>

/* OK: tcp://HOST:PORT or ipc://PATH, as far as can be seen. ERROR_USAGE: it is not. */
int address_check(const char *url, struct error *error);
/* What it always says when it is not. */
int address_refuse(const char *url, struct error *error);
/* The same, and ERROR_FARM for a path where somebody listens, or where there is something else than
 * a socket that was left behind: libzmq removes whatever it finds there. */
int address_check_to_bind(const char *url, struct error *error);

/* Remove the file of a socket that nobody listens on any more. */
void address_clean_up(const char *url);

/* The host is an IPv6 address in brackets, or *. */
bool address_is_v6(const char *url);
/* A name, or *: it may be of either family. */
bool address_has_both_families(const char *url);

#endif
