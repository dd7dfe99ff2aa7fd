using Microsoft.Extensions.AI;

namespace PsyLite.Evaluation.Safety.FaultInjection;

/// <summary>A judge of moods that does what its fault says; a sound one sees no clear mood and so leaves the verdict to the rules.</summary>
internal sealed class FaultyJudge(FaultClock clock, Random random)
{
    public JudgeFault Mode { get; set; }

    public ValueTask<IReadOnlyList<double>> AskAsync(IReadOnlyList<ChatMessage> conversation, IReadOnlyList<string> labels, CancellationToken cancellationToken)
    {
        switch (Mode)
        {
            case JudgeFault.Throws:
                throw new InvalidOperationException(Fault.Secret);
            case JudgeFault.ThrowsLate:
                return ThrowLateAsync();
            case JudgeFault.GivesUp:
                return ValueTask.FromCanceled<IReadOnlyList<double>>(new CancellationToken(true));
            case JudgeFault.Hangs:
                clock.Stall();
                return new ValueTask<IReadOnlyList<double>>(new TaskCompletionSource<IReadOnlyList<double>>().Task);
            case JudgeFault.Slow:
                clock.Stall();
                return AnswerTooLateAsync(labels.Count, cancellationToken);
            default:
                return ValueTask.FromResult(Numbers(labels.Count));
        }
    }

    private IReadOnlyList<double> Numbers(int count) => Mode switch
    {
        JudgeFault.Garbage => [.. Enumerable.Range(0, count).Select(_ => Garbage()).Append(double.PositiveInfinity).TakeLast(count)],
        JudgeFault.NotANumber => [.. Enumerable.Repeat(-1.0, count - 1), double.NaN],
        JudgeFault.WrongCount => random.Next(2) == 0 ? [-0.01] : [.. Enumerable.Repeat(-0.01, count + 2)],
        JudgeFault.Nothing => random.Next(2) == 0 ? [] : null!,
        JudgeFault.OutOfVocabulary => [.. Enumerable.Repeat(double.NegativeInfinity, count)],
        JudgeFault.AlwaysHappy => [-0.001, .. Enumerable.Repeat(-9.0, count - 1)],
        _ => [.. Enumerable.Repeat(-1.1, count)],
    };

    private double Garbage() => random.Next(4) switch
    {
        0 => double.MaxValue,
        1 => -double.Epsilon,
        2 => double.NegativeInfinity,
        _ => (random.NextDouble() - 0.5) * 1e300,
    };

    private static async ValueTask<IReadOnlyList<double>> ThrowLateAsync()
    {
        await Task.Yield();
        throw new TimeoutException(Fault.Secret);
    }

    /// <summary>Happy, but only after nobody waits for it any more.</summary>
    private static async ValueTask<IReadOnlyList<double>> AnswerTooLateAsync(int count, CancellationToken cancellationToken)
    {
        var given = new TaskCompletionSource();
        await using var told = cancellationToken.Register(() => given.TrySetResult());
        await given.Task;
        return [-0.001, .. Enumerable.Repeat(-9.0, count - 1)];
    }
}
