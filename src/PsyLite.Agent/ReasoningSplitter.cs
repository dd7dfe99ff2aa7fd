namespace PsyLite.Agent;

/// <summary>
/// Takes a leading &lt;think&gt;…&lt;/think&gt; out of streamed text, for models that write their reasoning inline. One instance serves one reply.
/// </summary>
internal sealed class ReasoningSplitter
{
    private const string Open = "<think>";
    private const string Close = "</think>";
    private string _held = "";
    private Part _part = Part.Start;

    private enum Part
    {
        Start,
        Reasoning,

        /// <summary>Between the reasoning and the first word of the reply.</summary>
        Gap,
        Reply,
    }

    /// <summary>The reasoning and the reply that the text so far makes certain.</summary>
    public (string Reasoning, string Reply) Add(string text)
    {
        _held += text;
        var reasoning = "";
        if (_part == Part.Start)
        {
            var trimmed = _held.TrimStart();
            if (trimmed.Length < Open.Length && Open.StartsWith(trimmed, StringComparison.OrdinalIgnoreCase))
            {
                return ("", "");
            }

            var isReasoning = trimmed.StartsWith(Open, StringComparison.OrdinalIgnoreCase);
            _part = isReasoning ? Part.Reasoning : Part.Reply;
            _held = isReasoning ? trimmed[Open.Length..] : _held;
        }

        if (_part == Part.Reasoning)
        {
            var end = _held.IndexOf(Close, StringComparison.OrdinalIgnoreCase);
            var certain = end >= 0 ? end : Math.Max(0, _held.Length - Close.Length);
            reasoning = _held[..certain];
            _held = _held[certain..];
            if (end < 0)
            {
                return (reasoning, "");
            }

            _held = _held[Close.Length..];
            _part = Part.Gap;
        }

        if (_part == Part.Gap)
        {
            _held = _held.TrimStart();
            _part = _held.Length > 0 ? Part.Reply : Part.Gap;
        }

        var reply = _held;
        _held = "";
        return (reasoning, reply);
    }

    /// <summary>What is left at the end; reasoning that was never closed stays reasoning.</summary>
    public (string Reasoning, string Reply) Finish()
    {
        var rest = _held;
        _held = "";
        return _part == Part.Reasoning ? (rest, "") : ("", rest);
    }
}
