namespace PsyLite.Store.Accounts;

/// <summary>What an account may do. Each may also what those before it may.</summary>
public enum AccountRole
{
    /// <summary>Converses; sees nobody's conversations but their own.</summary>
    Client = 0,

    /// <summary>Answers calls for a person in the console.</summary>
    Counsellor = 1,

    /// <summary>Sets up the server over its APIs: valves, models, metrics.</summary>
    Admin = 2,
}

/// <summary>Someone who signs in. The name, the hash of the password and all else but the id are sealed in the store.</summary>
public sealed class Account
{
    public const int LongestName = 64;

    public string Id { get; init; } = Guid.NewGuid().ToString("N");

    public required string Name { get; set; }

    public AccountRole Role { get; set; }

    public string? PasswordHash { get; set; }

    /// <summary>Changes with the password and whenever sessions are to end; a session with another stamp is none.</summary>
    public string Stamp { get; set; } = Guid.NewGuid().ToString("N");

    /// <summary>Wrong passwords in a row.</summary>
    public int Failures { get; set; }

    public DateTimeOffset? LockedUntil { get; set; }

    /// <summary>Nobody signs in and no key works; the conversations stay.</summary>
    public bool IsDisabled { get; set; }

    public DateTimeOffset Created { get; set; }

    /// <summary>Grows with every change: two writers cannot both have read the same.</summary>
    public long Version { get; set; }

    /// <summary>Null when the name can be one; else what is wrong with it.</summary>
    public static string? NameFault(string name) => name.Length is > 0 and <= LongestName && name.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '@')
        ? null
        : $"a name has 1 to {LongestName} letters, digits and . - _ @";
}

/// <summary>An API key as the store knows it: enough to recognise the key, not to make it.</summary>
/// <param name="Id">The public beginning of the key.</param>
/// <param name="Label">What its owner calls it.</param>
public sealed record AccountKey(string Id, string AccountId, string Label, DateTimeOffset Created);
