using Microsoft.Extensions.AI;
using PsyLite.Agent.Prompts;

namespace PsyLite.Agent.Risk;

/// <summary>What the model's own likelihoods say about the person's mood.</summary>
internal enum Mood
{
    /// <summary>No clear lead for any label.</summary>
    Unclear,
    Happy,
    Calm,
    Low,

    /// <summary>The judge threw, was too slow or gave numbers that mean nothing.</summary>
    Failed,
}

/// <summary>Asks the model which mood label it would say next. Never throws except for the caller's own cancellation.</summary>
internal sealed class MoodJudge(LabelLikelihoods likelihoods, TimeSpan limit, TimeProvider time)
{
    /// <summary>Probability among the labels from which one counts as clear.</summary>
    private const double ClearLead = 0.8;

    public async Task<Mood> AskAsync(IReadOnlyList<ChatMessage> conversation, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            List<ChatMessage> question = [.. conversation, new ChatMessage(ChatRole.System, PromptText.Judge)];
            var answer = likelihoods(question, PromptText.JudgeLabels, stop.Token).AsTask();
            return Read(await answer.WaitAsync(limit, time, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (NotSupportedException)
        {
            // The model cannot tell likelihoods at all, which is as good as having no judge.
            return Mood.Unclear;
        }
        catch (Exception)
        {
            // Whatever a judge does wrong has one meaning here: there is no verdict.
            return Mood.Failed;
        }
        finally
        {
            await stop.CancelAsync();
        }
    }

    internal static Mood Read(IReadOnlyList<double>? logs)
    {
        if (logs is null || logs.Count != PromptText.JudgeLabels.Count || logs.Any(l => double.IsNaN(l) || double.IsPositiveInfinity(l) || l > 1e-6))
        {
            return Mood.Failed;
        }

        var most = logs.Max();
        if (double.IsNegativeInfinity(most))
        {
            return Mood.Failed;
        }

        var weights = logs.Select(l => Math.Exp(l - most)).ToList();
        var total = weights.Sum();
        var best = weights.IndexOf(weights.Max());
        return weights[best] / total < ClearLead ? Mood.Unclear : best switch { 0 => Mood.Happy, 1 => Mood.Calm, _ => Mood.Low };
    }
}
