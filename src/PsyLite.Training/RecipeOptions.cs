using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using PsyLite.Models;
using PsyLite.Training.Data;
using PsyLite.Training.Kernels;
using PsyLite.Training.Losses;

namespace PsyLite.Training;

/// <summary>What the loss of an update is a mean over.</summary>
public enum Averaging
{
    /// <summary>All labelled tokens (pairs) of the update: how they are split into rows and batches makes no difference.</summary>
    Step,

    /// <summary>Each batch has a mean of its own, and these are averaged (XTuner): tokens of batches with few labels weigh more.</summary>
    Batch,
}

/// <summary>
/// A training run as data (<c>recipes/*.json</c>). Defaults are those of the mini; <c>--set key=value</c> overrides one value.
/// </summary>
public sealed record RecipeOptions
{
    /// <summary>Name of the run; its files lie in <see cref="Output"/>.</summary>
    public required string Name { get; init; }

    public required ModelConfig Model { get; init; }

    /// <summary>SentencePiece model file.</summary>
    public required string Tokenizer { get; init; }

    /// <summary>Folder with the text of our own, played as endless conversations where <see cref="Data"/> is empty.</summary>
    public string Corpora { get; init; } = "corpora";

    /// <summary>JSONL files: alpaca rows or conversations for fine-tuning, pairs for ORPO.</summary>
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>JSONL files to validate on; where there are none, a share of <see cref="Data"/> is held back.</summary>
    public IReadOnlyList<string> ValidationData { get; init; } = [];

    /// <summary>Share of the data that is held back, by a hash of its text.</summary>
    public double HeldOut { get; init; } = 0.01;

    /// <summary>Folder of checkpoints and metrics.</summary>
    public required string Output { get; init; }

    /// <summary>Checkpoint, HuggingFace folder or GGUF (F32, F16) whose weights this run starts from; null starts from random weights.</summary>
    public string? StartFrom { get; init; }

    /// <summary>Folders of PEFT adapters that are merged into the weights before anything else, in order.</summary>
    public IReadOnlyList<string> MergeAdapters { get; init; } = [];

    /// <summary>Folder of a PEFT adapter to go on with; null starts with a fresh one.</summary>
    public string? StartAdapter { get; init; }

    /// <summary>Adapters on frozen weights; null trains every weight.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>How frozen weights are held.</summary>
    public Quantisation Quantisation { get; init; }

    /// <summary>Trades a second forward pass for the memory of the activations.</summary>
    public bool Recompute { get; init; }

    /// <summary>The preference loss; used by <c>train orpo</c>.</summary>
    public OrpoOptions Orpo { get; init; } = new();

    public LossScope Loss { get; init; } = LossScope.All;

    /// <summary>Shares of the short exercises among the samples.</summary>
    public SampleMix Mix { get; init; } = new();

    /// <summary>Weights of the tokens that carry a decision.</summary>
    public DecisionWeights Decisions { get; init; } = new();

    public int Seed { get; init; } = 1;

    public int Steps { get; init; } = 1000;

    /// <summary>Passes over <see cref="Data"/>; where it is given it sets the number of steps.</summary>
    public int? Epochs { get; init; }

    /// <summary>Tokens of one packed row.</summary>
    public int RowTokens { get; init; } = 2048;

    /// <summary>Rows that go through the model at once.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Batches whose gradients are added up before the optimiser steps.</summary>
    public int Accumulation { get; init; } = 2;

    /// <summary>Longest sample, of pairs the longest side.</summary>
    public int MaxSampleTokens { get; init; } = 1024;

    /// <summary>What becomes of longer ones.</summary>
    public Overlong Overlong { get; init; } = Overlong.KeepEnd;

    /// <summary>How samples become rows.</summary>
    public PackingMode Packing { get; init; } = PackingMode.Whole;

    /// <summary>What the loss is a mean over.</summary>
    public Averaging Averaging { get; init; } = Averaging.Step;

    public float LearningRate { get; init; } = 2e-3f;

    /// <summary>Share of the run with a rising learning rate; a cosine to <see cref="FinalRate"/> follows.</summary>
    public float WarmupRatio { get; init; } = 0.03f;

    /// <summary>Learning rate of the first warm-up step as a share of the highest (XTuner: 1e-5); null begins at highest / warm-up.</summary>
    public double? WarmupStart { get; init; }

    /// <summary>Learning rate at the end as a share of the highest.</summary>
    public float FinalRate { get; init; }

    public float WeightDecay { get; init; } = 0.05f;

    public float Beta1 { get; init; } = 0.9f;

    public float Beta2 { get; init; } = 0.95f;

    /// <summary>Global gradient norm above which gradients are scaled down.</summary>
    public float ClipNorm { get; init; } = 1f;

    public int Threads { get; init; } = 2;

    /// <summary>Steps between validation passes.</summary>
    public int ValidateEvery { get; init; } = 200;

    /// <summary>Rows of held-back text in a validation pass.</summary>
    public int ValidationRows { get; init; } = 8;

    /// <summary>Steps between checkpoints.</summary>
    public int CheckpointEvery { get; init; } = 200;

    /// <summary>Messages that are answered at each validation pass.</summary>
    public IReadOnlyList<string> SamplePrompts { get; init; } = [];

    /// <summary>Longest such answer; every token of it costs a forward pass over the whole text.</summary>
    public int SampleTokens { get; init; } = 48;

    /// <summary>Nats by which the smoothed loss may rise above its lowest before the run counts as diverged.</summary>
    public double MaxLossRise { get; init; } = 2;

    internal TuningOptions Tuning => new(Lora, Quantisation, Recompute);

    /// <summary>Rows of one update.</summary>
    internal int RowsPerStep => Batch * Accumulation;

    /// <summary>Tokens that go through the model at once.</summary>
    internal int BatchTokens => Batch * RowTokens;

    /// <summary>Seed of the dropout masks of one batch of one update.</summary>
    internal ulong? DropoutSeed(int step, int batch) =>
        Lora is { Dropout: > 0 } ? DropoutKernel.Mix(DropoutKernel.Mix((ulong)Seed, (ulong)step), (ulong)batch) : null;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        WriteIndented = true,
    };

    /// <summary>Reads a recipe and applies <c>key=value</c> overrides (dots reach into <c>model</c>).</summary>
    /// <exception cref="InvalidDataException">The file or an override is wrong; the message is one line and names it.</exception>
    public static RecipeOptions Read(string path, IReadOnlyList<string> overrides)
    {
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"the recipe {path} does not exist; recipes/ holds those that come with PsyLite.");
        }

        try
        {
            var root = JsonNode.Parse(File.ReadAllText(path), documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip })?.AsObject()
                ?? throw new InvalidDataException($"{path} is empty.");
            foreach (var text in overrides)
            {
                Override(root, text);
            }

            var options = root.Deserialize<RecipeOptions>(Json)!;
            options.Validate();
            return options;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    private static void Override(JsonObject root, string text)
    {
        var equals = text.IndexOf('=');
        if (equals <= 0)
        {
            throw new InvalidDataException($"--set {text} is not of the form key=value.");
        }

        var keys = text[..equals].Split('.');
        var target = root;
        foreach (var key in keys[..^1])
        {
            // A part that the recipe leaves out, such as lora, may be made by an override.
            target = (target[key] ?? (IsPart(target, key) ? target[key] = new JsonObject() : null)) as JsonObject ?? throw new InvalidDataException($"--set {text}: the recipe has no part {key}.");
        }

        try
        {
            target[keys[^1]] = Value(text[(equals + 1)..]);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"--set {text} is not a list such as [\"one\",\"two\"].", e);
        }
    }

    private static bool IsPart(JsonObject target, string key) => target.Parent is null && key is "lora" or "orpo" or "mix" or "decisions";

    private static JsonNode? Value(string text) =>
        text == "null" ? null
        : text.StartsWith('[') ? JsonNode.Parse(text)
        : bool.TryParse(text, out var flag) ? JsonValue.Create(flag)
        : long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var whole) ? JsonValue.Create(whole)
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number)
        : JsonValue.Create(text);

    private void Validate()
    {
        Model.Validated();
        Positive(Steps, "steps");
        Positive(RowTokens, "rowTokens");
        Positive(Accumulation, "accumulation");
        Positive(Batch, "batch");
        Positive(Epochs ?? 1, "epochs");
        Positive(SampleTokens, "sampleTokens");
        Tuning.Validated();
        Orpo.Validated();
        if (Quantisation == Quantisation.Nf4 && (Model.HiddenSize % 64 != 0 || Model.IntermediateSize % 64 != 0))
        {
            throw new ArgumentException("quantisation nf4 needs hiddenSize and intermediateSize to be multiples of 64.");
        }

        if (Epochs is not null && Data.Count == 0)
        {
            throw new ArgumentException("epochs needs data; the text of our own has no end, give steps instead.");
        }

        if (StartAdapter is not null && Lora is null)
        {
            throw new ArgumentException("startAdapter needs a lora part of the same rank.");
        }

        if (HeldOut is < 0 or >= 1 || WarmupStart is <= 0 or > 1 || !(MaxLossRise > 0))
        {
            throw new ArgumentException("heldOut must be a share below 1, warmupStart a share above 0, maxLossRise positive.");
        }

        Positive(MaxSampleTokens, "maxSampleTokens");
        Positive(ValidateEvery, "validateEvery");
        Positive(CheckpointEvery, "checkpointEvery");
        Positive(ValidationRows, "validationRows");
        Positive(Threads, "threads");
        if (MaxSampleTokens > RowTokens)
        {
            throw new ArgumentException("maxSampleTokens must not be above rowTokens.");
        }

        if (Mix.Judge < 0 || Mix.Gist < 0 || Mix.Judge + Mix.Gist > 1 || Mix.Change is < 0 or > 1 || !(Decisions.Topic > 0) || !(Decisions.Verdict > 0))
        {
            throw new ArgumentException("mix.judge and mix.gist must be shares that add up to at most 1, mix.change a share, and the decision weights positive.");
        }

        if (!(LearningRate > 0) || WarmupRatio is < 0 or > 1 || FinalRate is < 0 or > 1 || !(ClipNorm > 0))
        {
            throw new ArgumentException("learningRate and clipNorm must be positive, warmupRatio and finalRate between 0 and 1.");
        }
    }

    private static void Positive(int value, string name)
    {
        if (value <= 0)
        {
            throw new ArgumentException($"{name} must be positive.");
        }
    }
}
