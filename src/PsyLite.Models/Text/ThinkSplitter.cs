using System.Text;

namespace PsyLite.Models.Text;

/// <summary>What a piece of model output adds to the reasoning and to the answer; either may be empty.</summary>
public readonly record struct ThinkDelta(string Reasoning, string Content);

/// <summary>
/// Splits streamed model output into reasoning and answer at <c>&lt;think&gt;…&lt;/think&gt;</c> and its relatives (thinking, reason,
/// reasoning, thought; any case). A tag may be cut anywhere between two pushes. No tag ever reaches the content: stray and nested ones
/// are dropped, any closing tag closes, and a removed tag cannot join its neighbours into a new one. Line breaks right behind a tag are
/// dropped. Not safe for concurrent use; one splitter per reply.
/// </summary>
public sealed class ThinkSplitter
{
    /// <summary>A tag cut off at the end of the output is dropped when this much of it was seen; "&lt;", "&lt;/" or "&lt;th" is ordinary text.</summary>
    private const int ClearlyATag = 4;

    private static readonly string[] OpenTags = ["<think>", "<thinking>", "<reason>", "<reasoning>", "<thought>"];
    private static readonly string[] CloseTags = [.. OpenTags.Select(t => "</" + t[1..])];
    private static readonly string[] AllTags = [.. OpenTags, .. CloseTags];
    private static readonly int LongestTag = AllTags.Max(t => t.Length);

    private readonly StringBuilder _reasoning = new();
    private readonly StringBuilder _content = new();
    private string _held = "";
    private string _contentTail = "";
    private bool _inside;
    private bool _skipsLineBreaks;
    private bool _tagWasRemoved;
    private bool _isFinished;

    /// <summary>Begins a reply.</summary>
    /// <param name="startsInsideThink">The prompt already ended with an opening tag, as some chat templates do.</param>
    public ThinkSplitter(bool startsInsideThink = false)
    {
        _inside = startsInsideThink;
        _skipsLineBreaks = startsInsideThink;
    }

    /// <summary>The output ended before the reasoning did; what there was stays reasoning.</summary>
    public bool FinishedInsideThink { get; private set; }

    /// <summary>Splits a complete output.</summary>
    public static ThinkDelta Split(string text)
    {
        var splitter = new ThinkSplitter();
        var (body, rest) = (splitter.Push(text), splitter.Finish());
        return new ThinkDelta(body.Reasoning + rest.Reasoning, body.Content + rest.Content);
    }

    /// <summary>Takes the next piece of output and returns what became certain by it.</summary>
    /// <exception cref="InvalidOperationException">The reply was finished.</exception>
    public ThinkDelta Push(ReadOnlySpan<char> delta)
    {
        if (_isFinished)
        {
            throw new InvalidOperationException("This reply is finished; use a new splitter for the next one.");
        }

        var text = string.Concat(_held, delta);
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf('<', at);
            Emit(text.AsSpan(at, (open < 0 ? text.Length : open) - at));
            at = open < 0 ? text.Length : open;
            var rest = text.AsSpan(at);
            if (TagAt(rest) is { } tag)
            {
                Remove(isOpening: tag[1] != '/');
                at += tag.Length;
            }
            else if (MayBecomeTag(rest))
            {
                break;
            }
            else if (!rest.IsEmpty)
            {
                Emit(rest[..1]);
                at++;
            }
        }

        _held = text[at..];
        return Take();
    }

    /// <summary>Ends the reply and returns what was held back.</summary>
    public ThinkDelta Finish()
    {
        if (!_isFinished)
        {
            _isFinished = true;
            Emit(_held.Length < ClearlyATag ? _held : "");
            FinishedInsideThink = _inside;
        }

        return Take();
    }

    private static string? TagAt(ReadOnlySpan<char> text)
    {
        foreach (var tag in AllTags)
        {
            if (text.StartsWith(tag, StringComparison.OrdinalIgnoreCase))
            {
                return tag;
            }
        }

        return null;
    }

    private static bool MayBecomeTag(ReadOnlySpan<char> text)
    {
        foreach (var tag in AllTags)
        {
            if (text.Length > 0 && tag.AsSpan().StartsWith(text, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private void Remove(bool isOpening)
    {
        // Opening inside, or closing outside: stray, dropped without effect. Before any content its line breaks go, too.
        var isStray = isOpening == _inside;
        _inside = isOpening;
        _skipsLineBreaks |= !isStray || (!_inside && _contentTail.Length == 0);
        _tagWasRemoved = true;
    }

    private void Emit(ReadOnlySpan<char> text)
    {
        text = _skipsLineBreaks ? text.TrimStart("\r\n") : text;
        if (text.IsEmpty)
        {
            return;
        }

        _skipsLineBreaks = false;
        if (_inside)
        {
            _reasoning.Append(text);
            return;
        }

        if (_tagWasRemoved && TailMayBecomeTag())
        {
            _content.Append(' ');
            _contentTail += ' ';
        }

        _tagWasRemoved = false;
        _content.Append(text);
        _contentTail = string.Concat(_contentTail, text);
        _contentTail = _contentTail[Math.Max(0, _contentTail.Length - LongestTag)..];
    }

    private bool TailMayBecomeTag() => _contentTail.LastIndexOf('<') is >= 0 and var open && MayBecomeTag(_contentTail.AsSpan(open));

    private ThinkDelta Take()
    {
        var delta = new ThinkDelta(_reasoning.ToString(), _content.ToString());
        _reasoning.Clear();
        _content.Clear();
        return delta;
    }
}
