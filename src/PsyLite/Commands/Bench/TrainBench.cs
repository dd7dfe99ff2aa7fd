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
        var rounds = new Option<int>("--rounds") { Description = "与对照交替测几轮，取中位数 · rounds, each beside the peer, of which medians count", DefaultValueFactory = _ => 1 };
        var recompute = new Option<bool>("--recompute") { Description = "重算激活 · recompute activations" };
        var command = new Command("train", "训练步速；峰值内存须一次只测一种情形 · speed of a training step; peak memory is right for one case at a time\n  psylite bench train --case \"base qlora orpo\"") { threads, steps, peer, only, rounds, recompute };
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
                List<TrainingFigures> ours = [];
                List<JsonElement> theirs = [];
                for (var round = 0; round < Math.Max(1, parsed.GetValue(rounds)); round++)
                {
                    ours.Add(new TrainingBenchmark(pool).Run(cell, config, sequences: 1, parsed.GetValue(steps), tuning, preferences: parts[2] == "orpo"));

                    // PyTorch has no 4-bit weights on a processor: QLoRA is measured beside its LoRA.
                    string[] torch = [parts[0], parts[1] == "full" ? "full" : "lora", parts[2], $"{parsed.GetValue(steps)}", "--threads", $"{parsed.GetValue(threads)}"];
                    if (await BenchPeer.RunAsync(parsed.GetValue(peer), torch, PeerHint, cancellationToken) is { } output)
                    {
                        theirs.Add(JsonDocument.Parse(output.Trim().Split('\n')[^1]).RootElement);
                    }
                }

                Print(cell, ours, peak, theirs);
            }

            return CommandBoundary.Done;
        });
        return command;
    }

    private static void Print(string cell, List<TrainingFigures> ours, double peak, List<JsonElement> theirs)
    {
        double? Peer(string name) => theirs.Count == 0 ? null : BenchLine.Median(theirs.Select(t => t.GetProperty(name).GetDouble()));
        var label = $"{cell}, {ours[0].Threads} threads, {ours[0].Kernel}";
        var speed = BenchLine.Median(ours.Select(o => o.GFlops));
        new BenchLine("train", label, "tokens/s", BenchLine.Median(ours.Select(o => o.TokensPerSecond)), "tokens/s", "PyTorch", Peer("tok_s")).Print();
        new BenchLine("train", label, "GFLOP/s", speed, "GFLOP/s").Print();
        new BenchLine("train", label, "peakShare", speed / peak, $"of {peak:F0} GFLOP/s").Print();

        // The process's own peak grows with what the first round left behind.
        new BenchLine("train", label, "peakRss", ours[0].PeakRssMiB, "MiB", "PyTorch", Peer("peak_rss_mb")).Print();
    }
}
