/* Frames in and out, and the growing buffers they wait in. */
#include "init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 9, MOST_PAYLOAD = 16 << 20, OUTPUT_FULL = 1 << 20, CHUNK = 64 * 1024 };

static struct bytes incoming, outgoing;

void reserve(struct bytes *bytes, size_t more)
{
    if (bytes->start > 0 && (bytes->start == bytes->end || bytes->end + more > bytes->room)) {
        memmove(bytes->data, bytes->data + bytes->start, bytes->end - bytes->start);
        bytes->end -= bytes->start;
        bytes->start = 0;
    }
    if (bytes->end + more <= bytes->room)
        return;
    size_t room = (bytes->end + more) * 2;
    char *data = realloc(bytes->data, room);
    if (data == NULL)
        give_up("memory");
    bytes->data = data;
    bytes->room = room;
}

void append(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0)
        return;
    reserve(bytes, size);
    memcpy(bytes->data + bytes->end, data, size);
    bytes->end += size;
}

void take(struct bytes *bytes, size_t size)
{
    bytes->start += size;
    if (bytes->start == bytes->end)
        bytes->start = bytes->end = 0;
}

void send_frame(uint32_t id, enum to_host type, const void *payload, size_t size)
{
    uint32_t size32 = (uint32_t)size;
    char header[HEADER];
    memcpy(header, &size32, 4);
    memcpy(header + 4, &id, 4);
    header[8] = (char)type;
    append(&outgoing, header, HEADER);
    append(&outgoing, payload, size);
}

bool output_is_full(void) { return outgoing.end - outgoing.start > OUTPUT_FULL; }

bool output_is_waiting(void) { return outgoing.end > outgoing.start; }

void write_output(int fd)
{
    while (output_is_waiting()) {
        ssize_t written = write(fd, outgoing.data + outgoing.start, outgoing.end - outgoing.start);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        take(&outgoing, (size_t)written);
    }
}

bool read_frames(int fd)
{
    reserve(&incoming, CHUNK);
    ssize_t size = read(fd, incoming.data + incoming.end, incoming.room - incoming.end);
    if (size > 0)
        incoming.end += (size_t)size;
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

bool next_frame(uint32_t *id, enum from_host *type, const char **payload, size_t *size)
{
    if (incoming.end - incoming.start < HEADER)
        return false;
    const char *frame = incoming.data + incoming.start;
    uint32_t size32;
    memcpy(&size32, frame, 4);
    if (size32 > MOST_PAYLOAD)
        give_up("a frame that is too large");
    if (incoming.end - incoming.start < HEADER + (size_t)size32)
        return false;
    memcpy(id, frame + 4, 4);
    *type = (enum from_host)(unsigned char)frame[8];
    *payload = frame + HEADER;
    *size = size32;
    incoming.start += HEADER + (size_t)size32; /* moved together at the next read only */
    return true;
}
