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

/// <summary>Tokens of one sample with their next-token targets; -100 marks a position without loss.</summary>
public sealed record EncodedSample(int[] Tokens, int[] Labels);

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
    private readonly int _bos;
    private readonly int _start;
    private readonly int _end;
    private readonly int[] _newline;

    public SampleEncoder(SentencePieceTokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        _bos = tokenizer.Model.BosId;
        _start = Special(tokenizer, "<|im_start|>");
        _end = Special(tokenizer, "<|im_end|>");
        _newline = tokenizer.Encode("\n", allowSpecial: false);
    }

    /// <param name="maxTokens">Longer samples return null: cutting one would teach replies without an end.</param>
    public EncodedSample? Encode(TrainingSample sample, LossScope scope, int maxTokens)
    {
        var tokens = new List<int>(256) { _bos };
        var counted = new List<bool>(256) { false };
        for (var i = 0; i < sample.Messages.Count; i++)
        {
            var message = sample.Messages[i];
            var isLast = i == sample.Messages.Count - 1;
            tokens.Add(_start);
            tokens.AddRange(_tokenizer.Encode(message.Role + "\n", allowSpecial: false));
            Fill(counted, tokens.Count, scope == LossScope.All);
            if (message.BreaksOff)
            {
                tokens.AddRange(_tokenizer.Encode($"<think>\n{message.Reasoning}\n", allowSpecial: true));
                Fill(counted, tokens.Count, true);
                break;
            }

            if (message.Reasoning is { } reasoning)
            {
                tokens.AddRange(_tokenizer.Encode($"<think>\n{reasoning}\n</think>\n\n", allowSpecial: true));
            }

            tokens.AddRange(_tokenizer.Encode(message.Content, allowSpecial: false));
            tokens.Add(_end);
            var first = counted.Count;
            Fill(counted, tokens.Count, scope == LossScope.All || isLast || (scope == LossScope.Replies && message.Role == "assistant"));
            if (scope == LossScope.Replies && !isLast)
            {
                counted[first] = false;
            }

            tokens.AddRange(_newline);
            Fill(counted, tokens.Count, scope == LossScope.All);
        }

        if (tokens.Count > maxTokens)
        {
            return null;
        }

        var labels = new int[tokens.Count];
        for (var t = 0; t < labels.Length; t++)
        {
            labels[t] = t + 1 < tokens.Count && counted[t + 1] ? tokens[t + 1] : Ignored;
        }

        return new EncodedSample([.. tokens], labels);
    }

    private static void Fill(List<bool> flags, int count, bool value)
    {
        while (flags.Count < count)
        {
            flags.Add(value);
        }
    }

    private static int Special(SentencePieceTokenizer tokenizer, string piece) =>
        tokenizer.Model.IdOf(piece) is var id and >= 0 ? id : throw new InvalidDataException($"the vocabulary lacks {piece}; train it with `psylite train tokenizer`.");
}
