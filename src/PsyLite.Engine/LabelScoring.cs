using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>
/// Scores continuations of what a sequence holds. First tokens are read off the prompt's own logits; the rest goes through the
/// model in branches of a shared pool, which cost no copy, or one after another behind the prompt where sequences share nothing.
/// </summary>
internal sealed class LabelScoring(ContextHandle context, TokenBatch batch, SequencePool pool, int firstBranch, int branches)
{
    private readonly List<int> branchCells = [];

    /// <summary>Reads what the logits of the prompt's last token tell.</summary>
    public static void First(ScoreJob job, ReadOnlySpan<float> logits)
    {
        var normalizer = LogSumExp(logits);
        for (var i = 0; i < job.Scores.Length; i++)
        {
            if (job.Continuations[i].Length > 0)
            {
                job.Scores[i] = logits[job.Continuations[i][0]] - normalizer;
            }
        }
    }

    /// <summary>Adds the tokens after the first; the sequence holds the prompt again when it returns.</summary>
    public void Rest(ScoreJob job)
    {
        var longer = Enumerable.Range(0, job.Scores.Length).Where(i => job.Continuations[i].Length > 1).ToList();
        foreach (var group in longer.Chunk(Math.Max(branches, 1)))
        {
            job.CancellationToken.ThrowIfCancellationRequested();
            Score(job, group);
        }
    }

    private void Score(ScoreJob job, int[] group)
    {
        var trunk = job.Sequence!;
        var rows = new List<(int Continuation, int Index, int Sequence)>();
        for (var g = 0; g < group.Length; g++)
        {
            var sequence = branches > 0 ? firstBranch + g : trunk.Id;
            if (branches > 0)
            {
                context.CopySequence(trunk.Id, sequence);
            }

            rows.AddRange(Enumerable.Range(0, job.Continuations[group[g]].Length - 1).Select(i => (group[g], i, sequence)));
        }

        pool.Borrow(branchCells, rows.Count);
        try
        {
            foreach (var part in rows.Chunk(Math.Min(MemoryPlan.ScoreRows, batch.Capacity)))
            {
                Decode(job, part);
            }
        }
        finally
        {
            foreach (var sequence in rows.Select(r => r.Sequence).Distinct())
            {
                context.Truncate(sequence, branches > 0 ? 0 : trunk.Tokens.Count);
            }

            pool.GiveBack(branchCells);
        }
    }

    private void Decode(ScoreJob job, ReadOnlySpan<(int Continuation, int Index, int Sequence)> rows)
    {
        batch.Clear();
        foreach (var row in rows)
        {
            batch.Add(job.Continuations[row.Continuation][row.Index], job.Prompt.Length + row.Index, row.Sequence, output: true);
        }

        var code = batch.Decode(context);
        if (code != 0)
        {
            throw new LlamaException(LlamaError.DecodeFailed, $"llama.cpp could not compute the labels (code {code}): load the model again, and check its file if this comes back.");
        }

        for (var i = 0; i < rows.Length; i++)
        {
            var logits = context.Logits(i);
            job.Scores[rows[i].Continuation] += logits[job.Continuations[rows[i].Continuation][rows[i].Index + 1]] - LogSumExp(logits);
        }
    }

    /// <summary>log(sum(exp(x))), in double precision after taking out the maximum.</summary>
    public static double LogSumExp(ReadOnlySpan<float> values)
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
