using Microsoft.Extensions.AI;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Judging;

/// <summary>
/// What a judge said of a reply. <paramref name="Scores"/> is null when none of the attempts could be read: such a reply stays in the run
/// and is reported, never dropped and never given the lowest scores in silence.
/// </summary>
public sealed record Verdict(IReadOnlyList<double>? Scores, string Said, int Attempts);

/// <summary>How a judge is asked.</summary>
/// <param name="Attempts">How often at most, until an answer can be read.</param>
public sealed record JudgeSettings(float Temperature, int MaxTokens, int Attempts = 3);

/// <summary>A model as a judge: asked, read strictly, and asked again where its answer cannot be read.</summary>
/// <param name="name">What the judge is called in reports.</param>
public sealed class ModelJudge(string name, Asker asker, JudgeSettings settings)
{
    public string Name => name;

    public int Parallel => asker.Model.Parallel;

    public JudgeFacts Facts => new(name, asker.Model.Facts, settings.Temperature, settings.MaxTokens) { Attempts = settings.Attempts };

    /// <param name="read">Scores, or null where the answer is not of the form asked for.</param>
    /// <param name="reminder">Said after an answer that could not be read.</param>
    public async Task<Verdict> JudgeAsync(IReadOnlyList<ChatMessage> prompt, Func<string, IReadOnlyList<double>?> read, string reminder, CancellationToken cancellationToken)
    {
        var messages = prompt;
        for (var attempt = 0; ; attempt++)
        {
            var answer = await asker.AskAsync(messages, settings.Temperature, settings.MaxTokens, attempt, cancellationToken);
            if (answer.Finish == Answer.Refused)
            {
                return new Verdict(null, $"（评分者拒收 refused: {answer.Note}）", attempt + 1);
            }

            var said = ReasoningText.Strip(answer.Text).Trim();
            if (read(said) is { } scores)
            {
                return new Verdict(scores, said, attempt + 1);
            }

            if (attempt + 1 >= settings.Attempts)
            {
                return new Verdict(null, said, attempt + 1);
            }

            // At temperature 0 the same question gets the same answer, so the second attempt shows what was wrong with the first.
            messages = [.. prompt, new ChatMessage(ChatRole.Assistant, said), new ChatMessage(ChatRole.User, reminder)];
        }
    }
}
