/* A command and its supervisor, which stays between it and PID 1. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_RUN = 126, NOT_FOUND = 127 };

/* Where memory ends, the kernel shall take the command and neither us nor the host's own. */
static void offer_to_oom_killer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "300", 3) < 0)
        dprintf(2, "agent_runner: oom_score_adj: %s\n", strerror(errno));
    close(fd);
}

static void close_from(unsigned int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
#endif
    for (long fd = (long)first, end = sysconf(_SC_OPEN_MAX); fd < end; fd++)
        close((int)fd);
}

static _Noreturn void fail(const char *what, const char *name, int code)
{
    dprintf(2, "agent_runner: cannot %s %s: %s\n", what, name, strerror(errno));
    _exit(code);
}

static _Noreturn void become_command(const struct plan *plan, pid_t supervisor)
{
    /* Ended before it began: its supervisor may be gone already. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor)
        _exit(CANNOT_RUN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    umask(022);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    for (int fd = 0; fd < 3; fd++)
        if (dup2(plan->streams[fd], fd) < 0)
            _exit(CANNOT_RUN);
    close_from(3);
    offer_to_oom_killer();
    if (chdir(plan->cwd) < 0)
        fail("enter", plan->cwd, CANNOT_RUN);
    for (char **variable = plan->env; *variable != NULL; variable++)
        putenv(*variable);
    execvp(plan->argv[0], plan->argv);
    fail("run", plan->argv[0], errno == ENOENT ? NOT_FOUND : CANNOT_RUN);
}

/* Keeps nothing open but its report, holds no stream of the command's. PID 1 kills it. */
static _Noreturn void supervise(const struct plan *plan)
{
    struct report report = {0, 0};
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t self = getpid(), child = fork();
    if (child == 0)
        become_command(plan, self);
    int failed = child < 0 ? errno : 0;
    dup2(plan->report_fd, 3);
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    close_from(4);
    report.error = failed;
    while (failed == 0) {
        int status;
        pid_t dead = waitpid(-1, &status, 0);
        if (dead == child) {
            report.status = status;
            break;
        }
    }
    if (write(3, &report, sizeof report) != sizeof report)
        _exit(1);
    for (;;)
        if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
            pause();
}

pid_t spawn_supervisor(const struct plan *plan)
{
    pid_t pid = fork();
    if (pid == 0)
        supervise(plan);
    return pid;
}
