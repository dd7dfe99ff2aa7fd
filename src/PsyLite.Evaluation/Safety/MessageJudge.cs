using System.Diagnostics;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Evaluation.Safety;

/// <summary>
/// Has labelled messages judged as the program would judge them. A dialogue is lived through: every turn of the person goes through the
/// turn pipeline (without a model) with the state that the turns before have left.
/// </summary>
internal sealed class MessageJudge(RiskAssessor assessor)
{
    /// <summary>Messages judged before the clock runs, so that compilation is not measured.</summary>
    private const int WarmUp = 400;
    private readonly TurnPipeline _pipeline = new(null, null, assessor, CrosstalkLibrary.Empty);

    public async Task<IReadOnlyList<JudgedMessage>> JudgeAsync(IReadOnlyList<LabelledMessage> messages, CancellationToken cancellationToken)
    {
        foreach (var message in messages.Take(WarmUp))
        {
            assessor.Assess(message.Text);
        }

        var judged = new List<JudgedMessage>(messages.Count);
        foreach (var message in messages)
        {
            cancellationToken.ThrowIfCancellationRequested();
            judged.Add(message.IsDialogue ? await DialogueAsync(message, cancellationToken) : Single(message));
        }

        return judged;
    }

    private JudgedMessage Single(LabelledMessage message)
    {
        var start = Stopwatch.GetTimestamp();
        var verdict = assessor.Assess(message.Text);
        return new JudgedMessage(message, verdict, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
    }

    private async Task<JudgedMessage> DialogueAsync(LabelledMessage message, CancellationToken cancellationToken)
    {
        List<ChatMessage> said = [.. message.Turns.Select((text, i) => new ChatMessage(i % 2 == 0 ? ChatRole.User : ChatRole.Assistant, text))];
        var state = new ConversationState();
        Assessment? verdict = null;
        for (var turn = 1; turn <= said.Count; turn += 2)
        {
            await foreach (var step in _pipeline.RunAsync(new TurnRequest([.. said.Take(turn)], state), cancellationToken))
            {
                verdict = (step as TurnEvent.Completed)?.Result.Assessment ?? verdict;
            }
        }

        var start = Stopwatch.GetTimestamp();
        var stateless = assessor.Assess(said, new ConversationState());
        var micros = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        return new JudgedMessage(message, verdict!, micros) { IsRoutedOtherwiseWithoutState = stateless.Route == Route.Danger != (verdict!.Route == Route.Danger) };
    }
}
