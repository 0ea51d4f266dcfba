/* What commands print: passed on up to a limit, then only its end is kept. */
#include "init.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024 };

static char chunk[CHUNK];
/* Pipes of commands that ended, which background processes still write to. */
static int *drains;
static size_t drains_size, drains_room;

static void keep_tail(struct stream *stream, size_t room, const char *data, size_t size)
{
    if (stream->tail == NULL && room > 0 && (stream->tail = malloc(room)) == NULL)
        give_up("memory");
    if (size >= room) {
        stream->dropped += stream->tail_size + size - room;
        if (room > 0)
            memcpy(stream->tail, data + size - room, room);
        stream->tail_start = 0;
        stream->tail_size = room;
        return;
    }
    if (stream->tail_size + size > room) {
        size_t over = stream->tail_size + size - room;
        stream->dropped += over;
        stream->tail_start = (stream->tail_start + over) % room;
        stream->tail_size -= over;
    }
    size_t at = (stream->tail_start + stream->tail_size) % room;
    size_t before_end = room - at < size ? room - at : size;
    memcpy(stream->tail + at, data, before_end);
    memcpy(stream->tail, data + before_end, size - before_end);
    stream->tail_size += size;
}

void read_stream(struct command *command, struct stream *stream, size_t limit)
{
    ssize_t size = read(stream->fd, chunk, limit < CHUNK ? limit : CHUNK);
    if (size == 0) {
        close(stream->fd);
        stream->fd = -1;
    }
    if (size <= 0)
        return;
    size_t kept = command->keep < (uint64_t)size ? (size_t)command->keep : (size_t)size;
    if (kept > 0)
        send_frame(command->id, stream->type, chunk, kept);
    command->keep -= kept;
    if ((size_t)size > kept)
        keep_tail(stream, command->tail_room, chunk + kept, (size_t)size - kept);
}

/* Takes what the command itself has left in the pipe; whoever writes on is drained from now on. */
void end_stream(struct command *command, struct stream *stream)
{
    int waiting = 0;
    if (stream->fd >= 0 && ioctl(stream->fd, FIONREAD, &waiting) == 0)
        while (waiting > 0 && stream->fd >= 0) {
            int before = waiting;
            read_stream(command, stream, (size_t)waiting);
            if (stream->fd < 0 || ioctl(stream->fd, FIONREAD, &waiting) < 0)
                break;
            /* A writer that goes on must not keep us here. */
            waiting = waiting < before ? waiting : 0;
        }
    if (stream->dropped > 0)
        send_frame(command->id, SKIPPED, &(struct { uint64_t size, type; }){stream->dropped, stream->type}, 16);
    if (stream->tail_size > 0) {
        size_t first = command->tail_room - stream->tail_start;
        first = first < stream->tail_size ? first : stream->tail_size;
        send_frame(command->id, stream->type, stream->tail + stream->tail_start, first);
        if (stream->tail_size > first)
            send_frame(command->id, stream->type, stream->tail, stream->tail_size - first);
    }
    free(stream->tail);
    if (stream->fd < 0)
        return;
    if (drains_size == drains_room) {
        drains_room = drains_room * 2 + 16;
        if ((drains = realloc(drains, drains_room * sizeof *drains)) == NULL)
            give_up("memory");
    }
    drains[drains_size++] = stream->fd;
}

size_t drain_count(void) { return drains_size; }

int drain_fd(size_t number) { return drains[number]; }

void drain(size_t number)
{
    if (read(drains[number], chunk, CHUNK) != 0)
        return;
    close(drains[number]);
    drains[number] = drains[--drains_size];
}
