/* PID 1 of a container: runs commands for the host over its stdin and stdout.
 *
 * A frame is a header of 9 bytes, little endian (u32 payload size, u32 command, u8 type), and its
 * payload. tools/workspace/channels/frames.py is the other side. What a command prints never shares
 * a stream with control, this process cannot be traced, read or signalled from inside, and every
 * command has a supervisor of its own, to which everything it starts comes back when its parent
 * dies.
 */
#ifndef INIT_H
#define INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum from_host { RUN = 1, INPUT, INPUT_END, END_COMMAND, RENEW, END_BACKGROUND, END_ALL, LOOK };
enum to_host { OUT = 1, ERR, CREDIT, SKIPPED, ENDED, ALL_ENDED, LOOKED };
enum how { EXITED, SIGNALLED, OUT_OF_TIME, ON_REQUEST, NOT_STARTED };

/* The host sends no more input than this ahead of what the command has taken. */
enum { INPUT_WINDOW = 256 * 1024 };

struct bytes {
    char *data;
    size_t start, end, room;
};

struct stream {
    int fd; /* -1: closed */
    enum to_host type;
    char *tail; /* ring of the last bytes past the limit */
    size_t tail_start, tail_size;
    uint64_t dropped;
};

struct command {
    struct command *next;
    uint32_t id;
    pid_t supervisor;
    int report_fd, input_fd;
    struct bytes input;
    bool input_ends;
    uint64_t credit;
    struct stream streams[2];
    uint64_t keep, tail_room;
    int64_t deadline_ms; /* 0: none */
    bool ending, orphaned;
    enum how how;
    uint32_t value;
    uint64_t oom_kills, refused_forks; /* the counters when it started */
};

/* What a supervisor says of its command, once. */
struct report {
    int32_t error; /* errno where it could not be started */
    int32_t status;
};

/* wire.c */
void reserve(struct bytes *bytes, size_t more);
void append(struct bytes *bytes, const void *data, size_t size);
void take(struct bytes *bytes, size_t size);
void send_frame(uint32_t id, enum to_host type, const void *payload, size_t size);
bool output_is_full(void);
bool output_is_waiting(void);
void write_output(int fd);
/* The next whole frame of what was read, or false. The payload is good until the next read. */
bool next_frame(uint32_t *id, enum from_host *type, const char **payload, size_t *size);
bool read_frames(int fd); /* false: the other side has closed */

/* command.c */
extern struct command *commands;
struct command *find_command(uint32_t id);
void start_command(uint32_t id, const char *payload, size_t size);
void feed_command(struct command *command);
void finish_command(struct command *command, enum how how, uint32_t value);
void read_report(struct command *command);
pid_t reap(void); /* one dead child; 0: no more */

/* spawn.c */
struct plan {
    const char *cwd;
    char **argv, **env;
    int report_fd, streams[3];
};
pid_t spawn_supervisor(const struct plan *plan);

/* stream.c */
void read_stream(struct command *command, struct stream *stream, size_t limit);
void end_stream(struct command *command, struct stream *stream);
size_t drain_count(void);
int drain_fd(size_t number);
void drain(size_t number);

/* processes.c */
enum whose { OF_COMMAND, OF_NOBODY, OF_ALL };
/* Stops, then kills what is alive of it; false once there is nothing. */
bool end_processes(enum whose whose, pid_t supervisor);
struct process {
    pid_t pid, parent;
    bool stopped;
};
size_t list_processes(const struct process **list);
void *grown(void *list, size_t size, size_t *room, size_t each);

/* disk.c */
uint64_t unlinked_bytes(void);
uint64_t hole_bytes(void);
uint64_t free_bytes(void);

/* counters.c */
void open_counters(void);
uint64_t oom_kills(void);
uint64_t refused_forks(void);

/* main.c */
int64_t now_ms(void);
_Noreturn void give_up(const char *what);

#endif
