namespace PsyLite.Store;

/// <summary>The person at this machine, who needs no account.</summary>
internal static class LocalOwner
{
    public const string Id = "local";
}
