/* A TCP relay on loopback that counts what passes: how many bytes a daemon really sends. */
#pragma once

struct bench_relay;

/* Listens on a port of the kernel's choice and connects each client to `port` on 127.0.0.1. Runs in a thread of its
 * own. */
struct bench_relay *bench_relay_start(int port);
int bench_relay_port(const struct bench_relay *relay);
unsigned long long bench_relay_bytes(const struct bench_relay *relay); /* from the clients to the server */
