using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using PsyLite.Training.Optim;

namespace PsyLite.Training.Running;

/// <summary>
/// The folder of a run and where the run stands: checkpoint, metrics, plots, sample replies. Everything a resumed run needs to repeat the
/// same losses is the checkpoint: weights that train, moments, step, rows taken; masks and data follow from the recipe's seed.
/// </summary>
internal sealed class TrainingRun : IDisposable
{
    private static readonly TimeSpan PlotInterval = TimeSpan.FromSeconds(5);

    private readonly RecipeOptions _options;
    private readonly Transformer _model;
    private readonly AdamW _optimiser;
    private readonly IProgress<StepReport> _progress;
    private readonly StepLog _metrics;
    private readonly StepLog _samples;
    private readonly PlotPage _plot;
    private readonly LossWatch _watch;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _plotted;
    private long _tokensHere;

    /// <summary>Opens the folder and, to resume, restores the checkpoint in it.</summary>
    /// <exception cref="InvalidDataException">There is no checkpoint to resume from, or it does not fit the recipe.</exception>
    public TrainingRun(RecipeOptions options, int steps, Transformer model, AdamW optimiser, bool resume, IProgress<StepReport> progress)
    {
        (_options, Steps, _model, _optimiser, _progress) = (options, steps, model, optimiser, progress);
        if (resume)
        {
            Restore();
        }

        Directory.CreateDirectory(options.Output);
        File.WriteAllText(Path.Combine(options.Output, "recipe.json"), options.ToJson());
        _watch = new LossWatch(options.MaxLossRise);
        _plot = new PlotPage(Path.Combine(options.Output, "plots.html"), options.Name, steps);
        _metrics = new StepLog(Path.Combine(options.Output, "metrics.jsonl"), FirstStep);
        _samples = new StepLog(Path.Combine(options.Output, "samples.jsonl"), FirstStep);
        foreach (var line in _metrics.Kept)
        {
            Plot(line);
        }
    }

    /// <summary>Step to begin with.</summary>
    public int FirstStep { get; private set; }

    /// <summary>Rows of data that earlier runs took.</summary>
    public long RowsTaken { get; private set; }

    /// <summary>Tokens trained on since the run began.</summary>
    public long Tokens { get; private set; }

    public int Steps { get; }

    private string CheckpointPath => Path.Combine(_options.Output, "last.ckpt");

    /// <summary>Whether held-back text is due after this step.</summary>
    public bool ValidatesAfter(int step) => (step + 1) % _options.ValidateEvery == 0 || step + 1 == Steps;

    /// <summary>Stops at the user's wish, with a checkpoint to resume from.</summary>
    public void StopIfAsked(int step, long rowsTaken, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            Save(step, rowsTaken);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <exception cref="ArithmeticException">The run has gone wrong; the checkpoint before stays.</exception>
    public void StopIfBroken(int step, double loss, double gradientNorm)
    {
        if (_watch.Add(loss, gradientNorm) is { } fault)
        {
            var kept = File.Exists(CheckpointPath) ? $"resume from {CheckpointPath} (--resume)" : "begin again";
            _plot.Write(fault, finished: true);
            throw new ArithmeticException(string.Create(CultureInfo.InvariantCulture, $"step {step + 1}: {fault}; lower learningRate and {kept}."));
        }
    }

    /// <summary>Logs a finished step and saves when it is time.</summary>
    public void Complete(int step, int tokens, long rowsTaken, Func<long, double, StepReport> report)
    {
        Tokens += tokens;
        _tokensHere += tokens;
        var finished = report(Tokens, _tokensHere / _clock.Elapsed.TotalSeconds);
        var line = finished.ToJson();
        _metrics.Write(line);
        Plot(line);
        _progress.Report(finished);
        if ((step + 1) % _options.CheckpointEvery == 0 || step + 1 == Steps)
        {
            Save(step + 1, rowsTaken);
        }

        if (_clock.Elapsed - _plotted > PlotInterval || step + 1 == Steps)
        {
            _plotted = _clock.Elapsed;
            _plot.Write(string.Create(CultureInfo.InvariantCulture, $"{step + 1} / {Steps} 步 steps, loss {finished.Loss:F4}, {finished.TokensPerSecond:F0} 词元/秒 tokens/s"), step + 1 == Steps);
        }
    }

    /// <summary>Keeps what the model answers at this step.</summary>
    public void LogReplies(int step, IReadOnlyList<(string Prompt, string Reply)> replies)
    {
        foreach (var (prompt, reply) in replies)
        {
            _samples.Write(JsonSerializer.Serialize(new { step = step + 1, prompt, reply }, JsonSerializerOptions.Web));
        }

        if (replies.Count > 0)
        {
            _plot.Show(replies);
        }
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _samples.Dispose();
    }

    private void Save(int step, long rowsTaken)
    {
        Checkpoint.Save(CheckpointPath, _model.Trainable, _optimiser, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{step} {rowsTaken} {Tokens}")));
        if (_options.Lora is { } lora)
        {
            AdapterFolder.Write(Path.Combine(_options.Output, "adapter"), _model.Adapters!, lora, _options.StartFrom);
        }
    }

    private void Restore()
    {
        var position = Encoding.UTF8.GetString(Checkpoint.Load(CheckpointPath, _model.Trainable, _optimiser)).Split(' ');
        (FirstStep, RowsTaken) = (int.Parse(position[0], CultureInfo.InvariantCulture), long.Parse(position[1], CultureInfo.InvariantCulture));
        Tokens = position.Length > 2 ? long.Parse(position[2], CultureInfo.InvariantCulture) : 0;
    }

    private void Plot(string line)
    {
        using var json = JsonDocument.Parse(line);
        var step = json.RootElement.GetProperty("step").GetInt32();
        foreach (var value in json.RootElement.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Number))
        {
            if (value.Name is not ("step" or "steps" or "tokens"))
            {
                _plot.Add(value.Name == "validationLoss" ? "val_loss" : value.Name, step, value.Value.GetDouble());
            }
        }
    }
}
