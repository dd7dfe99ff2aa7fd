using System.Runtime.InteropServices;

namespace PsyLite.Engine;

/// <summary>One of llama.cpp's sequences and the conversation that it holds, at work or idle.</summary>
internal sealed class CachedSequence(int id)
{
    public int Id { get; } = id;

    /// <summary>Tokens whose keys and values are computed.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>The cells of these tokens in a shared pool.</summary>
    public List<int> Cells { get; } = [];

    /// <summary>Tokens worth keeping; a judge's question behind them is not.</summary>
    public int Kept { get; set; }

    /// <summary>Only a passing question uses it; the conversation before the question is held by another as well.</summary>
    public bool IsFork { get; set; }

    /// <summary>Order of last use.</summary>
    public long LastUse { get; set; }

    /// <summary>Tokens that the request at work may come to hold; 0 for an idle conversation.</summary>
    public int Limit { get; set; }

    public bool Busy => Limit > 0;

    /// <summary>Length that lies on disk already, so that it need not be written again.</summary>
    public int Stored { get; set; }

    /// <summary>How many of the prompt's tokens it holds; the last is always computed anew, for its logits.</summary>
    public int PrefixOf(ReadOnlySpan<int> prompt) => CollectionsMarshal.AsSpan(Tokens).CommonPrefixLength(prompt[..^1]);
}
