using System.Globalization;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Perplexity;

/// <summary>Perplexity of one text. Items are chunks, their score the mean negative log-likelihood of a token in nats.</summary>
public sealed record PerplexityReport(RunManifest Manifest, IReadOnlyList<Figure> Figures, IReadOnlyList<ScoredItem> Items, int Tokens, int ScoredTokens, double Perplexity, double StandardError)
{
    /// <param name="chunks">Mean negative log-likelihood of each chunk, in nats a token; all have equally many scored tokens.</param>
    /// <param name="standardError">Of the mean over tokens, as llama-perplexity gives it.</param>
    public static PerplexityReport Of(RunManifest manifest, IReadOnlyList<double> chunks, int tokens, int scoredTokens, double standardError)
    {
        var loss = Bootstrap.Mean(chunks, (int)manifest.Seed);
        var perplexity = Math.Exp(loss.Value);
        return new PerplexityReport(
            manifest,
            [
                new Figure("perplexity", "困惑度", "Perplexity", new Estimate(perplexity, Math.Exp(loss.Low), Math.Exp(loss.High), chunks.Count), Math.Ceiling(perplexity), IsLowerBetter: true),
                new Figure("nats", "每词元损失", "Nats a token", loss, Math.Ceiling(loss.High), IsLowerBetter: true),
            ],
            [.. chunks.Select((c, i) => new ScoredItem((i + 1).ToString(CultureInfo.InvariantCulture), "", 1.0 / chunks.Count, new Dictionary<string, double> { ["nats"] = c }))],
            tokens, scoredTokens, perplexity, standardError * perplexity);
    }

    public string Page() => Reports.Page.Of($"PsyLite 困惑度 · {Manifest.Name}", RunParts.Lead("困惑度", "Perplexity", Manifest, Figures, Reports.Page.Note(
        $"{Words.Count(Tokens)} 个词元，{Items.Count} 段，每段只计后半（共 {Words.Count(ScoredTokens)} 个），与 llama-perplexity 的定义相同。不同词表之间不可比。",
        $"{Words.Count(Tokens)} tokens in {Items.Count} chunks, the second half of each scored ({Words.Count(ScoredTokens)} tokens), as llama-perplexity defines it. It does not compare across vocabularies.")),
        [Reports.Page.Section("manifest", "可重复所需", "What it takes to repeat", RunParts.Manifest(Manifest))]).Value;
}
