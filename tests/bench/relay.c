#include "tests/bench/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/rows.h"

struct bench_relay {
    int listener, port, target;
    atomic_ullong bytes;
};

struct line {
    struct bench_relay *relay;
    int client, server;
};

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Moves what is there; false at the end of the stream. */
static bool move(int from, int to, atomic_ullong *count)
{
    char bytes[65536];
    ssize_t size = read(from, bytes, sizeof bytes);
    if (size <= 0)
        return false;
    if (count != NULL)
        atomic_fetch_add(count, (unsigned long long)size);
    for (ssize_t done = 0; done < size;) {
        ssize_t written = write(to, bytes + done, (size_t)(size - done));
        if (written <= 0)
            return false;
        done += written;
    }
    return true;
}

static void *run_line(void *context)
{
    struct line *line = context;
    struct pollfd ends[2] = {{line->client, POLLIN, 0}, {line->server, POLLIN, 0}};
    bool open = true;
    while (open && poll(ends, 2, -1) > 0) {
        if (ends[0].revents != 0)
            open = move(line->client, line->server, &line->relay->bytes);
        if (open && ends[1].revents != 0)
            open = move(line->server, line->client, NULL);
    }
    close(line->client);
    close(line->server);
    free(line);
    return NULL;
}

static void *accept_lines(void *context)
{
    struct bench_relay *relay = context;
    for (;;) {
        int client = accept(relay->listener, NULL, NULL);
        if (client < 0)
            return NULL;
        int server = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
        struct sockaddr_in address = loopback(relay->target);
        struct line *line = malloc(sizeof *line);
        if (line == NULL || connect(server, (struct sockaddr *)&address, sizeof address) != 0) {
            free(line);
            close(client);
            close(server);
            continue;
        }
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        *line = (struct line){relay, client, server};
        pthread_t thread;
        if (pthread_create(&thread, NULL, run_line, line) == 0)
            pthread_detach(thread);
    }
}

struct bench_relay *bench_relay_start(int port)
{
    struct bench_relay *relay = calloc(1, sizeof *relay);
    bench_check(relay != NULL, "out of memory");
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    relay->target = port;
    relay->listener = socket(AF_INET, SOCK_STREAM, 0);
    bench_check(bind(relay->listener, (struct sockaddr *)&address, size) == 0 && listen(relay->listener, 8) == 0 &&
                    getsockname(relay->listener, (struct sockaddr *)&address, &size) == 0,
                "no loopback socket for the relay");
    relay->port = ntohs(address.sin_port);
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, accept_lines, relay) == 0, "no thread for the relay");
    pthread_detach(thread);
    return relay;
}

int bench_relay_port(const struct bench_relay *relay)
{
    return relay->port;
}

unsigned long long bench_relay_bytes(const struct bench_relay *relay)
{
    return atomic_load(&relay->bytes);
}
