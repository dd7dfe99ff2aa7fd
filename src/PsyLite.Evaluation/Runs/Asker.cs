using System.Globalization;
using Microsoft.Extensions.AI;

namespace PsyLite.Evaluation.Runs;

/// <summary>
/// Asks one model and remembers what it said. What is remembered is found by the model, the messages, the sampling and the attempt; the
/// seed of a sampled answer follows from them, so that the order of asking changes nothing.
/// </summary>
public sealed class Asker(Respondent model, Journal journal, long seed)
{
    private readonly string _model = string.Join('|',
        model.Facts.Name, model.Facts.Engine, model.Facts.Sha256, model.Facts.Endpoint, model.Facts.WithAgent, model.Facts.ContextLength,
        string.Join(',', model.Facts.Settings.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key}={s.Value}")));

    public Respondent Model => model;

    /// <param name="attempt">Another number asks again.</param>
    public Task<Answer> AskAsync(IReadOnlyList<ChatMessage> messages, float temperature, int maxTokens, int attempt = 0, CancellationToken cancellationToken = default)
    {
        var key = Journal.Key(
        [
            "ask", _model, temperature.ToString(CultureInfo.InvariantCulture), maxTokens.ToString(CultureInfo.InvariantCulture),
            seed.ToString(CultureInfo.InvariantCulture), attempt.ToString(CultureInfo.InvariantCulture),
            .. messages.SelectMany(m => (string[])[m.Role.Value, m.Text]),
        ]);
        return journal.FindOrAddAsync(key, () => model.Ask(messages, new Sampling(temperature, maxTokens, SeedOf(key)), cancellationToken));
    }

    /// <summary>The likeliest of several plain texts that begin alike.</summary>
    /// <exception cref="NotSupportedException">The engine tells no likelihoods of plain text.</exception>
    public Task<Answer> ChooseAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        var likelihoods = model.Texts ?? throw new NotSupportedException(
            "这个引擎不提供纯文本的似然；请用本地 GGUF 或对话变体 · This engine tells no likelihoods of plain text: use a local GGUF file, or a variant that asks for words (official-chat, opencompass-gen).");
        return journal.FindOrAddAsync(Journal.Key(["choose", _model, .. texts]), async () =>
        {
            var scores = await likelihoods(texts, cancellationToken);
            return new Answer(scores.Likeliest.ToString(CultureInfo.InvariantCulture), PromptTokens: scores.SharedTokens) { Scores = scores.Rest };
        });
    }

    private static long SeedOf(string key) => Convert.ToUInt32(key[..8], 16);
}
