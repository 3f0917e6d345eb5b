"""All benchmarks, in turn."""

from benchmarks import epoch, globe, memory, precoder

for benchmark in (precoder, epoch, memory, globe):
    print(f"\n{benchmark.__doc__}\n", flush=True)
    benchmark.main()
