"""Runs all benchmarks, one after the other."""

from benchmarks import channel, clusters, epoch, globe, memory, precoder, schemes

for benchmark in (precoder, schemes, clusters, epoch, channel, memory, globe):
    print(f"\n{benchmark.__doc__}\n", flush=True)
    benchmark.main()
