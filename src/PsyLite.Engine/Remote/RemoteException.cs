namespace PsyLite.Engine.Remote;

/// <summary>An endpoint that did not do what was asked; the message is one line and holds nothing of the conversation.</summary>
public sealed class RemoteException : Exception
{
    public RemoteException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The request itself was refused; another endpoint would refuse it, too, and this one is not to blame.</summary>
    public bool IsRequestFault { get; init; }

    /// <summary>The HTTP status that it answered with; null when no answer came, or it broke off.</summary>
    public int? Status { get; init; }

    /// <summary>When the endpoint wants to be asked again.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
