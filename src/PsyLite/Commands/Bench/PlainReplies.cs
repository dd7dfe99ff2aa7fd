using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using PsyLite.Options;

namespace PsyLite.Commands.Bench;

/// <summary>
/// Puts ordinary words in place of what a model says, piece for piece and at its pace. Random weights say broken bytes, whose text takes six times as
/// many tokens when it comes back as history; with these, a conversation grows as one with a trained model does.
/// </summary>
internal sealed class PlainReplies(IChatClient inner) : DelegatingChatClient(inner)
{
    /// <summary>Characters for a token, as in Chinese text under InternLM2.5's vocabulary.</summary>
    private const int CharactersPerToken = 2;

    private const string Words =
        "听起来这阵子事情一件接着一件，你都自己接住了。晚上放下手机确实不容易，可以先从早十分钟开始，把它放在客厅充电。"
        + "周末那顿饭不用准备话题，问问对方最近在忙什么就好。要是走神了也没关系，喝口水再回来。你已经想到这一步，就说明心里有个方向。";

    /// <summary>The program with the configured model, which speaks like this.</summary>
    public static Composition Compose(AppOptions options) => Composition.Create(options, load: async () =>
    {
        var loaded = await Composition.LoadAsync(options, TimeProvider.System);
        return loaded with { Client = new PlainReplies(loaded.Client) };
    });

    /// <summary>A reply of so many tokens.</summary>
    public static string Reply(int tokens) => string.Concat(Enumerable.Range(0, tokens).Select(Piece));

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var pieces = 0;
        await foreach (var update in base.GetStreamingResponseAsync(messages, options, cancellationToken))
        {
            update.Contents = [.. update.Contents.Select(c => c is TextContent or TextReasoningContent ? new TextContent(Piece(pieces++)) : c)];
            yield return update;
        }
    }

    private static string Piece(int number)
    {
        var at = number * CharactersPerToken % (Words.Length - (Words.Length % CharactersPerToken));
        return Words.Substring(at, CharactersPerToken);
    }
}
