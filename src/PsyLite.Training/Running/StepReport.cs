using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using PsyLite.Training.Losses;

namespace PsyLite.Training;

/// <summary>What a training step reports.</summary>
/// <param name="Loss">Mean loss over the step, in nats.</param>
/// <param name="Tokens">Tokens since the run began.</param>
/// <param name="ValidationLoss">Mean loss on held-back text; null between validation passes.</param>
public sealed record StepReport(int Step, int Steps, double Loss, double GradientNorm, double LearningRate, double TokensPerSecond, long Tokens, double? ValidationLoss)
{
    /// <summary>Of preference training.</summary>
    [JsonIgnore]
    public PreferenceReport? Preference { get; init; }

    /// <summary>Of the held-back pairs, with <see cref="ValidationLoss"/>.</summary>
    [JsonIgnore]
    public PreferenceReport? HeldOut { get; init; }

    /// <summary>One line of metrics.jsonl; the metrics of preference training have XTuner's names, of held-back pairs with "val_" before them.</summary>
    public string ToJson()
    {
        var line = JsonSerializer.SerializeToNode(this, JsonSerializerOptions.Web)!.AsObject();
        foreach (var (prefix, preference) in new[] { ("", Preference), ("val_", HeldOut) })
        {
            foreach (var (name, value) in preference is null ? [] : JsonSerializer.SerializeToNode(preference)!.AsObject())
            {
                line[prefix + name] = value?.DeepClone();
            }
        }

        return line.ToJsonString();
    }
}

/// <summary>The metrics of preference training, under the names that XTuner and TRL log.</summary>
public sealed record PreferenceReport(
    [property: JsonPropertyName("chosen_rewards")] double ChosenRewards,
    [property: JsonPropertyName("rejected_rewards")] double RejectedRewards,
    [property: JsonPropertyName("reward_acc")] double RewardAccuracy,
    [property: JsonPropertyName("reward_margin")] double RewardMargin,
    [property: JsonPropertyName("log_odds_ratio")] double LogOddsRatio,
    [property: JsonPropertyName("log_odds_chosen")] double LogOddsChosen,
    [property: JsonPropertyName("nll_loss")] double NllLoss)
{
    /// <summary>Means over the pairs of a sum.</summary>
    public static PreferenceReport From(OrpoSum sum, OrpoOptions options) => new(
        options.Beta * sum.Chosen / sum.Pairs, options.Beta * sum.Rejected / sum.Pairs, (double)sum.Correct / sum.Pairs, options.Beta * (sum.Chosen - sum.Rejected) / sum.Pairs,
        sum.Ratio / sum.Pairs, sum.LogOdds / sum.Pairs, sum.Nll / sum.NllTokens);
}
