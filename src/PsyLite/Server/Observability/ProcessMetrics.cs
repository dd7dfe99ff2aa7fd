using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PsyLite.Server.Observability;

/// <summary>The process and what it holds open, under the names that Prometheus dashboards expect.</summary>
internal static class ProcessMetrics
{
    public static void Add(Meter meter, OpenTurns turns, LocalModel model)
    {
        using var process = Process.GetCurrentProcess();
        var started = (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
        meter.CreateObservableGauge("process_resident_memory_bytes", () => Environment.WorkingSet, "By", "Resident memory.");
        meter.CreateObservableCounter("process_cpu_seconds_total", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "Processor time.");
        meter.CreateObservableGauge("process_start_time_seconds", () => started, "s", "Start since the Unix epoch.");
        meter.CreateObservableGauge("process_threads", () => (long)ThreadPool.ThreadCount, null, "Threads of the pool.");
        meter.CreateObservableGauge("dotnet_gc_heap_bytes", () => GC.GetTotalMemory(forceFullCollection: false), "By", "Managed heap.");
        meter.CreateObservableCounter("dotnet_gc_collections_total", () => (long)GC.CollectionCount(0), null, "Garbage collections.");
        meter.CreateObservableGauge("psylite_turns_open", () => (long)turns.Count, null, "Turns that are running.");
        meter.CreateObservableGauge("psylite_model_ready", () => model.Status == ModelStatus.Ready ? 1L : 0L, null, "1 when the model answers.");
    }
}
