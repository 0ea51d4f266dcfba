/* init LEASE_MS: waits for the host, commands and their ends; ends when the lease is over (0: never). */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_FD = 10, END_PAUSE_MS = 1 };

int null_fd;
static int host_in, host_out, child_fd;
static bool host_is_there = true;
static int64_t lease_ms, lease_until_ms;
/* A wish of the host's to end more than one command. */
static bool sweeping;
static enum whose sweep_whose;
static uint32_t sweep_id;

_Noreturn void give_up(const char *what)
{
    dprintf(2, "agent_runner init: %s: %s\n", what, strerror(errno));
    _exit(70);
}

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void renew(void) { lease_until_ms = lease_ms > 0 ? now_ms() + lease_ms : 0; }

static int moved(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
    if (high < 0)
        give_up("descriptors");
    return high;
}

static void set_up(void)
{
    /* Without this a command could write into our streams through /proc/1/fd. */
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        give_up("dumpable");
    signal(SIGPIPE, SIG_IGN);
    host_in = moved(0);
    host_out = moved(1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        give_up("/dev/null");
    null_fd = moved(null);
    for (int fd = 0; fd < 2; fd++)
        dup2(null, fd);
    close(null);
    fcntl(host_in, F_SETFL, fcntl(host_in, F_GETFL) | O_NONBLOCK);
    fcntl(host_out, F_SETFL, fcntl(host_out, F_GETFL) | O_NONBLOCK);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    if ((child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        give_up("signalfd");
    open_counters();
}

static void end_command(struct command *command, enum how how)
{
    if (command->ending)
        return;
    command->ending = true;
    command->how = how;
}

static void take_frame(uint32_t id, enum from_host type, const char *payload, size_t size)
{
    struct command *command = find_command(id);
    switch (type) {
    case RUN:
        start_command(id, payload, size);
        break;
    case INPUT:
    case INPUT_END:
        if (command == NULL)
            break;
        append(&command->input, payload, size);
        command->input_ends |= type == INPUT_END;
        feed_command(command);
        break;
    case END_COMMAND:
        if (command != NULL)
            end_command(command, ON_REQUEST);
        break;
    case RENEW:
        if (size == sizeof lease_ms)
            memcpy(&lease_ms, payload, sizeof lease_ms);
        break;
    case END_BACKGROUND:
    case END_ALL:
        sweeping = true;
        sweep_id = id;
        sweep_whose = type == END_ALL ? OF_ALL : OF_NOBODY;
        for (command = commands; type == END_ALL && command != NULL; command = command->next)
            end_command(command, ON_REQUEST);
        break;
    case LOOK: {
        bool holes = size > 0 && payload[0];
        uint64_t facts[3] = {unlinked_bytes(), free_bytes(), holes ? hole_bytes() : 0};
        send_frame(id, LOOKED, facts, sizeof facts);
        break;
    }
    default:
        give_up("a frame of unknown type");
    }
    renew();
}

/* One step towards the end of whatever has to end. */
static void end_some(void)
{
    for (struct command *command = commands, *next; command != NULL; command = next) {
        next = command->next;
        if (!command->ending && command->deadline_ms && now_ms() >= command->deadline_ms)
            end_command(command, OUT_OF_TIME);
        if (!command->ending)
            continue;
        if (!end_processes(command->orphaned ? OF_NOBODY : OF_COMMAND, command->supervisor))
            finish_command(command, command->how, command->value);
    }
    if (sweeping && !end_processes(sweep_whose, 0)) {
        sweeping = false;
        send_frame(sweep_id, ALL_ENDED, NULL, 0);
    }
}

static int wait_ms(void)
{
    int64_t until_ms = lease_until_ms ? lease_until_ms : INT64_MAX, now = now_ms();
    if (sweeping)
        return END_PAUSE_MS;
    for (struct command *command = commands; command != NULL; command = command->next) {
        if (command->ending)
            return END_PAUSE_MS;
        if (command->deadline_ms && command->deadline_ms < until_ms)
            until_ms = command->deadline_ms;
    }
    if (until_ms == INT64_MAX)
        return -1;
    int64_t left_ms = until_ms - now;
    return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
}

static struct pollfd *waiting;
static size_t waiting_size, waiting_room;

static void wait_for(int fd, short events)
{
    if (waiting_size == waiting_room) {
        waiting_room = waiting_room * 2 + 64;
        if ((waiting = realloc(waiting, waiting_room * sizeof *waiting)) == NULL)
            give_up("memory");
    }
    waiting[waiting_size++] = (struct pollfd){fd, events, 0};
}

static bool is_ready(int fd)
{
    for (size_t i = 0; fd >= 0 && i < waiting_size; i++)
        if (waiting[i].fd == fd)
            return waiting[i].revents != 0;
    return false;
}

static void collect_waiting(void)
{
    bool room = !output_is_full();
    waiting_size = 0;
    wait_for(child_fd, POLLIN);
    if (host_is_there)
        wait_for(host_in, POLLIN);
    if (output_is_waiting())
        wait_for(host_out, POLLOUT);
    for (struct command *command = commands; command != NULL; command = command->next) {
        if (!command->ending)
            wait_for(command->report_fd, POLLIN);
        if (command->input_fd >= 0 && command->input.end > command->input.start)
            wait_for(command->input_fd, POLLOUT);
        for (int i = 0; room && i < 2; i++)
            if (command->streams[i].fd >= 0)
                wait_for(command->streams[i].fd, POLLIN);
    }
    for (size_t i = 0; i < drain_count(); i++)
        wait_for(drain_fd(i), POLLIN);
}

static void serve(void)
{
    for (size_t i = drain_count(); i-- > 0;)
        if (is_ready(drain_fd(i)))
            drain(i);
    for (struct command *command = commands, *next; command != NULL; command = next) {
        next = command->next;
        for (int i = 0; i < 2; i++)
            if (is_ready(command->streams[i].fd))
                read_stream(command, &command->streams[i], SIZE_MAX);
        if (is_ready(command->input_fd))
            feed_command(command);
        if (is_ready(command->report_fd))
            read_report(command);
    }
    if (is_ready(child_fd)) {
        struct signalfd_siginfo signals;
        while (read(child_fd, &signals, sizeof signals) > 0)
            ;
    }
    while (reap() > 0)
        ;
    if (is_ready(host_in)) {
        uint32_t id;
        enum from_host type;
        const char *payload;
        size_t size;
        host_is_there = read_frames(host_in);
        while (next_frame(&id, &type, &payload, &size))
            take_frame(id, type, payload, size);
    }
}

int main(int count, char **arguments)
{
    set_up();
    lease_ms = count > 1 ? atoll(arguments[1]) : 0;
    renew();
    for (;;) {
        collect_waiting();
        if (poll(waiting, waiting_size, wait_ms()) < 0 && errno != EINTR)
            give_up("poll");
        serve();
        end_some();
        if (output_is_waiting())
            write_output(host_out);
        if (lease_until_ms && now_ms() >= lease_until_ms)
            return 0;
    }
}
