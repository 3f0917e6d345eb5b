"""All benchmarks, in turn."""

from benchmarks import epoch, memory, precoder

for benchmark in (precoder, epoch, memory):
    print(f"\n{benchmark.__doc__}\n", flush=True)
    benchmark.main()
