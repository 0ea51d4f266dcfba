/* What the disk holds that the engine's own sum gets wrong, and the room on it. */
#include "init.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

enum { OPEN_DIRECTORIES = 32 };

struct file {
    dev_t device;
    ino_t number;
};

static struct file *seen;
static size_t seen_size, seen_room;

static bool is_new(const struct stat *status)
{
    for (size_t i = 0; i < seen_size; i++)
        if (seen[i].device == status->st_dev && seen[i].number == status->st_ino)
            return false;
    seen = grown(seen, seen_size, &seen_room, sizeof *seen);
    seen[seen_size++] = (struct file){status->st_dev, status->st_ino};
    return true;
}

static uint64_t unlinked_bytes_of(pid_t pid, long root_type)
{
    char path[64];
    uint64_t sum = 0;
    struct dirent *entry;
    struct stat status;
    struct statfs system;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *files = opendir(path);
    if (files == NULL)
        return 0;
    while ((entry = readdir(files)) != NULL)
        if (fstatat(dirfd(files), entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode)
            && status.st_nlink == 0) {
            snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)pid, entry->d_name);
            if (statfs(path, &system) == 0 && (long)system.f_type == root_type && is_new(&status))
                sum += (uint64_t)status.st_blocks * 512;
        }
    closedir(files);
    return sum;
}

/* Space on the root's file system that files hold which have no name any more. */
uint64_t unlinked_bytes(void)
{
    struct statfs root;
    uint64_t sum = 0;
    if (statfs("/", &root) < 0)
        return 0;
    seen_size = 0;
    const struct process *list;
    for (size_t i = 0, size = list_processes(&list); i < size; i++)
        sum += unlinked_bytes_of(list[i].pid, (long)root.f_type);
    return sum;
}

static uint64_t holes;

static int add_hole(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)path, (void)place;
    uint64_t held = (uint64_t)status->st_blocks * 512, said = (uint64_t)status->st_size;
    if (type == FTW_F && S_ISREG(status->st_mode) && said > held)
        holes += said - held;
    return 0;
}

/* A sparse file counts with its length at the engine; this is what it does not hold of it. */
uint64_t hole_bytes(void)
{
    holes = 0;
    nftw("/", add_hole, OPEN_DIRECTORIES, FTW_PHYS | FTW_MOUNT);
    return holes;
}

uint64_t free_bytes(void)
{
    struct statvfs root;
    return statvfs("/", &root) < 0 ? UINT64_MAX : (uint64_t)root.f_bavail * root.f_frsize;
}
