using System.Diagnostics;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>
/// Decodes a first token, so that no request pays for llama.cpp's reservations, and settles how many threads work on one token
/// and on a prompt: a small model may lose to the barriers between threads what it wins by sharing the work, all the more
/// beside other busy programs, so one thread and all of them are tried.
/// </summary>
internal sealed class ThreadTuning(LlamaModel model, ContextHandle context, TokenBatch batch, StepThreads threads)
{
    private const int TuningTokens = 15;
    private const int TuningPrompts = 3;
    private const int TuningPrompt = 64;
    private const double ClearWin = 0.7;
    private static readonly TimeSpan TuningLimit = TimeSpan.FromMilliseconds(60);

    public void Run()
    {
        var decode = model.DecodeThreads;
        var prompt = model.BatchThreads;
        Measure(1, 1, decode.Most, prompt.Most);
        if (decode.Fewest < decode.Most)
        {
            decode.Most = Faster(decode, count => Measure(1, TuningTokens, count, prompt.Most));
        }

        if (prompt.Fewest < prompt.Most)
        {
            prompt.Most = Faster(prompt, count => Measure(TuningPrompt, TuningPrompts, decode.Most, count));
        }

        threads.Settle(decode.Most, prompt.Most, model.AdaptsThreads && decode.Most > 1 && Measure(1, 1, 1, 1) < Measure(1, 1, decode.Most, prompt.Most));
    }

    /// <summary>All threads must win clearly: they leave no core to the program around them.</summary>
    private static int Faster((int Fewest, int Most) range, Func<int, TimeSpan> measure) =>
        measure(range.Most) < measure(range.Fewest) * ClearWin ? range.Most : range.Fewest;

    /// <summary>Median time of a decode of so many tokens.</summary>
    private TimeSpan Measure(int tokens, int rounds, int tokenThreads, int batchThreads)
    {
        context.SetThreads(tokenThreads, batchThreads);
        batch.Clear();
        var count = Math.Min(tokens, batch.Capacity);
        for (var i = 0; i < count; i++)
        {
            batch.Add(Math.Max(model.Vocabulary.BeginToken, 0), i, sequence: 0, output: i == count - 1);
        }

        var times = new List<TimeSpan>();
        var started = Stopwatch.GetTimestamp();
        for (var round = 0; round < rounds && (round == 0 || Stopwatch.GetElapsedTime(started) < TuningLimit); round++)
        {
            var start = Stopwatch.GetTimestamp();
            if (batch.Decode(context) != 0)
            {
                throw new LlamaException(LlamaError.DecodeFailed, "llama.cpp could not compute a first token: check the model's file with psylite model inspect.");
            }

            times.Add(Stopwatch.GetElapsedTime(start));
            context.Truncate(0, 0);
        }

        times.Sort();
        return times[times.Count / 2];
    }
}
