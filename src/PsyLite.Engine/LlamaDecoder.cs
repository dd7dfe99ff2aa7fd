using System.Diagnostics;
using System.Runtime.InteropServices;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>
/// One context and what it holds. Every request starts from the longest common prefix with the one before, so a
/// conversation's history, and a judge's question about it, are computed once. For use by one thread at a time.
/// </summary>
internal sealed class LlamaDecoder : IDisposable
{
    private const int UsualBranches = 7;

    /// <summary>Logit rows of one batch; llama.cpp reserves memory for them.</summary>
    private const int MaxOutputs = 32;

    private const int TuningTokens = 15;
    private const int TuningPrompts = 3;
    private const int TuningPrompt = 64;
    private const double ClearWin = 0.7;
    private static readonly TimeSpan TuningLimit = TimeSpan.FromMilliseconds(60);

    private readonly LlamaModel model;
    private readonly ContextHandle context;

    /// <summary>
    /// Continuations that are scored at once, each in a sequence of its own beside the conversation's sequence 0. 0 for small
    /// models: several sequences cost llama.cpp about 50 microseconds more for every token, a tenth of their time, so they
    /// score one after another in sequence 0.
    /// </summary>
    private readonly int branches;

    /// <summary>Tokens whose keys and values sequence 0 holds.</summary>
    private readonly List<int> held = [];

    public LlamaDecoder(LlamaModel model, int? branches = null)
    {
        this.model = model;
        this.branches = branches ?? (model.IsSmall ? 0 : UsualBranches);
        context = model.CreateContext(this.branches + 1, MaxOutputs);

        // llama.cpp rounds the length up; what was asked for is the limit that callers were told.
        ContextLength = Math.Min(model.ContextLength, context.ContextLength);
    }

    public int ContextLength { get; }

    /// <summary>Makes sequence 0 hold exactly the prompt, with the logits of its last token at hand; returns how many tokens were there before.</summary>
    /// <exception cref="LlamaException">The prompt and the room asked for do not fit.</exception>
    public int Hold(int[] prompt, int room, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length);
        if (prompt.Length + room > ContextLength)
        {
            throw new LlamaException(
                LlamaError.PromptTooLong,
                $"The conversation ({prompt.Length} tokens) and the reply asked for ({room}) exceed the context of {ContextLength} tokens: shorten the history, lower the reply's token limit, or load the model with a longer context.");
        }

        var shared = Math.Min(CollectionsMarshal.AsSpan(held).CommonPrefixLength(prompt), prompt.Length - 1);
        ForgetFrom(shared);
        shared = held.Count;
        context.AllowAbort(true);
        try
        {
            using var registration = cancellationToken.Register(context.RequestAbort);
            while (held.Count < prompt.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Append(prompt.AsSpan(held.Count, Math.Min(context.BatchLength, prompt.Length - held.Count)), cancellationToken);
            }
        }
        finally
        {
            context.AllowAbort(false);
        }

        return shared;
    }

    /// <summary>Replies to a prompt, token by token.</summary>
    public GenerationResult Generate(int[] prompt, GenerationRequest request, ReplyText reply, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        using var sampler = SamplerHandle.Create(request.Sampling, model.Vocabulary.Size);
        var cached = Hold(prompt, request.MaxTokens ?? 1, cancellationToken);
        var decoding = Stopwatch.GetTimestamp();
        var limit = Math.Min(request.MaxTokens ?? int.MaxValue, ContextLength - prompt.Length);
        var end = GenerationEnd.Length;
        var count = 0;
        Span<int> next = stackalloc int[1];
        while (count < limit)
        {
            next[0] = sampler.Sample(context);
            if (model.Vocabulary.IsEndOfGeneration(next[0]))
            {
                end = GenerationEnd.Stop;
                break;
            }

            count++;
            if (reply.Add(next[0]))
            {
                end = GenerationEnd.Stop;
                break;
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (count < limit)
            {
                Append(next, cancellationToken);
            }
        }

        reply.Finish();
        return new GenerationResult(end, prompt.Length, cached, count, Stopwatch.GetElapsedTime(started, decoding), Stopwatch.GetElapsedTime(decoding));
    }

    /// <summary>
    /// Natural-log likelihood of each continuation after the prompt. First tokens are read off the prompt's own logits;
    /// the rest goes through the model in batches of several sequences that share the prompt.
    /// </summary>
    public double[] Score(int[] prompt, IReadOnlyList<int[]> continuations, CancellationToken cancellationToken)
    {
        var longest = continuations.Max(c => c.Length);
        Hold(prompt, Math.Max(longest - 1, 0), cancellationToken);
        var first = context.Logits(-1);
        var normalizer = LogSumExp(first);
        var scores = new double[continuations.Count];
        var longer = new List<int>();
        for (var i = 0; i < scores.Length; i++)
        {
            if (continuations[i].Length > 0)
            {
                scores[i] = first[continuations[i][0]] - normalizer;
            }

            if (continuations[i].Length > 1)
            {
                longer.Add(i);
            }
        }

        var free = ContextLength - prompt.Length;
        for (var done = 0; done < longer.Count;)
        {
            var group = new List<int>();
            for (var used = 0; done < longer.Count && group.Count < Math.Max(branches, 1); done++)
            {
                used += continuations[longer[done]].Length - 1;
                if (group.Count > 0 && used > free)
                {
                    break;
                }

                group.Add(longer[done]);
            }

            ScoreGroup(prompt.Length, continuations, group, scores, cancellationToken);
        }

        return scores;
    }

    /// <summary>
    /// Decodes a first token, so that no request pays for llama.cpp's reservations, and settles how many threads work on one
    /// token and on a prompt: a small model may lose to the barriers between threads what it wins by sharing the work, all
    /// the more beside other busy programs, so one thread and all of them are tried.
    /// </summary>
    public void TuneThreads()
    {
        var decode = model.DecodeThreads;
        var batch = model.BatchThreads;
        Measure(1, 1, decode.Most, batch.Most);
        if (decode.Fewest < decode.Most)
        {
            decode.Most = Faster(decode, threads => Measure(1, TuningTokens, threads, batch.Most));
        }

        if (batch.Fewest < batch.Most)
        {
            batch.Most = Faster(batch, threads => Measure(TuningPrompt, TuningPrompts, decode.Most, threads));
        }

        context.SetThreads(decode.Most, batch.Most);
    }

    public void Dispose() => context.Dispose();

    /// <summary>All threads must win clearly: they leave no core to the program around them.</summary>
    private static int Faster((int Fewest, int Most) threads, Func<int, TimeSpan> measure) =>
        measure(threads.Most) < measure(threads.Fewest) * ClearWin ? threads.Most : threads.Fewest;

    /// <summary>Median time of a decode of so many tokens.</summary>
    private TimeSpan Measure(int tokens, int rounds, int threads, int batchThreads)
    {
        context.SetThreads(threads, batchThreads);
        var batch = new int[Math.Min(tokens, context.BatchLength)];
        batch.AsSpan().Fill(Math.Max(model.Vocabulary.BeginToken, 0));
        var times = new List<TimeSpan>();
        var started = Stopwatch.GetTimestamp();
        for (var round = 0; round < rounds && (round == 0 || Stopwatch.GetElapsedTime(started) < TuningLimit); round++)
        {
            var start = Stopwatch.GetTimestamp();
            ForgetFrom(0);
            Append(batch, CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(start));
        }

        ForgetFrom(0);
        times.Sort();
        return times[times.Count / 2];
    }

    private void ScoreGroup(int promptLength, IReadOnlyList<int[]> continuations, List<int> group, double[] scores, CancellationToken cancellationToken)
    {
        var rows = new List<(int Continuation, int Index, int Sequence)>();
        for (var g = 0; g < group.Count; g++)
        {
            if (branches > 0)
            {
                context.CopySequence(0, g + 1);
            }

            for (var i = 0; i < continuations[group[g]].Length - 1; i++)
            {
                rows.Add((group[g], i, branches > 0 ? g + 1 : 0));
            }
        }

        try
        {
            var step = Math.Min(MaxOutputs, context.BatchLength);
            for (var start = 0; start < rows.Count; start += step)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var part = CollectionsMarshal.AsSpan(rows)[start..Math.Min(start + step, rows.Count)];
                var tokens = new int[part.Length];
                var positions = new int[part.Length];
                var sequences = new int[part.Length];
                var outputs = new byte[part.Length];
                for (var i = 0; i < part.Length; i++)
                {
                    tokens[i] = continuations[part[i].Continuation][part[i].Index];
                    positions[i] = promptLength + part[i].Index;
                    sequences[i] = part[i].Sequence;
                    outputs[i] = 1;
                }

                Check(context.Decode(tokens, positions, sequences, outputs), cancellationToken);
                for (var i = 0; i < part.Length; i++)
                {
                    var logits = context.Logits(i);
                    scores[part[i].Continuation] += logits[continuations[part[i].Continuation][part[i].Index + 1]] - LogSumExp(logits);
                }
            }
        }
        finally
        {
            for (var branch = 1; branch <= Math.Min(branches, group.Count); branch++)
            {
                context.Truncate(branch, 0);
            }

            if (branches == 0 && !context.Truncate(0, promptLength))
            {
                ForgetFrom(0);
            }
        }
    }

    private void Append(ReadOnlySpan<int> tokens, CancellationToken cancellationToken)
    {
        var code = context.Decode(tokens);
        if (code == 0)
        {
            held.AddRange(tokens);
            return;
        }

        // An aborted prompt leaves the micro-batches that were finished; they serve the next attempt.
        var finished = context.Count(0) - held.Count;
        if (code == 2 && finished >= 0 && finished <= tokens.Length)
        {
            held.AddRange(tokens[..finished]);
        }
        else
        {
            ForgetFrom(0);
        }

        Check(code, cancellationToken);
    }

    private static void Check(int code, CancellationToken cancellationToken)
    {
        switch (code)
        {
            case 0:
                return;
            case 1:
                throw new LlamaException(LlamaError.PromptTooLong, "The context has no room left: shorten the history or load the model with a longer context.");
            case 2:
                throw new OperationCanceledException(cancellationToken);
            default:
                throw new LlamaException(LlamaError.DecodeFailed, $"llama.cpp could not compute the next tokens (code {code}): load the model again, and check its file if this comes back.");
        }
    }

    private void ForgetFrom(int count)
    {
        if (count >= held.Count && count > 0)
        {
            return;
        }

        // Some memories (sliding window, recurrent) cannot give up a part; they start over.
        if (count == 0 || !context.Truncate(0, count))
        {
            context.Clear();
            count = 0;
        }

        held.RemoveRange(count, held.Count - count);
    }

    /// <summary>log(sum(exp(x))), in double precision after taking out the maximum.</summary>
    private static double LogSumExp(ReadOnlySpan<float> values)
    {
        var largest = float.NegativeInfinity;
        foreach (var value in values)
        {
            largest = Math.Max(largest, value);
        }

        var sum = 0.0;
        foreach (var value in values)
        {
            sum += Math.Exp(value - largest);
        }

        return largest + Math.Log(sum);
    }
}
