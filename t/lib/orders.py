# SPDX-License-Identifier: MIT
"""Orders to a server through its FIFO (master-fifo = {here}/orders)."""
import os


def order(server, letters, name="orders"):
    """Never waits; an OSError when nobody reads."""
    fd = os.open(f"{server.folder}/{name}", os.O_WRONLY | os.O_NONBLOCK)
    os.write(fd, letters.encode())
    os.close(fd)
