using System.CommandLine;
using System.Text.Json;
using PsyLite.Training;
using PsyLite.Training.Kernels;

namespace PsyLite.Commands.Bench;

/// <summary><c>psylite bench train</c>: steps of both stages, of all weights, LoRA and QLoRA, beside a PyTorch script on the same shapes.</summary>
internal static class TrainBench
{
    private const string PeerHint = "no PyTorch peer: install python3-torch and pass --torch-peer SCRIPT (called as SCRIPT small|base full|lora sft|orpo STEPS --threads N, printing JSON with tok_s).";
    private const int Rank = 64;

    private static readonly string[] Cells =
        [.. from size in (string[])["small", "base"] from mode in (string[])["full", "lora", "qlora"] from loss in (string[])["sft", "orpo"] select $"{size} {mode} {loss}"];

    /// <summary>Measured only when named: a step takes minutes.</summary>
    private const string Large = "7b qlora sft";

    public static Command Create()
    {
        var threads = new Option<int>("--threads") { Description = "线程数 · threads", DefaultValueFactory = _ => Environment.ProcessorCount };
        var steps = new Option<int>("--steps") { Description = "计时步数 · timed steps", DefaultValueFactory = _ => 11 };
        var peer = new Option<string?>("--torch-peer") { Description = "PyTorch 对照脚本 · script to measure beside" };
        var only = new Option<string?>("--case") { Description = "只测名称含这些词的情形，如 \"small lora\" · only cases with these words" };
        var recompute = new Option<bool>("--recompute") { Description = "重算激活 · recompute activations" };
        var command = new Command("train", "训练步速；峰值内存须一次只测一种情形 · speed of a training step; peak memory is right for one case at a time\n  psylite bench train --case \"base qlora orpo\"") { threads, steps, peer, only, recompute };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var pool = new WorkerPool(parsed.GetValue(threads));
            var wanted = parsed.GetValue(only)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            var cells = Cells.Concat(wanted.Contains("7b") ? [Large] : []).Where(cell => wanted.All(cell.Split(' ').Contains)).ToList();
            if (cells.Count == 0)
            {
                throw new InvalidDataException($"--case {parsed.GetValue(only)} names none of: {string.Join(", ", Cells)}, {Large}.");
            }

            var peak = FmaPeak.GigaFlops(pool);
            foreach (var cell in cells)
            {
                var parts = cell.Split(' ');
                var tuning = new TuningOptions(
                    parts[1] == "full" ? null : new LoraOptions(Rank, Dropout: 0), parts[1] == "qlora" ? Quantisation.Nf4 : Quantisation.None, parsed.GetValue(recompute));
                var config = parts[0] switch { "small" => TrainingBenchmark.Small, "base" => TrainingBenchmark.Base, _ => TrainingBenchmark.SevenBillion };
                var figures = new TrainingBenchmark(pool).Run(cell, config, sequences: 1, parsed.GetValue(steps), tuning, preferences: parts[2] == "orpo");

                // PyTorch has no 4-bit weights on a processor: QLoRA is measured beside its LoRA.
                var output = await BenchPeer.RunAsync(
                    parsed.GetValue(peer), [parts[0], parts[1] == "full" ? "full" : "lora", parts[2], $"{parsed.GetValue(steps)}", "--threads", $"{parsed.GetValue(threads)}"], PeerHint, cancellationToken);
                Print(cell, figures, peak, output is null ? null : JsonDocument.Parse(output.Trim().Split('\n')[^1]).RootElement);
            }

            return CommandBoundary.Done;
        });
        return command;
    }

    private static void Print(string cell, TrainingFigures figures, double peak, JsonElement? torch)
    {
        var label = $"{cell}, {figures.Threads} threads, {figures.Kernel}";
        new BenchLine("train", label, "tokens/s", figures.TokensPerSecond, "tokens/s", "PyTorch", torch?.GetProperty("tok_s").GetDouble()).Print();
        new BenchLine("train", label, "GFLOP/s", figures.GFlops, "GFLOP/s").Print();
        new BenchLine("train", label, "peakShare", figures.GFlops / peak, $"of {peak:F0} GFLOP/s").Print();
        new BenchLine("train", label, "peakRss", figures.PeakRssMiB, "MiB", "PyTorch", torch?.GetProperty("peak_rss_mb").GetDouble()).Print();
    }
}
