using System.CommandLine;
using System.Text.Json;
using PsyLite.Training;
using PsyLite.Training.Kernels;

namespace PsyLite.Commands.Bench;

/// <summary><c>psylite bench train</c>: full fine-tuning steps, beside a PyTorch script on the same shapes.</summary>
internal static class TrainBench
{
    private const string PeerHint = "no PyTorch peer: install python3-torch and pass --torch-peer SCRIPT (called as SCRIPT small|base full sft STEPS --threads N, printing JSON with tok_s).";

    public static Command Create()
    {
        var threads = new Option<int>("--threads") { Description = "线程数 · threads", DefaultValueFactory = _ => Environment.ProcessorCount };
        var steps = new Option<int>("--steps") { Description = "计时步数 · timed steps", DefaultValueFactory = _ => 11 };
        var peer = new Option<string?>("--torch-peer") { Description = "PyTorch 对照脚本 · script to measure beside" };
        var only = new Option<string?>("--case") { Description = "small 或 base · one case only" };
        var command = new Command("train", "训练步速 · speed of a training step\n  psylite bench train --case small") { threads, steps, peer, only };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var pool = new WorkerPool(parsed.GetValue(threads));
            foreach (var (name, config) in new[] { ("small", TrainingBenchmark.Small), ("base", TrainingBenchmark.Base) })
            {
                if (parsed.GetValue(only) is { } wanted && wanted != name)
                {
                    continue;
                }

                var figures = new TrainingBenchmark(pool).Run(name, config, sequences: 1, parsed.GetValue(steps));
                var output = await BenchPeer.RunAsync(
                    parsed.GetValue(peer), [name, "full", "sft", $"{parsed.GetValue(steps)}", "--threads", $"{parsed.GetValue(threads)}"], PeerHint, cancellationToken);
                var torch = output is null ? (JsonElement?)null : JsonDocument.Parse(output.Trim().Split('\n')[^1]).RootElement;
                var label = $"{name} full sft, {figures.Threads} threads, {figures.Kernel}";
                new BenchLine("train", label, "tokens/s", figures.TokensPerSecond, "tokens/s", "PyTorch", torch?.GetProperty("tok_s").GetDouble()).Print();
                new BenchLine("train", label, "GFLOP/s", figures.GFlops, "GFLOP/s").Print();
                new BenchLine("train", label, "peakRss", figures.PeakRssMiB, "MiB", "PyTorch", torch?.GetProperty("peak_rss_mb").GetDouble()).Print();
            }

            return CommandBoundary.Done;
        });
        return command;
    }
}
