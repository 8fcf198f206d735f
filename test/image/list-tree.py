"""Prints a tree as JSON, path by path: what two programs that unpacked the same image must agree on.

list-tree.py TREE                       a tree as it is
list-tree.py --layers FOLDER NAME...    layers, the lowest first, stacked by overlayfs; in a mount namespace of the caller's
"""
import ctypes
import hashlib
import json
import os
import stat
import sys

IGNORED = ("user.overlay.", "user.rootlesscontainers", "security.selinux")


def stack(folder, names):
    os.chdir(folder)
    if len(names) == 1:
        return names[0]
    os.makedirs("merged", exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    options = "userxattr,lowerdir=" + ":".join(reversed(names))
    if libc.mount(b"overlay", b"merged", b"overlay", 1, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount overlay")
    return "merged"


def describe(path, groups, name):
    status = os.lstat(path)
    kind = stat.S_IFMT(status.st_mode)
    entry = {
        "type": oct(kind),
        "mode": oct(stat.S_IMODE(status.st_mode)),
        "owner": [status.st_uid, status.st_gid],
        "mtime": status.st_mtime_ns,
    }
    keys = [key for key in os.listxattr(path, follow_symlinks=False) if not key.startswith(IGNORED)]
    entry["xattrs"] = {key: os.getxattr(path, key, follow_symlinks=False).hex() for key in sorted(keys)}
    if stat.S_ISLNK(kind):
        entry["link"] = os.fsdecode(os.readlink(path))
    if stat.S_ISREG(kind):
        entry["size"] = status.st_size
        with open(path, "rb") as file:
            entry["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    if not stat.S_ISDIR(kind) and status.st_nlink > 1:
        groups.setdefault((status.st_dev, status.st_ino), []).append(name)
    return entry


def main(arguments):
    root = stack(arguments[1], arguments[2:]) if arguments[0] == "--layers" else arguments[0]
    root = os.fsencode(root)
    tree, groups = {}, {}
    for folder, folders, files in os.walk(root):
        for name in [b"."] * (folder == root) + folders + files:
            path = os.path.join(folder, name)
            key = os.fsdecode(os.path.relpath(path, root))
            tree[key] = describe(path, groups, key)
    # Names that a layer above hides are no part of a group.
    for names in groups.values():
        for name in names if len(names) > 1 else []:
            tree[name]["linked_with"] = sorted(names)
    json.dump(tree, sys.stdout)


main(sys.argv[1:])
