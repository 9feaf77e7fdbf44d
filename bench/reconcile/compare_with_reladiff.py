"""Compares two tables with reladiff, and prints the milliseconds that it takes and how many rows differ."""

import os
import sys
import time

from reladiff import connect_to_table, diff_tables

table, columns = sys.argv[1:3]
source, target = os.environ["SLUICE_CONN_BENCH_SOURCE"], os.environ["SLUICE_CONN_BENCH_TARGET"]
begin = time.monotonic()
one = connect_to_table(source, table, "id", extra_columns=tuple(columns.split(",")), thread_count=2)
other = connect_to_table(target, table, "id", extra_columns=tuple(columns.split(",")), thread_count=2)
differing = len({key for _, (key, *_) in diff_tables(one, other, threaded=True, max_threadpool_size=4, extra_columns=tuple(columns.split(",")))})
print((time.monotonic() - begin) * 1000, differing)
