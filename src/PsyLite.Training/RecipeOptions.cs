using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using PsyLite.Models;
using PsyLite.Training.Data;

namespace PsyLite.Training;

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

    /// <summary>Folder with the text of our own.</summary>
    public string Corpora { get; init; } = "corpora";

    /// <summary>Folder of checkpoints and metrics.</summary>
    public required string Output { get; init; }

    /// <summary>Checkpoint whose weights this run starts from; null starts from random weights.</summary>
    public string? StartFrom { get; init; }

    public LossScope Loss { get; init; } = LossScope.All;

    /// <summary>Shares of the short exercises among the samples.</summary>
    public SampleMix Mix { get; init; } = new();

    /// <summary>Weights of the tokens that carry a decision.</summary>
    public DecisionWeights Decisions { get; init; } = new();

    public int Seed { get; init; } = 1;

    public int Steps { get; init; } = 1000;

    /// <summary>Tokens of one packed row.</summary>
    public int RowTokens { get; init; } = 2048;

    /// <summary>Rows whose gradients are added up before the optimiser steps.</summary>
    public int Accumulation { get; init; } = 2;

    public int MaxSampleTokens { get; init; } = 1024;

    public float LearningRate { get; init; } = 2e-3f;

    /// <summary>Share of the run with a rising learning rate; a cosine to <see cref="FinalRate"/> follows.</summary>
    public float WarmupRatio { get; init; } = 0.03f;

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
            target = target[key] as JsonObject ?? throw new InvalidDataException($"--set {text}: the recipe has no part {key}.");
        }

        target[keys[^1]] = Value(text[(equals + 1)..]);
    }

    private static JsonNode? Value(string text) =>
        text == "null" ? null
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
        Positive(MaxSampleTokens, "maxSampleTokens");
        Positive(ValidateEvery, "validateEvery");
        Positive(CheckpointEvery, "checkpointEvery");
        Positive(ValidationRows, "validationRows");
        Positive(Threads, "threads");
        if (MaxSampleTokens > RowTokens)
        {
            throw new ArgumentException("maxSampleTokens must not be above rowTokens.");
        }

        if (Mix.Judge < 0 || Mix.Gist < 0 || Mix.Judge + Mix.Gist > 1 || !(Decisions.Topic > 0) || !(Decisions.Verdict > 0))
        {
            throw new ArgumentException("mix.judge and mix.gist must be shares that add up to at most 1, and the decision weights positive.");
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
