/* What the kernel counts of the container, under cgroup 1 and 2. */
#include "init.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int oom_fd = -1, pids_fd = -1;

static int open_first(const char *first, const char *second)
{
    int fd = open(first, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : open(second, O_RDONLY | O_CLOEXEC);
}

void open_counters(void)
{
    oom_fd = open_first("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control");
    pids_fd = open_first("/sys/fs/cgroup/pids.events", "/sys/fs/cgroup/pids/pids.events");
}

/* The number behind a word at the start of a line. */
static uint64_t counter(int fd, const char *word)
{
    char text[512] = "\n";
    ssize_t size = fd < 0 ? 0 : pread(fd, text + 1, sizeof text - 2, 0);
    if (size <= 0)
        return 0;
    text[size + 1] = 0;
    const char *found = strstr(text, word);
    return found == NULL ? 0 : strtoull(found + strlen(word), NULL, 10);
}

uint64_t oom_kills(void) { return counter(oom_fd, "\noom_kill "); }

uint64_t refused_forks(void) { return counter(pids_fd, "\nmax "); }
