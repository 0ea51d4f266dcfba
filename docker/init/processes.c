/* The process table: whose a process is, and its end. */
#include "init.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ROUNDS = 64 };

static struct process *table;
static size_t table_size, table_room;

void *grown(void *list, size_t size, size_t *room, size_t each)
{
    if (size < *room)
        return list;
    *room = *room * 2 + 64;
    if ((list = realloc(list, *room * each)) == NULL)
        give_up("memory");
    return list;
}

static void add_process(pid_t pid)
{
    char path[32], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0)
        return;
    text[size] = 0;
    char *name_end = strrchr(text, ')'), state;
    int parent;
    if (name_end == NULL || sscanf(name_end + 1, " %c %d", &state, &parent) != 2)
        return;
    if (state == 'Z' || state == 'X')
        return;
    table = grown(table, table_size, &table_room, sizeof *table);
    table[table_size++] = (struct process){pid, (pid_t)parent, state == 'T' || state == 't'};
}

static void read_table(void)
{
    table_size = 0;
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        give_up("/proc");
    struct dirent *entry;
    while ((entry = readdir(proc)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]))
            add_process((pid_t)atoi(entry->d_name));
    closedir(proc);
}

static bool is_supervisor(pid_t pid)
{
    for (struct command *command = commands; command != NULL; command = command->next)
        if (command->supervisor == pid)
            return true;
    return false;
}

static const struct process *find_process(pid_t pid)
{
    for (size_t i = 0; i < table_size; i++)
        if (table[i].pid == pid)
            return &table[i];
    return NULL;
}

/* The supervisor above a process; 0 where there is none. */
static pid_t supervisor_of(const struct process *process)
{
    for (size_t depth = 0; process != NULL && depth <= table_size; depth++) {
        if (is_supervisor(process->pid))
            return process->pid;
        process = find_process(process->parent);
    }
    return 0;
}

static bool is_meant(const struct process *process, enum whose whose, pid_t supervisor)
{
    if (process->pid == 1 || is_supervisor(process->pid))
        return false;
    switch (whose) {
    case OF_COMMAND:
        return supervisor_of(process) == supervisor;
    case OF_NOBODY:
        return supervisor_of(process) == 0;
    default:
        return true;
    }
}

bool end_processes(enum whose whose, pid_t supervisor)
{
    /* All are stopped before the first is killed: a bomb would outrun us. */
    bool moving = true;
    for (int round = 0; moving && round < MOST_ROUNDS; round++) {
        moving = false;
        read_table();
        for (size_t i = 0; i < table_size; i++)
            if (!table[i].stopped && is_meant(&table[i], whose, supervisor))
                moving |= kill(table[i].pid, SIGSTOP) == 0;
    }
    bool alive = false;
    for (size_t i = 0; i < table_size; i++)
        if (is_meant(&table[i], whose, supervisor))
            alive |= kill(table[i].pid, SIGKILL) == 0;
    return alive;
}

size_t list_processes(const struct process **list)
{
    read_table();
    *list = table;
    return table_size;
}
