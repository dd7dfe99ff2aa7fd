namespace PsyLite.Server;

/// <summary>The one model that is offered: the turn over whatever model is configured.</summary>
internal static class ServedModel
{
    public const string Id = "psylite";

    /// <summary>Ollama's clients add the tag to names without one.</summary>
    public const string Tagged = Id + ":latest";

    public static bool Is(string? id) => id is Id or Tagged;
}
