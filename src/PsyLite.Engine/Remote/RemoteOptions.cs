namespace PsyLite.Engine.Remote;

/// <summary>What an endpoint speaks.</summary>
public enum RemoteProtocol
{
    /// <summary>/v1/chat/completions: vLLM, llama-server and many others.</summary>
    OpenAi,

    /// <summary>/api/chat.</summary>
    Ollama,
}

/// <summary>Where a remote engine is, and how long it may take.</summary>
public sealed record RemoteOptions
{
    public required RemoteProtocol Protocol { get; init; }

    /// <summary>Base addresses, such as http://127.0.0.1:8000 or https://host/v1; alike in what they serve.</summary>
    public required IReadOnlyList<Uri> Endpoints { get; init; }

    /// <summary>Model to ask for; null takes the first that an endpoint lists.</summary>
    public string? Model { get; init; }

    /// <summary>Bearer key, sent to these endpoints alone.</summary>
    public string? Key { get; init; }

    /// <summary>Where the key comes from, for messages.</summary>
    public string KeySource { get; init; } = "PSYLITE_ENDPOINT_KEY";

    /// <summary>Where the addresses come from, for messages.</summary>
    public string AddressSource { get; init; } = "--endpoint";

    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the request to the first piece of text; leaves a second endpoint time within a turn's own limit of two minutes.</summary>
    public TimeSpan FirstToken { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Between two pieces of text; shorter than a turn's own limit, so that the endpoint is blamed.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Between two looks at an endpoint.</summary>
    public TimeSpan Probe { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>An endpoint that fails over and again gets no requests for so long; then one to try.</summary>
    public TimeSpan Break { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest Retry-After that is waited for, when no other endpoint is left.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Context that Ollama is asked to keep; its own default cuts long conversations silently.</summary>
    public int ContextLength { get; init; } = 8192;

    /// <summary>The hosts that conversations go to, for people to read.</summary>
    public string Hosts => string.Join(", ", Endpoints.Select(e => e.Authority));
}
