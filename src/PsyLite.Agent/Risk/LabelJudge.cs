using Microsoft.Extensions.AI;
using PsyLite.Agent.Prompts;

namespace PsyLite.Agent.Risk;

/// <summary>A question to the model that one of a few labels answers.</summary>
internal sealed record LabelQuestion(string Prompt, IReadOnlyList<string> Labels)
{
    public const int Happy = 0;
    public const int Low = 2;
    public const int Danger = 0;

    /// <summary>Answers: <see cref="Happy"/>, calm, <see cref="Low"/>.</summary>
    public static LabelQuestion Mood { get; } = new(PromptText.Judge, PromptText.JudgeLabels);

    /// <summary>Answers: <see cref="Danger"/>, safe.</summary>
    public static LabelQuestion Risk { get; } = new(PromptText.RiskJudge, PromptText.RiskLabels);
}

/// <summary>What the model's likelihoods say: a label, no clear lead for any, or no verdict at all.</summary>
internal readonly record struct LabelAnswer(int Label)
{
    /// <summary>No label leads clearly, or the model cannot tell likelihoods.</summary>
    public static readonly LabelAnswer Unclear = new(-1);

    /// <summary>The judge threw, was too slow or gave numbers that mean nothing.</summary>
    public static readonly LabelAnswer Failed = new(-2);
}

/// <summary>Asks the model which label it would say next. Never throws except for the caller's own cancellation.</summary>
internal sealed class LabelJudge(LabelLikelihoods likelihoods, TimeSpan limit, TimeProvider time)
{
    /// <summary>Probability among the labels from which one counts as clear.</summary>
    private const double ClearLead = 0.8;

    public async Task<LabelAnswer> AskAsync(LabelQuestion question, IReadOnlyList<ChatMessage> conversation, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            List<ChatMessage> asked = [.. conversation, new ChatMessage(ChatRole.System, question.Prompt)];
            var answer = likelihoods(asked, question.Labels, stop.Token).AsTask();
            return Read(await answer.WaitAsync(limit, time, cancellationToken), question.Labels.Count);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (NotSupportedException)
        {
            // The model cannot tell likelihoods at all, which is as good as having no judge.
            return LabelAnswer.Unclear;
        }
        catch (Exception)
        {
            // Whatever a judge does wrong has one meaning here: there is no verdict.
            return LabelAnswer.Failed;
        }
        finally
        {
            await stop.CancelAsync();
        }
    }

    internal static LabelAnswer Read(IReadOnlyList<double>? logs, int labels)
    {
        if (logs is null || logs.Count != labels || logs.Any(l => double.IsNaN(l) || double.IsPositiveInfinity(l) || l > 1e-6))
        {
            return LabelAnswer.Failed;
        }

        var most = logs.Max();
        if (double.IsNegativeInfinity(most))
        {
            return LabelAnswer.Failed;
        }

        var weights = logs.Select(l => Math.Exp(l - most)).ToList();
        var best = weights.IndexOf(weights.Max());
        return weights[best] / weights.Sum() < ClearLead ? LabelAnswer.Unclear : new LabelAnswer(best);
    }
}
