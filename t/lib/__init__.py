# SPDX-License-Identifier: MIT
"""What the tests share: servers to start, wires to speak, processes to look at."""
