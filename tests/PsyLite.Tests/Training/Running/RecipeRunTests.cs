using System.Diagnostics;
using System.Text.Json;
using PsyLite.Commands;
using PsyLite.Models.Safetensors;
using PsyLite.Training;

namespace PsyLite.Tests.Training.Running;

/// <summary>Whole runs of both stages: what they write, that they repeat themselves, and how they stop.</summary>
public sealed class RecipeRunTests : IDisposable
{
    private static readonly string[] PairMetrics =
        ["loss", "chosen_rewards", "rejected_rewards", "reward_acc", "reward_margin", "log_odds_ratio", "log_odds_chosen", "nll_loss", "val_reward_acc", "val_reward_margin"];

    private readonly TinyRecipe _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData(false, "lora=null")]
    [InlineData(false, "quantisation=nf4")]
    [InlineData(true, "lora=null")]
    [InlineData(true, "quantisation=nf4")]
    public void A_run_learns_and_leaves_metrics_plots_and_an_adapter(bool pairs, string set)
    {
        Run(_tiny.Options("run", pairs, set, "steps=24", "samplePrompts=[\"你好<b>\"]", "sampleTokens=3"), pairs);
        var lines = _tiny.Lines("run");
        Assert.Equal(Enumerable.Range(1, 24), lines.Select(l => l.GetProperty("step").GetInt32()));
        var losses = _tiny.Losses("run");
        Assert.True(losses.TakeLast(4).Average() < losses.Take(4).Average() - 0.1, $"{losses[0]} to {losses[^1]}");
        Assert.All(lines.Where(l => l.GetProperty("step").GetInt32() % 4 == 0), l => Assert.Equal(JsonValueKind.Number, l.GetProperty("validationLoss").ValueKind));
        if (pairs)
        {
            Assert.All(PairMetrics, name => Assert.Equal(JsonValueKind.Number, lines[^1].GetProperty(name).ValueKind));
        }

        var page = File.ReadAllText(Path.Combine(_tiny.Folder, "run", "plots.html"));
        Assert.Contains("<polyline", page);
        Assert.Contains("你好&lt;b&gt;", page);
        Assert.DoesNotContain("http-equiv", page);
        Assert.Equal(6, File.ReadLines(Path.Combine(_tiny.Folder, "run", "samples.jsonl")).Count());
        if (set != "lora=null")
        {
            using var adapter = PeftAdapter.Open(Path.Combine(_tiny.Folder, "run", "adapter"));
            Assert.Equal(10, adapter.Modules.Count);
            Assert.Contains(adapter.Modules, m => m.Module == "model.layers.1.feed_forward.w2");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void However_rows_are_split_into_batches_there_is_one_curve(bool pairs)
    {
        double[]? first = null;
        foreach (var (batch, accumulation) in new[] { (1, 4), (2, 2), (4, 1) })
        {
            var name = $"b{batch}";
            Run(_tiny.Options(name, pairs, $"batch={batch}", $"accumulation={accumulation}", "lora.dropout=0", "steps=6"), pairs);
            first ??= _tiny.Losses(name);
            Assert.All(first.Zip(_tiny.Losses(name)), pair => Assert.InRange(pair.Second / pair.First, 1 - 1e-4, 1 + 1e-4));
        }
    }

    [Theory]
    [InlineData("sft", "quantisation=nf4")]
    [InlineData("orpo", "recompute=true")]
    public async Task A_run_killed_at_any_step_goes_on_with_the_same_losses(string stage, string set)
    {
        var pairs = stage == "orpo";
        Run(_tiny.Options("straight", pairs, set, "steps=40"), pairs);
        var recipe = _tiny.WriteRecipe("killed", pairs);
        var last = Path.Combine(_tiny.Folder, "killed", "last.ckpt");
        var metrics = Path.Combine(_tiny.Folder, "killed", "metrics.jsonl");
        string[] arguments = ["train", stage, "--recipe", recipe, "--set", set, "--set", "steps=40"];
        foreach (var steps in new[] { 3, 17 })
        {
            using var process = PsyliteProcess.Start([.. arguments, .. File.Exists(last) ? ["--resume"] : Array.Empty<string>()]);
            var clock = Stopwatch.StartNew();
            while (!process.HasExited && (!File.Exists(last) || !File.Exists(metrics) || LineCount(metrics) < steps) && clock.Elapsed < TimeSpan.FromMinutes(1))
            {
                await Task.Delay(2);
            }

            // SIGKILL, wherever the process is: in a step, in a checkpoint, in a line of the metrics.
            process.Kill();
            await process.WaitForExitAsync();
        }

        var (code, _, error) = await PsyliteProcess.RunAsync([.. arguments, "--resume"]);
        Assert.True(code == 0, error);
        Assert.Equal(Enumerable.Range(1, 40), _tiny.Lines("killed").Select(l => l.GetProperty("step").GetInt32()));
        Assert.Equal(_tiny.Losses("straight"), _tiny.Losses("killed"));
    }

    [Fact]
    public void A_stopped_run_keeps_a_checkpoint_and_epochs_set_the_steps()
    {
        var options = _tiny.Options("stopped", pairs: false, "epochs=2", "checkpointEvery=1000");
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => SftRecipe.Run(options, DataCommand.Prompts, false, new StopAt(5, stop), stop.Token));
        SftRecipe.Run(options, DataCommand.Prompts, resume: true, new NoProgress(), CancellationToken.None);
        Run(_tiny.Options("whole", pairs: false, "epochs=2"), pairs: false);
        Assert.Equal(_tiny.Losses("whole"), _tiny.Losses("stopped"));
        Assert.Equal(_tiny.Lines("whole")[0].GetProperty("steps").GetInt32(), _tiny.Losses("whole").Length);
    }

    [Theory]
    [InlineData("learningRate=1e30", "the loss is")]
    [InlineData("learningRate=40", "diverged")]
    public void A_run_gone_wrong_stops_with_its_checkpoint_and_one_line(string set, string words)
    {
        var error = Assert.Throws<ArithmeticException>(() => Run(_tiny.Options("broken", pairs: false, set, "lora=null", "clipNorm=1e30", "steps=200", "warmupRatio=0", "maxLossRise=0.5"), pairs: false));
        Assert.Contains(words, error.Message);
        Assert.Contains("last.ckpt", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.True(File.Exists(Path.Combine(_tiny.Folder, "broken", "last.ckpt")));
    }

    [Fact]
    public void An_adapter_merges_into_the_weights_that_the_next_stage_starts_from()
    {
        Run(_tiny.Options("first", pairs: false, "lora.dropout=0"), pairs: false);
        var adapter = Path.Combine(_tiny.Folder, "first", "adapter");
        double FirstLoss(string name, params string[] set)
        {
            Run(_tiny.Options(name, pairs: false, ["steps=1", "lora.dropout=0", .. set]), pairs: false);
            return _tiny.Losses(name)[0];
        }

        var on = FirstLoss("on", $"startAdapter={adapter}");
        var merged = FirstLoss("merged", $"mergeAdapters=[{JsonSerializer.Serialize(adapter)}]");
        Assert.InRange(merged / on, 1 - 1e-5, 1 + 1e-5);
        Assert.True(on < FirstLoss("fresh") - 0.1);
        var other = Assert.Throws<InvalidDataException>(() => FirstLoss("other", $"startAdapter={adapter}", "lora.rank=8"));
        Assert.DoesNotContain('\n', other.Message);
    }

    private static void Run(RecipeOptions options, bool pairs)
    {
        if (pairs)
        {
            OrpoRecipe.Run(options, resume: false, new NoProgress(), CancellationToken.None);
        }
        else
        {
            SftRecipe.Run(options, DataCommand.Prompts, resume: false, new NoProgress(), CancellationToken.None);
        }
    }

    private static int LineCount(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd().Count(c => c == '\n');
    }

    /// <summary>Asks to stop after a step.</summary>
    private sealed class StopAt(int step, CancellationTokenSource stop) : IProgress<StepReport>
    {
        public void Report(StepReport value)
        {
            if (value.Step == step)
            {
                stop.Cancel();
            }
        }
    }
}
