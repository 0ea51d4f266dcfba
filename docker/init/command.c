/* The commands under way: begun, fed, ended. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIPE_ROOM = 256 * 1024 };

extern int null_fd;
struct command *commands;

struct request {
    uint64_t timeout_ms, keep, tail_room;
    uint32_t has_input, argc, envc;
} __attribute__((packed));

struct command *find_command(uint32_t id)
{
    struct command *command = commands;
    while (command != NULL && command->id != id)
        command = command->next;
    return command;
}

static void close_all(int *fds, int count)
{
    for (int i = 0; i < count; i++)
        if (fds[i] >= 0 && fds[i] != null_fd)
            close(fds[i]);
}

/* Strings one after another: the directory, the arguments, the environment. */
static char **strings(const char **at, const char *end, uint32_t count)
{
    char **list = calloc((size_t)count + 1, sizeof *list);
    if (list == NULL)
        give_up("memory");
    for (uint32_t i = 0; i < count; i++) {
        const char *stop = memchr(*at, 0, (size_t)(end - *at));
        if (stop == NULL)
            give_up("a request that is cut short");
        list[i] = (char *)*at;
        *at = stop + 1;
    }
    return list;
}

static void not_started(uint32_t id, int error)
{
    struct command gone = {.id = id, .supervisor = 0, .report_fd = -1, .input_fd = -1};
    gone.streams[0].fd = gone.streams[1].fd = -1;
    gone.oom_kills = oom_kills();
    gone.refused_forks = refused_forks();
    finish_command(&gone, NOT_STARTED, (uint32_t)error);
}

/* fds: report, stdin, stdout, stderr, each as read and write end. */
static bool open_pipes(int fds[8], bool has_input)
{
    for (int i = 0; i < 8; i++)
        fds[i] = -1;
    for (int i = 0; i < 4; i++) {
        if (i == 1 && !has_input) {
            fds[2] = null_fd;
            continue;
        }
        if (pipe2(fds + 2 * i, O_CLOEXEC) < 0)
            return false;
        int ours = fds[i == 1 ? 3 : 2 * i];
        fcntl(ours, F_SETFL, O_NONBLOCK);
        if (i > 0)
            fcntl(ours, F_SETPIPE_SZ, PIPE_ROOM);
    }
    return true;
}

void start_command(uint32_t id, const char *payload, size_t size)
{
    struct request request;
    const char *at = payload + sizeof request, *end = payload + size;
    if (size < sizeof request)
        give_up("a request that is cut short");
    memcpy(&request, payload, sizeof request);
    char **cwd = strings(&at, end, 1), **argv = strings(&at, end, request.argc);
    char **env = strings(&at, end, request.envc);
    struct command *command = calloc(1, sizeof *command);
    int fds[8];
    if (command == NULL)
        give_up("memory");
    command->oom_kills = oom_kills();
    command->refused_forks = refused_forks();
    bool ready = request.argc > 0 && open_pipes(fds, request.has_input);
    struct plan plan = {cwd[0], argv, env, fds[1], {fds[2], fds[5], fds[7]}};
    pid_t supervisor = ready ? spawn_supervisor(&plan) : -1;
    int error = errno;
    close_all((int[]){fds[1], fds[2], fds[5], fds[7]}, 4);
    free(cwd), free(argv), free(env);
    if (supervisor < 0) {
        close_all((int[]){fds[0], fds[3], fds[4], fds[6]}, 4);
        free(command);
        not_started(id, error);
        return;
    }
    command->id = id;
    command->supervisor = supervisor;
    command->report_fd = fds[0];
    command->input_fd = fds[3];
    command->streams[0] = (struct stream){.fd = fds[4], .type = OUT};
    command->streams[1] = (struct stream){.fd = fds[6], .type = ERR};
    command->keep = request.keep;
    command->tail_room = request.tail_room;
    command->deadline_ms = request.timeout_ms ? now_ms() + (int64_t)request.timeout_ms : 0;
    command->next = commands;
    commands = command;
}

/* Passes input on as the command takes it, and says how much that was. */
void feed_command(struct command *command)
{
    struct bytes *input = &command->input;
    while (command->input_fd >= 0 && input->end > input->start) {
        ssize_t size = write(command->input_fd, input->data + input->start, input->end - input->start);
        if (size < 0 && errno == EAGAIN)
            break;
        if (size < 0) { /* it does not want any more */
            close(command->input_fd);
            command->input_fd = -1;
            break;
        }
        take(input, (size_t)size);
        command->credit += (uint64_t)size;
    }
    if (command->input_fd < 0) {
        command->credit += input->end - input->start;
        input->start = input->end = 0;
    }
    if (command->credit > INPUT_WINDOW / 4 || (command->credit > 0 && input->end == input->start)) {
        send_frame(command->id, CREDIT, &command->credit, sizeof command->credit);
        command->credit = 0;
    }
    if (command->input_fd >= 0 && command->input_ends && input->end == input->start) {
        close(command->input_fd);
        command->input_fd = -1;
    }
}

void finish_command(struct command *command, enum how how, uint32_t value)
{
    for (int i = 0; i < 2; i++)
        end_stream(command, &command->streams[i]);
    struct {
        uint32_t how, value;
        uint64_t oom_kills, refused_forks, free_bytes;
    } end = {how, value, oom_kills() - command->oom_kills,
             refused_forks() - command->refused_forks, free_bytes()};
    send_frame(command->id, ENDED, &end, sizeof end);
    close_all((int[]){command->report_fd, command->input_fd}, 2);
    free(command->input.data);
    if (command->supervisor > 0)
        kill(command->supervisor, SIGKILL);
    for (struct command **at = &commands; *at != NULL; at = &(*at)->next)
        if (*at == command) {
            *at = command->next;
            free(command);
            break;
        }
}

/* The command has ended by itself, or its supervisor could not start it. */
void read_report(struct command *command)
{
    struct report report;
    if (command->ending || read(command->report_fd, &report, sizeof report) != sizeof report)
        return;
    if (report.error != 0)
        finish_command(command, NOT_STARTED, (uint32_t)report.error);
    else if (WIFSIGNALED(report.status))
        finish_command(command, SIGNALLED, (uint32_t)WTERMSIG(report.status));
    else
        finish_command(command, EXITED, (uint32_t)WEXITSTATUS(report.status));
}

pid_t reap(void)
{
    pid_t dead = waitpid(-1, NULL, WNOHANG);
    if (dead <= 0)
        return 0;
    struct command *command = commands;
    while (command != NULL && command->supervisor != dead)
        command = command->next;
    if (command == NULL)
        return dead;
    uint32_t id = command->id;
    read_report(command);
    if ((command = find_command(id)) == NULL || command->supervisor != dead)
        return dead;
    /* The command killed its supervisor: nobody can tell its processes from other orphans. */
    command->supervisor = 0;
    command->orphaned = true;
    if (!command->ending) {
        command->ending = true;
        command->how = SIGNALLED;
        command->value = SIGKILL;
    }
    return dead;
}
