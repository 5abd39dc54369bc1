"""The training engine: one loop for every network, in one process or on several Horovod ranks."""
