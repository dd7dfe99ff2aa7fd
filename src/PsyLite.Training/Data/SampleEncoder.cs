using PsyLite.Models.Text;

namespace PsyLite.Training.Data;

/// <summary>Which tokens of a sample carry loss.</summary>
public enum LossScope
{
    /// <summary>Every token: pretraining on the conversation as text.</summary>
    All,

    /// <summary>The last assistant message with its closing tag: supervised fine-tuning as in the paper.</summary>
    LastReply,

    /// <summary>
    /// Every assistant message. Earlier ones carry no reasoning (it never travels in the history), so their first token has no
    /// loss: it would teach the model to answer without thinking.
    /// </summary>
    Replies,
}

/// <summary>What becomes of a sample that is too long.</summary>
public enum Overlong
{
    /// <summary>The last reply loses its end, but not its closing tag: the model still learns to stop.</summary>
    KeepEnd,

    /// <summary>Cut off on the right, as XTuner does: a long reply loses its closing tag.</summary>
    Cut,

    /// <summary>Left out.</summary>
    Drop,
}

/// <summary>Tokens of one sample with their next-token targets and the weights of these in the loss; -100 marks a position without loss.</summary>
public sealed record EncodedSample(int[] Tokens, int[] Labels, float[] Weights);

/// <summary>
/// Weights of the few tokens that carry a decision. A reply has fifty tokens of wording for every token that shows whether the
/// question was understood; without weights the wording has all the gradient.
/// </summary>
/// <param name="Topic">Weight of the first line of the reasoning.</param>
/// <param name="Verdict">Weight of the mood judge's answer.</param>
public sealed record DecisionWeights(float Topic = 1f, float Verdict = 1f);

/// <summary>
/// Turns samples into token ids with InternLM2's chat template: <c>&lt;s&gt;</c>, then per message
/// <c>&lt;|im_start|&gt;role\ncontent&lt;|im_end|&gt;\n</c>. The newline after the last <c>&lt;|im_end|&gt;</c> carries no loss
/// (XTuner's SFT template).
/// </summary>
public sealed class SampleEncoder
{
    /// <summary>PyTorch's ignore index.</summary>
    public const int Ignored = -100;

    private readonly SentencePieceTokenizer _tokenizer;
    private readonly DecisionWeights _decisions;
    private readonly int _bos;
    private readonly int _start;
    private readonly int _end;
    private readonly int[] _newline;

    public SampleEncoder(SentencePieceTokenizer tokenizer, DecisionWeights? decisions = null)
    {
        _decisions = decisions ?? new DecisionWeights();
        _tokenizer = tokenizer;
        _bos = tokenizer.Model.BosId;
        _start = Special(tokenizer, "<|im_start|>");
        _end = Special(tokenizer, "<|im_end|>");
        _newline = tokenizer.Encode("\n", allowSpecial: false);
    }

    /// <param name="maxTokens">What a longer sample is cut to, or dropped at.</param>
    /// <param name="trainNewline">Whether the newline behind the last reply carries loss too, as in XTuner's ORPO (not in its SFT).</param>
    /// <returns>Null when it is too long to keep, or nothing with loss is left of it.</returns>
    public EncodedSample? Encode(TrainingSample sample, LossScope scope, int maxTokens, Overlong overlong = Overlong.Drop, bool trainNewline = false)
    {
        var line = new Line(_bos);
        for (var i = 0; i < sample.Messages.Count; i++)
        {
            var message = sample.Messages[i];
            var isLast = i == sample.Messages.Count - 1;
            var all = scope == LossScope.All ? 1f : 0f;
            line.Add(_start, all);
            if (message.Role != "assistant")
            {
                // One text, as the reference tokenizer has it; a reply is apart, because generation begins behind its header.
                line.Add(_tokenizer.Encode($"{message.Role}\n{message.Content}"), all);
                line.Add(_end, all);
                line.Add(_newline, all);
                continue;
            }

            line.Add(_tokenizer.Encode(message.Role + "\n"), all);
            var reply = isLast || (scope == LossScope.Replies && message.Role == "assistant") ? 1f : all;
            if (message.Reasoning is { } reasoning)
            {
                AddReasoning(line, reasoning, message.BreaksOff, reply);
            }

            if (message.BreaksOff)
            {
                break;
            }

            var first = line.Weights.Count;
            var verdict = isLast && sample.Kind == "judge" ? _decisions.Verdict : 1f;
            line.Add(_tokenizer.Encode(message.Content, allowSpecial: false), reply * verdict);
            line.Add(_end, reply);
            if (scope == LossScope.Replies && !isLast)
            {
                line.Weights[first] = 0f;
            }

            line.Add(_newline, isLast && trainNewline ? 1f : all);
        }

        return line.Tokens.Count <= maxTokens ? line.ToSample() : Shorten(line, maxTokens, overlong, sample.Messages[^1].BreaksOff ? 0 : 1 + _newline.Length)?.ToSample();
    }

    /// <param name="tail">Tokens of the closing tag and what follows it.</param>
    private static Line? Shorten(Line line, int maxTokens, Overlong overlong, int tail)
    {
        if (overlong == Overlong.Drop)
        {
            return null;
        }

        var kept = overlong == Overlong.KeepEnd ? Math.Min(tail, maxTokens) : 0;
        line.RemoveBefore(kept, line.Tokens.Count - maxTokens);
        var replyLeft = line.Weights.SkipLast(kept).Any(w => w > 0);
        return replyLeft ? line : null;
    }

    private void AddReasoning(Line line, string reasoning, bool breaksOff, float weight)
    {
        var end = reasoning.IndexOf('\n');
        end = end < 0 ? reasoning.Length : end;
        line.Add(_tokenizer.Encode("<think>\n", allowSpecial: true), weight);
        line.Add(_tokenizer.Encode(reasoning.AsSpan(0, end), allowSpecial: false), weight * _decisions.Topic);
        line.Add(_tokenizer.Encode(reasoning[end..] + (breaksOff ? "\n" : "\n</think>\n\n"), allowSpecial: true), weight);
    }

    /// <summary>A sample while it is written: tokens, and the weight of each as a target (0: no loss).</summary>
    private sealed class Line(int bos)
    {
        public List<int> Tokens { get; } = [bos];

        public List<float> Weights { get; } = [0f];

        public void Add(int token, float weight)
        {
            Tokens.Add(token);
            Weights.Add(weight);
        }

        public void Add(int[] tokens, float weight)
        {
            foreach (var token in tokens)
            {
                Add(token, weight);
            }
        }

        /// <summary>Takes out so many tokens before the last ones.</summary>
        public void RemoveBefore(int last, int count)
        {
            Tokens.RemoveRange(Tokens.Count - last - count, count);
            Weights.RemoveRange(Weights.Count - last - count, count);
        }

        /// <summary>Shifts by one: the label of a position is the token after it.</summary>
        public EncodedSample ToSample()
        {
            var labels = new int[Tokens.Count];
            var weights = new float[Tokens.Count];
            for (var t = 0; t < labels.Length; t++)
            {
                var counted = t + 1 < Tokens.Count && Weights[t + 1] > 0;
                labels[t] = counted ? Tokens[t + 1] : Ignored;
                weights[t] = counted ? Weights[t + 1] : 0f;
            }

            return new EncodedSample([.. Tokens], labels, weights);
        }
    }

    private static int Special(SentencePieceTokenizer tokenizer, string piece) =>
        tokenizer.Model.IdOf(piece) is var id and >= 0 ? id : throw new InvalidDataException($"the vocabulary lacks {piece}; train it with `psylite train tokenizer`.");
}
