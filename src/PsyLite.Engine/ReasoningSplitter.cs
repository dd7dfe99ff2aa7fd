using Microsoft.Extensions.AI;

namespace PsyLite.Engine;

/// <summary>Parts a streamed reply into the reasoning inside its first think block and the reply around it.</summary>
internal sealed class ReasoningSplitter
{
    private const string Open = "<think>";
    private const string Close = "</think>";

    private string held = "";
    private State state = State.Start;

    private enum State
    {
        Start,
        Reasoning,
        Gap,
        Reply,
    }

    /// <summary>Contents that the text so far allows; the beginning of a tag is held back.</summary>
    public List<AIContent> Add(string text)
    {
        var contents = new List<AIContent>();
        held += text;
        if (state == State.Start)
        {
            var trimmed = held.TrimStart();
            if (trimmed.StartsWith(Open, StringComparison.Ordinal))
            {
                held = trimmed[Open.Length..];
                state = State.Reasoning;
            }
            else if (!Open.StartsWith(trimmed, StringComparison.Ordinal))
            {
                state = State.Reply;
            }
        }

        if (state == State.Reasoning)
        {
            SplitReasoning(contents);
        }

        if (state == State.Gap)
        {
            held = held.TrimStart();
            state = held.Length > 0 ? State.Reply : State.Gap;
        }

        if (state == State.Reply && held.Length > 0)
        {
            contents.Add(new TextContent(held));
            held = "";
        }

        return contents;
    }

    /// <summary>What was held back when the text ended.</summary>
    public List<AIContent> Finish() => held.Length == 0 ? [] : [state == State.Reasoning ? new TextReasoningContent(held) : new TextContent(held)];

    private void SplitReasoning(List<AIContent> contents)
    {
        var at = held.IndexOf(Close, StringComparison.Ordinal);
        var length = at;
        if (at < 0)
        {
            length = held.Length;
            for (var tag = Math.Min(Close.Length - 1, held.Length); tag > 0; tag--)
            {
                if (held.AsSpan().EndsWith(Close.AsSpan(0, tag), StringComparison.Ordinal))
                {
                    length = held.Length - tag;
                    break;
                }
            }
        }

        if (length > 0)
        {
            contents.Add(new TextReasoningContent(held[..length]));
        }

        held = at < 0 ? held[length..] : held[(at + Close.Length)..];
        state = at < 0 ? State.Reasoning : State.Gap;
    }
}
