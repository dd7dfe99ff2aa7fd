using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PsyLite.Engine.Remote;

/// <summary>What one event of a stream adds.</summary>
/// <param name="Finish">Set by the event that ends the reply.</param>
/// <param name="IsEnd">Nothing follows.</param>
internal sealed record RemotePiece(string Reasoning = "", string Text = "", ChatFinishReason? Finish = null, UsageDetails? Usage = null, bool IsEnd = false)
{
    public bool HasText => Reasoning.Length + Text.Length > 0;
}

/// <summary>A token that could have come first, as the bytes it stands for, with its natural-log likelihood.</summary>
internal readonly record struct LikelyToken(byte[] Bytes, double Log);

/// <summary>The wire format of a kind of endpoint.</summary>
internal interface IRemoteProtocol
{
    Uri ChatAddress(Uri endpoint);

    /// <summary>Lists the models; answers only when the endpoint can serve.</summary>
    Uri ProbeAddress(Uri endpoint);

    /// <summary>Name of the first listed model; null when there is none.</summary>
    string? FirstModel(JsonElement listing);

    JsonObject Chat(IReadOnlyList<RemoteMessage> messages, ChatOptions? options, string model);

    /// <summary>Reads a streamed reply; ends early when the connection does, and it is for the caller to notice.</summary>
    /// <exception cref="RemoteException">The stream carries an error.</exception>
    /// <exception cref="JsonException">It is not in this format.</exception>
    IAsyncEnumerable<RemotePiece> ReadAsync(Stream body, CancellationToken cancellationToken);

    /// <summary>Asks for one token and the likelihoods of its rivals.</summary>
    JsonObject LikelihoodRequest(IReadOnlyList<RemoteMessage> messages, string model);

    /// <summary>Asks for exactly one of the labels, by whatever means the server has to constrain its answer.</summary>
    JsonObject ChoiceRequest(IReadOnlyList<RemoteMessage> messages, IReadOnlyList<string> labels, string model);

    /// <summary>Rivals for the first token; empty when the server does not tell.</summary>
    IReadOnlyList<LikelyToken> FirstToken(JsonElement response);

    /// <summary>The constrained answer; null when there is none.</summary>
    string? Choice(JsonElement response);
}
